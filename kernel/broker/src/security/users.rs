//! Users and what is kept of their passwords: salted hashes, in memory and in a file.
//!
//! A line of a file is a name, and a credential in the form that PostgreSQL keeps as well:
//! `ada:SCRAM-SHA-256$4096:<salt>$<stored key>:<server key>`. A user has one for each hash.
//! From such a line a password can be checked and not read.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::num::NonZeroU32;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};

use super::Mechanism;
use super::hash::{Hash, same};
use crate::error::{Error, Result};

/// Fewer turns than this are refused (RFC 7677, section 4), and new credentials take as many.
pub const LEAST_ITERATIONS: u32 = 4096;
/// More would let a file make every login take seconds.
pub const MOST_ITERATIONS: u32 = 1_000_000;
const SALT_BYTES: usize = 16;

/// What is kept of one password under one hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    pub(super) hash: Hash,
    pub(super) iterations: u32,
    pub(super) salt: Vec<u8>,
    pub(super) stored_key: Vec<u8>,
    pub(super) server_key: Vec<u8>,
}

/// Who may log in.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Users {
    by_name: BTreeMap<String, Vec<Credential>>,
}

impl Users {
    /// Returns nobody: every login fails until somebody is added.
    pub fn new() -> Users {
        Users::default()
    }

    /// Adds a user, or gives one a new password. The password is hashed and not kept.
    ///
    /// # Errors
    /// An empty name or password, and names with `:` or control characters.
    pub fn add(&mut self, name: &str, password: &str) -> Result<()> {
        let credentials = hashed(name, password)?;
        self.by_name.insert(name.to_owned(), credentials);
        Ok(())
    }

    /// Returns the names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Reads a file of users.
    ///
    /// # Errors
    /// `Error::Users` where the file cannot be read, is open to others than its owner, or has a
    /// line of another form.
    pub fn load(path: &Path) -> Result<Users> {
        let failed = |why: String| unusable(path, why);
        check_private(path).map_err(failed)?;
        let text = std::fs::read_to_string(path).map_err(|e| failed(e.to_string()))?;
        let mut users = Users::default();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, credential) = line
                .split_once(':')
                .ok_or_else(|| failed(format!("line {number} has no `:` after a name")))?;
            let credential = Credential::parse(credential).ok_or_else(|| {
                failed(format!(
                    "line {number} holds no SCRAM credential for {name:?} of {LEAST_ITERATIONS} to {MOST_ITERATIONS} iterations"
                ))
            })?;
            users.insert(name, credential);
        }
        if users.by_name.is_empty() {
            return Err(failed("nobody is in it".to_owned()));
        }
        Ok(users)
    }

    /// Writes a user into a file, made where there is none with rights for its owner only; lines
    /// of the same name are replaced.
    ///
    /// # Errors
    /// As `add` and `load`, and whatever the file system says.
    pub fn save(path: &Path, name: &str, password: &str) -> Result<()> {
        let failed = |why: String| unusable(path, why);
        let credentials = hashed(name, password)?;
        let old = if path.exists() {
            check_private(path).map_err(failed)?;
            std::fs::read_to_string(path).map_err(|e| failed(e.to_string()))?
        } else {
            "# name:credential; from it a password can be checked, and not read\n".to_owned()
        };
        let prefix = format!("{name}:");
        let mut text: String = old
            .lines()
            .filter(|line| !line.starts_with(&prefix))
            .map(|line| format!("{line}\n"))
            .collect();
        for credential in &credentials {
            text.push_str(&format!("{prefix}{credential}\n"));
        }
        replace_private(path, &text).map_err(|e| failed(e.to_string()))
    }

    /// Returns true where this is the password of this user. Takes as long for an unknown one.
    pub fn check(&self, name: &str, password: &[u8]) -> bool {
        let known = self.by_name.get(name).and_then(|all| all.first());
        let credential = known
            .cloned()
            .unwrap_or_else(|| self.decoy(name, Hash::Sha256));
        let Credential {
            hash,
            iterations,
            ref salt,
            ref stored_key,
            ..
        } = credential;
        let given = Credential::derive(hash, password, salt.clone(), iterations);
        same(&given.stored_key, stored_key) && known.is_some()
    }

    pub(super) fn insert(&mut self, name: &str, credential: Credential) {
        let credentials = self.by_name.entry(name.to_owned()).or_default();
        credentials.retain(|other| other.hash != credential.hash);
        credentials.push(credential);
    }

    pub(super) fn credential(&self, name: &str, hash: Hash) -> Option<&Credential> {
        let credentials = self.by_name.get(name)?;
        credentials
            .iter()
            .find(|credential| credential.hash == hash)
    }

    fn usual_iterations(&self) -> u32 {
        let first = self.by_name.values().flatten().next();
        first.map_or(LEAST_ITERATIONS, |credential| credential.iterations)
    }

    /// Returns what a name that nobody has is answered with: always the same for a name, so
    /// that asking twice tells nothing either.
    pub(super) fn decoy(&self, name: &str, hash: Hash) -> Credential {
        // Unknown to clients, and stays the same as long as the users do.
        let secret: Vec<u8> = self
            .by_name
            .values()
            .flatten()
            .flat_map(|credential| credential.server_key.iter().copied())
            .collect();
        let mut salt = hash.hmac(&secret, name.as_bytes());
        salt.truncate(SALT_BYTES);
        Credential {
            hash,
            iterations: self.usual_iterations(),
            salt,
            stored_key: vec![0; hash.size()],
            server_key: vec![0; hash.size()],
        }
    }
}

impl Credential {
    pub(super) fn derive(
        hash: Hash,
        password: &[u8],
        salt: Vec<u8>,
        iterations: u32,
    ) -> Credential {
        let turns = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
        let salted = hash.salted(password, &salt, turns);
        Credential {
            hash,
            iterations,
            salt,
            stored_key: hash.digest(&hash.hmac(&salted, b"Client Key")),
            server_key: hash.hmac(&salted, b"Server Key"),
        }
    }

    fn parse(text: &str) -> Option<Credential> {
        let (mechanism, rest) = text.split_once('$')?;
        let hash = match mechanism {
            "SCRAM-SHA-256" => Hash::Sha256,
            "SCRAM-SHA-512" => Hash::Sha512,
            _ => return None,
        };
        let (salting, keys) = rest.split_once('$')?;
        let (iterations, salt) = salting.split_once(':')?;
        let (stored_key, server_key) = keys.split_once(':')?;
        let bytes = |text: &str| STANDARD.decode(text).ok();
        let credential = Credential {
            hash,
            iterations: iterations.parse().ok()?,
            salt: bytes(salt)?,
            stored_key: bytes(stored_key)?,
            server_key: bytes(server_key)?,
        };
        let sizes = [credential.stored_key.len(), credential.server_key.len()];
        let sound = sizes == [hash.size(); 2] && !credential.salt.is_empty();
        let turns = (LEAST_ITERATIONS..=MOST_ITERATIONS).contains(&credential.iterations);
        (sound && turns).then_some(credential)
    }
}

/// As a line of a file has it.
impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mechanism = match self.hash {
            Hash::Sha256 => Mechanism::ScramSha256,
            Hash::Sha512 => Mechanism::ScramSha512,
        };
        let [salt, stored, server] =
            [&self.salt, &self.stored_key, &self.server_key].map(|bytes| STANDARD.encode(bytes));
        write!(
            f,
            "{mechanism}${}:{salt}${stored}:{server}",
            self.iterations
        )
    }
}

/// Says nothing of keys and salt: configurations are printed.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({:?})", self.hash)
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// Returns `length` letters that nobody can guess.
pub fn random_letters(length: usize) -> String {
    // Without letters that are taken for one another; 32 of them, so that each is as likely.
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz123456789";
    let mut bytes = vec![0; length];
    fill(&mut bytes);
    let letter = |byte: &u8| char::from(LETTERS[usize::from(byte % 32)]);
    bytes.iter().map(letter).collect()
}

fn fill(bytes: &mut [u8]) {
    let filled = SystemRandom::new().fill(bytes);
    filled.expect("the operating system gives random bytes");
}

fn hashed(name: &str, password: &str) -> Result<Vec<Credential>> {
    let refused = |why: &str| Error::User {
        name: name.to_owned(),
        why: why.to_owned(),
    };
    if name.is_empty() || name.starts_with('#') || name.trim() != name {
        return Err(refused(
            "a name has letters, none of them a space at its ends or `#` at its start",
        ));
    }
    if name.chars().any(|c| c == ':' || c.is_control()) {
        return Err(refused("a name has no `:` and no control characters"));
    }
    if password.is_empty() || password.contains('\0') {
        return Err(refused("a password has at least one letter, and no NUL"));
    }
    let credential = |hash| {
        let mut salt = vec![0; SALT_BYTES];
        fill(&mut salt);
        Credential::derive(hash, password.as_bytes(), salt, LEAST_ITERATIONS)
    };
    Ok(vec![credential(Hash::Sha256), credential(Hash::Sha512)])
}

fn unusable(path: &Path, why: String) -> Error {
    Error::SecretFile {
        path: path.display().to_string(),
        why,
    }
}

/// Returns why a file that holds secrets is open to others than its owner.
pub(super) fn check_private(path: &Path) -> std::result::Result<(), String> {
    let metadata = std::fs::metadata(path).map_err(|e| e.to_string())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(format!(
                "others may read or write it (mode {mode:o}); `chmod 600` keeps it to its owner"
            ));
        }
    }
    #[cfg(not(unix))]
    let _ = metadata;
    Ok(())
}

/// Writes a file beside the old one and puts it in its place: never half of it, never readable
/// by others.
fn replace_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", random_letters(8)));
    let beside = path.with_file_name(name);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let placed = written.and_then(|()| std::fs::rename(&beside, path));
    if placed.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    placed
}
