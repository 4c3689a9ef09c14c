//! Frames: from the bytes of one request to the request, and from a reply to its bytes.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{ApiVersionsResponse, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable};

use super::apis::{ApiSpec, Request, Response};
use super::shapes::Walk;

const API_VERSIONS: i16 = 18;
const PRODUCE: i16 = 0;
const FETCH: i16 = 1;
const JOIN_GROUP: i16 = 11;
const SYNC_GROUP: i16 = 14;
/// Only Produce carries records. Everything else fits many times into this, with the longest of
/// names for every partition there may be.
const MOST_BYTES: usize = 16 << 20;
/// A fetch may be kept for as long as its client likes to wait.
const MOST_FETCH_BYTES: usize = 4 << 20;
/// What members say of themselves, and are given, is kept with their group. In Kafka it has to
/// fit into one record.
const MOST_GROUP_BYTES: usize = 1 << 20;

/// A request as it came in.
#[derive(Debug)]
pub struct Incoming {
    pub version: i16,
    pub correlation: i32,
    pub client_id: String,
    pub request: Request,
}

/// A frame that cannot be answered; the connection is closed.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

/// What a frame turned out to be.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // Nearly all frames are requests.
pub enum Decoded {
    Request(Incoming),
    /// `ApiVersions` in a version unknown here: the client is told ours (KIP-511).
    UnknownApiVersions {
        correlation: i32,
    },
}

/// Decodes one frame, without its length.
///
/// # Errors
/// `Malformed` for what is no request, or none that this broker supports.
pub fn decode(mut frame: Bytes) -> Result<Decoded, Malformed> {
    if frame.len() < 8 {
        return Err(Malformed);
    }
    let int16 = |at: usize| i16::from_be_bytes([frame[at], frame[at + 1]]);
    let (key, version) = (int16(0), int16(2));
    let spec = ApiSpec::of(key).ok_or(Malformed)?;
    let most_bytes = match key {
        PRODUCE => usize::MAX,
        FETCH => MOST_FETCH_BYTES,
        JOIN_GROUP | SYNC_GROUP => MOST_GROUP_BYTES,
        _ => MOST_BYTES,
    };
    if frame.len() > most_bytes {
        return Err(Malformed);
    }
    if !spec.supports(version) {
        if key == API_VERSIONS {
            let correlation = frame.slice(4..8).get_i32();
            return Ok(Decoded::UnknownApiVersions { correlation });
        }
        return Err(Malformed);
    }
    let flexible = version >= spec.flexible;
    let header_version = if flexible { 2 } else { 1 };
    let header = RequestHeader::decode(&mut frame, header_version).map_err(|_| Malformed)?;
    Walk::over(&frame, version, flexible)
        .finish(spec.fields())
        .ok_or(Malformed)?;
    let request = Request::decode(key, version, &mut frame).ok_or(Malformed)?;
    Ok(Decoded::Request(Incoming {
        version,
        correlation: header.correlation_id,
        client_id: header.client_id.map_or(String::new(), |id| id.to_string()),
        request,
    }))
}

/// Returns how many bytes the body of a reply takes.
///
/// # Errors
/// As `encode`.
pub fn size(response: &Response, version: i16) -> Result<usize, String> {
    response.size(version)
}

/// Returns the bytes of a reply, with its length in front.
///
/// # Errors
/// Says which field the version cannot carry: a fault of the broker.
pub fn encode(response: &Response, version: i16, correlation: i32) -> Result<BytesMut, String> {
    let mut out = BytesMut::with_capacity(response.size(version)? + 16);
    out.put_i32(0);
    ResponseHeader::default()
        .with_correlation_id(correlation)
        .encode(&mut out, response.header_version(version))
        .map_err(|e| e.to_string())?;
    response.encode(version, &mut out)?;
    let length = i32::try_from(out.len() - 4).map_err(|e| e.to_string())?;
    out[..4].copy_from_slice(&length.to_be_bytes());
    Ok(out)
}

/// Returns the reply to `ApiVersions` in an unknown version: version 0, with our table.
pub fn encode_unknown_api_versions(correlation: i32, table: ApiVersionsResponse) -> BytesMut {
    let error = kafka_protocol::ResponseError::UnsupportedVersion.code();
    let response = Response::ApiVersions(table.with_error_code(error));
    encode(&response, 0, correlation).expect("version 0 carries an error and a table")
}
