//! ApiVersions: the table of what this broker supports, no more and no less.

use kafka_protocol::messages::ApiVersionsResponse;
use kafka_protocol::messages::api_versions_response::{
    ApiVersion, FinalizedFeatureKey, SupportedFeatureKey,
};

use crate::wire::{APIS, text};

/// With level 2, clients that know KIP-890 leave AddPartitionsToTxn to the broker and get a new
/// epoch with every transaction.
const TRANSACTION_VERSION: (&str, i16) = ("transaction.version", 2);

/// Returns the reply to `ApiVersions`.
pub fn table() -> ApiVersionsResponse {
    let rows = APIS.iter().map(|api| {
        ApiVersion::default()
            .with_api_key(api.key)
            .with_min_version(api.oldest)
            .with_max_version(api.newest)
    });
    let (name, level) = TRANSACTION_VERSION;
    let supported = SupportedFeatureKey::default()
        .with_name(text(name))
        .with_min_version(1)
        .with_max_version(level);
    let finalized = FinalizedFeatureKey::default()
        .with_name(text(name))
        .with_min_version_level(level)
        .with_max_version_level(level);
    ApiVersionsResponse::default()
        .with_api_keys(rows.collect())
        .with_supported_features(vec![supported])
        .with_finalized_features(vec![finalized])
        .with_finalized_features_epoch(0)
}
