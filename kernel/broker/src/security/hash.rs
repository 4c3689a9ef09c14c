//! The arithmetic of SCRAM over SHA-256 or SHA-512 (RFC 5802, section 3), from one library.

use std::num::NonZeroU32;

use ring::{digest, hmac, pbkdf2};
use subtle::ConstantTimeEq;

/// The hash function of a mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hash {
    Sha256,
    Sha512,
}

impl Hash {
    /// Returns the number of bytes that it gives.
    pub fn size(self) -> usize {
        self.digests().output_len()
    }

    /// Returns `H(bytes)`.
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        digest::digest(self.digests(), bytes).as_ref().to_vec()
    }

    /// Returns `HMAC(key, text)`.
    pub fn hmac(self, key: &[u8], text: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha512 => hmac::HMAC_SHA512,
        };
        let tag = hmac::sign(&hmac::Key::new(algorithm, key), text);
        tag.as_ref().to_vec()
    }

    /// Returns `Hi(password, salt, iterations)`, which takes milliseconds on purpose.
    pub fn salted(self, password: &[u8], salt: &[u8], iterations: NonZeroU32) -> Vec<u8> {
        let algorithm = match self {
            Hash::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Hash::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        };
        let mut salted = vec![0; self.size()];
        pbkdf2::derive(algorithm, iterations, salt, password, &mut salted);
        salted
    }

    fn digests(self) -> &'static digest::Algorithm {
        match self {
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha512 => &digest::SHA512,
        }
    }
}

/// Compares in a time that tells nothing about where two secrets differ.
pub fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// Returns what `left` and `right` differ in, bit by bit; as long as the shorter of the two.
pub fn xor(left: &[u8], right: &[u8]) -> Vec<u8> {
    left.iter().zip(right).map(|(a, b)| a ^ b).collect()
}
