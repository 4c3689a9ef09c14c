//! ApiVersions: the table of what this broker supports, no more and no less.

use kafka_protocol::messages::ApiVersionsResponse;
use kafka_protocol::messages::api_versions_response::ApiVersion;

use crate::wire::APIS;

/// Returns the reply to `ApiVersions`.
pub fn table() -> ApiVersionsResponse {
    let rows = APIS.iter().map(|api| {
        ApiVersion::default()
            .with_api_key(api.key)
            .with_min_version(api.oldest)
            .with_max_version(api.newest)
    });
    ApiVersionsResponse::default().with_api_keys(rows.collect())
}
