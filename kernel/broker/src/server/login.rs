//! The start of a connection where the server has users: SaslHandshake names a mechanism,
//! SaslAuthenticate carries its messages (KIP-43, KIP-152). Before that only ApiVersions is
//! answered; any other request closes the connection without a reply, as in Kafka.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{
    SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeResponse,
};
use tokio::sync::Semaphore;
use zeroize::Zeroize;

use super::connection::{Limits, encoded};
use super::frames;
use super::stream::Stream;
use crate::brokers::api_versions;
use crate::security::hash::Hash;
use crate::security::users::random_letters;
use crate::security::{Mechanism, Refused, Security, Users, plain, scram};
use crate::wire::frame::{self, Decoded};
use crate::wire::{Incoming, Request, Response, text};

/// Logins need no more; Kafka's `sasl.server.max.receive.size`.
const MOST_BYTES: usize = 512 * 1024;
/// Passwords are hashed on other threads, this many at a time: it takes milliseconds, during
/// which all clients would wait.
const HASHING: usize = 2;
/// 120 bits that nobody can guess.
const NONCE_LETTERS: usize = 24;

/// What logins are checked against.
pub struct Door {
    users: Arc<Users>,
    mechanisms: Vec<Mechanism>,
    /// How long a failed login waits for its answer: guessing takes time.
    delay: Duration,
    hashing: Semaphore,
}

/// Who a login is for, how far it got.
enum Step {
    Start(Mechanism),
    Waiting(Box<scram::Exchange>),
}

/// What a message of the client led to.
enum Answer {
    Next(Step, Vec<u8>),
    Done(Vec<u8>),
}

impl Door {
    /// Returns what a connection has to pass, or nothing where there are no users.
    pub fn of(security: &Security, delay: Duration) -> Option<Door> {
        Some(Door {
            users: Arc::new(security.users.clone()?),
            mechanisms: security.mechanisms.clone(),
            delay,
            hashing: Semaphore::new(HASHING),
        })
    }

    /// Returns once the client has logged in.
    ///
    /// # Errors
    /// Whatever the connection is to be closed for.
    pub async fn pass(&self, stream: &mut Stream, limits: &Limits) -> io::Result<()> {
        let (mechanism, version) = self.handshake(stream, limits).await?;
        let mut step = Step::Start(mechanism);
        loop {
            let frame = frames::read(stream, limits, MOST_BYTES)
                .await?
                .ok_or(CLOSED)?;
            // From version 1 of the handshake on, messages are requests; before, they are bare.
            let (message, header) = match version {
                0 => (frame, None),
                _ => authenticate(frame)?,
            };
            let result = self.answer(step, &message).await;
            forget(message);
            if result.is_err() {
                tokio::time::sleep(self.delay).await;
            }
            let (next, reply) = match result {
                Ok(Answer::Next(step, bytes)) => (Ok(Some(step)), Ok(bytes)),
                Ok(Answer::Done(bytes)) => (Ok(None), Ok(bytes)),
                Err(refused) => (Err(REFUSED), Err(refused)),
            };
            match header {
                Some((version, correlation)) => {
                    let reply = encoded(&response(reply).into(), version, correlation)?;
                    frames::write(stream, &reply, limits).await?;
                }
                // Before KIP-152 a failure has no words: the connection just ends.
                None => frames::write(stream, &bare(&reply.map_err(|_| REFUSED)?), limits).await?,
            }
            match next? {
                Some(further) => step = further,
                None => return Ok(()),
            }
        }
    }

    /// Returns the mechanism that the client chose, and in which version it asked.
    async fn handshake(
        &self,
        stream: &mut Stream,
        limits: &Limits,
    ) -> io::Result<(Mechanism, i16)> {
        loop {
            let bytes = frames::read(stream, limits, MOST_BYTES)
                .await?
                .ok_or(CLOSED)?;
            let (incoming, reply) = match decoded(bytes)? {
                Decoded::UnknownApiVersions { correlation } => {
                    let table = api_versions::table();
                    (None, frame::encode_unknown_api_versions(correlation, table))
                }
                Decoded::Request(incoming) => {
                    let response: Response = match &incoming.request {
                        Request::ApiVersions(_) => api_versions::table().into(),
                        Request::SaslHandshake(body) => self.offered(&body.mechanism).into(),
                        _ => return Err(REFUSED.into()),
                    };
                    let reply = encoded(&response, incoming.version, incoming.correlation)?;
                    (Some(incoming), reply)
                }
            };
            frames::write(stream, &reply, limits).await?;
            let Some(Incoming {
                version,
                request: Request::SaslHandshake(body),
                ..
            }) = incoming
            else {
                continue;
            };
            let mechanism = self.mechanism(&body.mechanism).ok_or(REFUSED)?;
            return Ok((mechanism, version));
        }
    }

    fn mechanism(&self, name: &str) -> Option<Mechanism> {
        let mut offered = self.mechanisms.iter();
        offered.find(|mechanism| mechanism.name() == name).copied()
    }

    fn offered(&self, asked: &str) -> SaslHandshakeResponse {
        let error = match self.mechanism(asked) {
            Some(_) => 0,
            None => ResponseError::UnsupportedSaslMechanism.code(),
        };
        let names = self
            .mechanisms
            .iter()
            .map(|mechanism| text(mechanism.name()));
        SaslHandshakeResponse::default()
            .with_error_code(error)
            .with_mechanisms(names.collect())
    }

    async fn answer(&self, step: Step, message: &[u8]) -> Result<Answer, Refused> {
        let hash = match step {
            Step::Waiting(exchange) => {
                let (_, proof) = exchange.last(message)?;
                return Ok(Answer::Done(proof.into_bytes()));
            }
            Step::Start(Mechanism::Plain) => {
                let (user, password) = plain::parse(message)?;
                return match self.check(user, password).await {
                    true => Ok(Answer::Done(Vec::new())),
                    false => Err(Refused::CREDENTIALS),
                };
            }
            Step::Start(Mechanism::ScramSha256) => Hash::Sha256,
            Step::Start(Mechanism::ScramSha512) => Hash::Sha512,
        };
        let nonce = random_letters(NONCE_LETTERS);
        let (exchange, answer) = scram::first(hash, &self.users, message, &nonce)?;
        Ok(Answer::Next(
            Step::Waiting(Box::new(exchange)),
            answer.into_bytes(),
        ))
    }

    async fn check(&self, user: &str, password: &[u8]) -> bool {
        let Ok(_place) = self.hashing.acquire().await else {
            return false;
        };
        let (users, user) = (Arc::clone(&self.users), user.to_owned());
        let mut password = password.to_vec();
        let checked = tokio::task::spawn_blocking(move || {
            let right = users.check(&user, &password);
            password.zeroize();
            right
        });
        checked.await.unwrap_or(false)
    }
}

const CLOSED: io::ErrorKind = io::ErrorKind::UnexpectedEof;
const REFUSED: io::ErrorKind = io::ErrorKind::PermissionDenied;

fn decoded(frame: Bytes) -> io::Result<Decoded> {
    frame::decode(frame).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Returns the message in a SaslAuthenticate request, and what its reply needs.
fn authenticate(frame: Bytes) -> io::Result<(Bytes, Option<(i16, i32)>)> {
    let Decoded::Request(incoming) = decoded(frame)? else {
        return Err(REFUSED.into());
    };
    let header = Some((incoming.version, incoming.correlation));
    match incoming.request {
        Request::SaslAuthenticate(SaslAuthenticateRequest { auth_bytes, .. }) => {
            Ok((auth_bytes, header))
        }
        _ => Err(REFUSED.into()),
    }
}

fn response(reply: Result<Vec<u8>, Refused>) -> SaslAuthenticateResponse {
    let response = SaslAuthenticateResponse::default();
    match reply {
        Ok(bytes) => response.with_auth_bytes(Bytes::from(bytes)),
        Err(Refused(why)) => response
            .with_error_code(ResponseError::SaslAuthenticationFailed.code())
            .with_error_message(Some(text(why))),
    }
}

/// Returns a message with its length in front.
fn bare(message: &[u8]) -> BytesMut {
    let mut frame = BytesMut::with_capacity(4 + message.len());
    frame.put_i32(message.len() as i32);
    frame.put_slice(message);
    frame
}

/// Overwrites what may hold a password, where nobody else has it.
fn forget(message: Bytes) {
    if let Ok(mut bytes) = message.try_into_mut() {
        bytes.zeroize();
    }
}
