//! Who may reach `headwater broker`: this machine only, or a classroom with names and passwords.

use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;

use headwater_broker::ServerConfig;
use headwater_broker::security::users::random_letters;
use headwater_broker::security::{Mechanism, Tls, Users};

/// Letters of a password that is made up: 50 bits.
const PASSWORD_LETTERS: usize = 10;

/// The options on addresses, users and TLS.
#[derive(Debug, clap::Args)]
pub struct AccessArgs {
    /// Listen on this address instead of 127.0.0.1, for other machines: 0.0.0.0:9092 is all of them
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "port")]
    pub listen: Option<SocketAddr>,
    /// The name or address under which other machines reach this one
    #[arg(long, value_name = "HOST")]
    pub advertise: Option<String>,
    /// Only let in the users in this file; make it with --add-user
    #[arg(long, value_name = "FILE")]
    pub users: Option<PathBuf>,
    /// Add a user to the file, or give one a new password, say the password, and stop
    #[arg(long, value_name = "NAME", requires = "users")]
    pub add_user: Option<String>,
    /// With --add-user: read the password from standard input instead of making one up
    #[arg(long, requires = "add_user")]
    pub password_stdin: bool,
    /// Encrypt, with the certificate in this file (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The key of the certificate (PEM), readable for its owner only
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Listen for other machines without users: whoever reaches this one reads and deletes
    #[arg(long)]
    pub open: bool,
}

impl AccessArgs {
    /// Adds a user where that is asked; returns true where there is nothing more to do.
    pub fn add_user(&self) -> Result<bool, Box<dyn std::error::Error>> {
        let (Some(name), Some(file)) = (&self.add_user, &self.users) else {
            return Ok(false);
        };
        let password = match self.password_stdin {
            true => {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text)?;
                text.trim_end_matches(['\r', '\n']).to_owned()
            }
            false => random_letters(PASSWORD_LETTERS),
        };
        Users::save(file, name, &password)?;
        match self.password_stdin {
            true => println!("user {name} may log in"),
            false => {
                println!("user {name} may log in with the password {password}, shown only now")
            }
        }
        Ok(true)
    }

    /// Sets what the options say; says what they leave to be known.
    pub fn apply(&self, config: &mut ServerConfig) -> Result<(), Box<dyn std::error::Error>> {
        if let Some(listen) = self.listen {
            config.listen = listen;
        }
        config.advertised_host.clone_from(&self.advertise);
        let security = &mut config.security;
        if let Some(file) = &self.users {
            security.users = Some(Users::load(file)?);
        }
        if let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) {
            security.tls = Some(Tls::load(certificate, key)?);
        }
        let ip = config.listen.ip();
        if ip.is_loopback() {
            return Ok(());
        }
        match (&security.users, self.open) {
            (None, false) => {
                return Err(format!(
                    "{ip} is reached from other machines, and nobody is asked who they are\n  \
                     have: no --users\n  \
                     try:  --users FILE, made with --users FILE --add-user NAME; or --open, where everybody may read and delete"
                )
                .into());
            }
            (None, true) => {
                eprintln!("warning: whoever reaches {ip} may read and delete everything here");
            }
            // A password as it is may be read on the way; SCRAM never sends it.
            (Some(_), _) if security.tls.is_none() => {
                security
                    .mechanisms
                    .retain(|mechanism| *mechanism != Mechanism::Plain);
                eprintln!(
                    "warning: without --tls-cert records can be read on the way; logins can not, they are SCRAM-SHA-256 and SCRAM-SHA-512 only"
                );
            }
            (Some(_), _) => {}
        }
        if ip.is_unspecified() && self.advertise.is_none() {
            eprintln!(
                "warning: other machines are told to connect to `localhost`; --advertise names this machine for them"
            );
        }
        Ok(())
    }

    /// Returns the settings of a client that gets in, apart from the address.
    pub fn client_settings(&self, config: &ServerConfig) -> Vec<String> {
        let security = &config.security;
        let protocol = match (&security.users, &security.tls) {
            (None, None) => return Vec::new(),
            (None, Some(_)) => return vec!["security.protocol=SSL".to_owned()],
            (Some(_), None) => "SASL_PLAINTEXT",
            (Some(_), Some(_)) => "SASL_SSL",
        };
        let offered: Vec<&str> = security.mechanisms.iter().map(|m| m.name()).collect();
        vec![
            format!("security.protocol={protocol}"),
            format!("sasl.mechanism={}", offered.join(" or ")),
        ]
    }
}
