//! The server's side of SCRAM: two messages in, two out (RFC 5802, section 5; RFC 7677).
//!
//! As in Kafka there is no channel binding, and names and passwords are compared as they are
//! written, without the normal forms of SASLprep.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Refused;
use super::hash::{Hash, same, xor};
use super::users::{Credential, Users};

/// A login after the client's first message; it waits for the second one.
#[derive(Debug)]
pub struct Exchange {
    user: String,
    credential: Credential,
    /// False where the name is not known: the exchange goes on, and fails at its end.
    known: bool,
    binding: String,
    nonce: String,
    /// `client-first-message-bare,server-first-message,` of what both sides sign.
    signed: String,
}

/// Reads the client's first message; returns the exchange and our answer to it. `server_nonce`
/// is printable and never the same twice.
///
/// # Errors
/// A message of another form, or one that asks to act as somebody else.
pub fn first(
    hash: Hash,
    users: &Users,
    message: &[u8],
    server_nonce: &str,
) -> Result<(Exchange, String), Refused> {
    let message = std::str::from_utf8(message).map_err(|_| Refused::MALFORMED)?;
    let mut parts = message.splitn(3, ',');
    let (Some(flag), Some(identity), Some(bare)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(Refused::MALFORMED);
    };
    // `y`: the client could bind to a channel and sees that we do not offer it.
    if !matches!(flag, "n" | "y") {
        return Err(Refused::MALFORMED);
    }
    let mut fields = bare.split(',');
    let name = value(fields.next(), "n=")?;
    let client_nonce = value(fields.next(), "r=")?;
    let user = unescaped(name).ok_or(Refused::MALFORMED)?;
    if !is_nonce(client_nonce) {
        return Err(Refused::MALFORMED);
    }
    if !identity.is_empty() && unescaped(value(Some(identity), "a=")?) != Some(user.clone()) {
        return Err(Refused::OTHER_IDENTITY);
    }
    let known = users.credential(&user, hash);
    let credential = known.cloned().unwrap_or_else(|| users.decoy(&user, hash));
    let nonce = format!("{client_nonce}{server_nonce}");
    let salt = STANDARD.encode(&credential.salt);
    let answer = format!("r={nonce},s={salt},i={}", credential.iterations);
    let exchange = Exchange {
        known: known.is_some(),
        binding: STANDARD.encode(format!("{flag},{identity},")),
        signed: format!("{bare},{answer},"),
        nonce,
        credential,
        user,
    };
    Ok((exchange, answer))
}

impl Exchange {
    /// Reads the client's second message; returns the user, and our proof that we know them too.
    ///
    /// # Errors
    /// A message of another form, a wrong password, an unknown user.
    pub fn last(self, message: &[u8]) -> Result<(String, String), Refused> {
        let message = std::str::from_utf8(message).map_err(|_| Refused::MALFORMED)?;
        let (without_proof, proof) = message.rsplit_once(",p=").ok_or(Refused::MALFORMED)?;
        let mut fields = without_proof.split(',');
        let binding = value(fields.next(), "c=")?;
        let nonce = value(fields.next(), "r=")?;
        if binding != self.binding || nonce != self.nonce {
            return Err(Refused::MALFORMED);
        }
        let proof = STANDARD.decode(proof).map_err(|_| Refused::MALFORMED)?;
        let credential = &self.credential;
        let signed = format!("{}{without_proof}", self.signed);
        let signature = credential
            .hash
            .hmac(&credential.stored_key, signed.as_bytes());
        let client_key = xor(&proof, &signature);
        let fits = proof.len() == signature.len()
            && same(&credential.hash.digest(&client_key), &credential.stored_key);
        if !(fits && self.known) {
            return Err(Refused::CREDENTIALS);
        }
        let ours = credential
            .hash
            .hmac(&credential.server_key, signed.as_bytes());
        Ok((self.user, format!("v={}", STANDARD.encode(ours))))
    }
}

fn value<'a>(field: Option<&'a str>, name: &str) -> Result<&'a str, Refused> {
    field
        .and_then(|field| field.strip_prefix(name))
        .ok_or(Refused::MALFORMED)
}

/// Returns a name as it was before `,` became `=2C` and `=` became `=3D`.
fn unescaped(name: &str) -> Option<String> {
    let mut plain = String::with_capacity(name.len());
    let mut parts = name.split('=');
    plain.push_str(parts.next()?);
    for part in parts {
        let (letter, rest) = match part {
            part if part.starts_with("2C") => (',', &part[2..]),
            part if part.starts_with("3D") => ('=', &part[2..]),
            _ => return None,
        };
        plain.push(letter);
        plain.push_str(rest);
    }
    (!plain.is_empty()).then_some(plain)
}

fn is_nonce(text: &str) -> bool {
    let printable = |byte: u8| matches!(byte, 0x21..=0x2b | 0x2d..=0x7e);
    !text.is_empty() && text.bytes().all(printable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users_of_the_rfc(salt: &str) -> Users {
        let salt = STANDARD.decode(salt).expect("base64");
        let credential = Credential::derive(Hash::Sha256, b"pencil", salt, 4096);
        let mut users = Users::default();
        users.insert("user", credential);
        users
    }

    /// RFC 7677, section 3.
    const FIRST: &[u8] = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    const NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const SALT: &str = "W22ZaJ0SNY7soEsUEjb6gQ==";
    const LAST: &[u8] = b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    #[test]
    fn exchange_of_rfc_7677_ends_as_written_there() {
        let users = users_of_the_rfc(SALT);
        let (exchange, answer) =
            first(Hash::Sha256, &users, FIRST, NONCE).expect("a first message");
        assert_eq!(
            answer,
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        let ended = exchange.last(LAST);
        let proof = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        assert_eq!(ended, Ok(("user".to_owned(), proof.to_owned())));
    }

    #[test]
    fn proof_of_another_password_is_refused() {
        let mut users = users_of_the_rfc(SALT);
        let salt = STANDARD.decode(SALT).expect("base64");
        users.insert(
            "user",
            Credential::derive(Hash::Sha256, b"pencils", salt, 4096),
        );
        let (exchange, _) = first(Hash::Sha256, &users, FIRST, NONCE).expect("a first message");
        assert_eq!(exchange.last(LAST), Err(Refused::CREDENTIALS));
    }

    #[test]
    fn unknown_user_gets_a_salt_too_and_fails_at_the_end() {
        let users = users_of_the_rfc(SALT);
        let ask = |name: &str| {
            let message = format!("n,,n={name},r=rOprNGfwEbeRWgbNEkqO");
            first(Hash::Sha256, &users, message.as_bytes(), NONCE).expect("a first message")
        };
        let (exchange, answer) = ask("nobody");
        assert_eq!(answer, ask("nobody").1, "the salt of a name stays the same");
        assert_ne!(answer, ask("noone").1);
        assert_eq!(exchange.last(LAST), Err(Refused::CREDENTIALS));
    }

    #[test]
    fn second_message_must_belong_to_the_first() {
        let users = users_of_the_rfc(SALT);
        let proof = "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        let others = [
            format!("c=eSws,r=rOprNGfwEbeRWgbNEkqO{NONCE},{proof}"),
            format!("c=biws,r=rOprNGfwEbeRWgbNEkqO,{proof}"),
            format!("c=biws,r=rOprNGfwEbeRWgbNEkqO{NONCE}"),
            format!("c=biws,r=rOprNGfwEbeRWgbNEkqO{NONCE},p=no base64"),
            String::new(),
        ];
        for other in others {
            let (exchange, _) = first(Hash::Sha256, &users, FIRST, NONCE).expect("a first message");
            assert_eq!(
                exchange.last(other.as_bytes()),
                Err(Refused::MALFORMED),
                "{other}"
            );
        }
        let (exchange, _) = first(Hash::Sha256, &users, FIRST, NONCE).expect("a first message");
        let short = format!("c=biws,r=rOprNGfwEbeRWgbNEkqO{NONCE},p=dHzb");
        assert_eq!(exchange.last(short.as_bytes()), Err(Refused::CREDENTIALS));
    }

    #[test]
    fn first_messages_of_another_form_are_refused() {
        let users = users_of_the_rfc(SALT);
        let others = [
            "",
            "n",
            "n,,",
            "n,,n=user",
            "n,,n=,r=abc",
            "n,,n=user,r=",
            "p=tls-unique,,n=user,r=abc",
            "n,,m=ext,n=user,r=abc",
            "n,,n=us=er,r=abc",
            "n,,n=user,r=a b",
            "x,,n=user,r=abc",
        ];
        for other in others {
            let refused = first(Hash::Sha256, &users, other.as_bytes(), NONCE).err();
            assert_eq!(refused, Some(Refused::MALFORMED), "{other}");
        }
        let other = first(Hash::Sha256, &users, b"n,a=bob,n=user,r=abc", NONCE).err();
        assert_eq!(other, Some(Refused::OTHER_IDENTITY));
    }

    #[test]
    fn names_with_comma_and_equals_sign_are_read() {
        assert_eq!(unescaped("a=2Cb=3Dc"), Some("a,b=c".to_owned()));
        assert_eq!(unescaped("a=2cb"), None);
    }
}
