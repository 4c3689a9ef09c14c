//! SaslHandshake and SaslAuthenticate that come to the brokers themselves: out of place, since a
//! login happens before (`server/login.rs`), and a server without users wants none.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{SaslAuthenticateResponse, SaslHandshakeResponse};

use crate::wire::text;

pub(super) fn late_handshake() -> SaslHandshakeResponse {
    SaslHandshakeResponse::default().with_error_code(ResponseError::IllegalSaslState.code())
}

pub(super) fn late_authenticate() -> SaslAuthenticateResponse {
    SaslAuthenticateResponse::default()
        .with_error_code(ResponseError::IllegalSaslState.code())
        .with_error_message(Some(text("this connection needs no login, or had one")))
}
