//! The requests this broker answers: one line for each, with the versions it supports.
//!
//! `ApiVersions` announces exactly this table; nothing outside of it is decoded.

use std::sync::LazyLock;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion};

use super::shapes::{self, Field};

/// What is known of one kind of request.
#[derive(Debug)]
pub struct ApiSpec {
    pub name: &'static str,
    pub key: i16,
    pub oldest: i16,
    pub newest: i16,
    /// The first version with compact lengths and tagged fields.
    pub flexible: i16,
    pub shape: &'static str,
}

macro_rules! apis {
    ($($name:ident $key:literal, versions $oldest:literal - $newest:literal, flexible $flexible:literal, $shape:literal, $request:ident, $response:ident;)*) => {
        /// All kinds of requests, in the order of their keys.
        pub const APIS: &[ApiSpec] = &[$(ApiSpec {
            name: stringify!($name), key: $key, oldest: $oldest, newest: $newest, flexible: $flexible, shape: $shape,
        }),*];

        /// A decoded request.
        #[derive(Debug, Clone)]
        #[allow(clippy::large_enum_variant)] // Moved once or twice a request; a box costs as much.
        pub enum Request { $($name($request)),* }

        /// A reply before it is encoded.
        #[derive(Debug, Clone)]
        #[allow(clippy::large_enum_variant)]
        pub enum Response { $($name($response)),* }

        impl Request {
            /// Returns the key under which the protocol knows this request.
            pub fn key(&self) -> i16 {
                match self { $(Request::$name(_) => $key),* }
            }

            /// Decodes the body of a request. Walk over it first: the decoder believes lengths.
            pub fn decode(key: i16, version: i16, body: &mut Bytes) -> Option<Request> {
                match key {
                    $($key => $request::decode(body, version).ok().map(Request::$name),)*
                    _ => None,
                }
            }

            /// Returns true for requests that a node passes on to the controller.
            pub fn is_for_controller(&self) -> bool {
                matches!(
                    self,
                    Request::CreateTopics(_)
                        | Request::DeleteTopics(_)
                        | Request::CreatePartitions(_)
                        | Request::AlterConfigs(_)
                        | Request::IncrementalAlterConfigs(_)
                        | Request::ElectLeaders(_)
                ) || matches!(self, Request::InitProducerId(body) if body.transactional_id.is_none())
            }

            /// Returns every request there is, with nothing in it.
            pub fn empty_ones() -> Vec<Request> {
                vec![$(Request::$name($request::default())),*]
            }
        }

        impl Response {
            /// Returns the key of the request that this answers.
            pub fn key(&self) -> i16 {
                match self { $(Response::$name(_) => $key),* }
            }

            /// Returns the version of the header that goes before this reply.
            pub(super) fn header_version(&self, version: i16) -> i16 {
                match self { $(Response::$name(_) => $response::header_version(version)),* }
            }

            /// Returns the bytes that `encode` will write.
            pub(super) fn size(&self, version: i16) -> Result<usize, String> {
                match self { $(Response::$name(body) => body.compute_size(version).map_err(|e| e.to_string())),* }
            }

            /// Writes the body of the reply.
            pub(super) fn encode(&self, version: i16, into: &mut BytesMut) -> Result<(), String> {
                match self { $(Response::$name(body) => body.encode(into, version).map_err(|e| e.to_string())),* }
            }
        }

        $(impl From<$response> for Response {
            fn from(body: $response) -> Response { Response::$name(body) }
        })*
    };
}

apis! {
    Produce 0, versions 3 - 12, flexible 9, "s h i [ s [ i d ] ]", ProduceRequest, ProduceResponse;
    Fetch 1, versions 4 - 16, flexible 12,
        "i0-14 i i i b i7+ i7+ [ s0-12 u13+ [ i i9+ l i12+ l5+ i ] ] [7+ s0-12 u13+ *i ] s11+", FetchRequest, FetchResponse;
    ListOffsets 2, versions 1 - 8, flexible 6, "i b2+ [ s [ i i4+ l ] ]", ListOffsetsRequest, ListOffsetsResponse;
    Metadata 3, versions 0 - 13, flexible 9, "[ u10+ s ] b4+ b8-10 b8+", MetadataRequest, MetadataResponse;
    OffsetCommit 8, versions 2 - 9, flexible 8, "s i s s7+ l2-4 [ s [ i l i6+ s ] ]", OffsetCommitRequest, OffsetCommitResponse;
    OffsetFetch 9, versions 1 - 9, flexible 6,
        "s0-7 [0-7 s *i ] [8+ s s9+ i9+ [ s *i ] ] b7+", OffsetFetchRequest, OffsetFetchResponse;
    FindCoordinator 10, versions 0 - 6, flexible 3, "s0-3 b1+ *s4+", FindCoordinatorRequest, FindCoordinatorResponse;
    JoinGroup 11, versions 0 - 9, flexible 6, "s i i1+ s s5+ s [ s d ] s8+", JoinGroupRequest, JoinGroupResponse;
    Heartbeat 12, versions 0 - 4, flexible 4, "s i s s3+", HeartbeatRequest, HeartbeatResponse;
    LeaveGroup 13, versions 0 - 5, flexible 4, "s s0-2 [3+ s s s5+ ]", LeaveGroupRequest, LeaveGroupResponse;
    SyncGroup 14, versions 0 - 5, flexible 4, "s i s s3+ s5+ s5+ [ s d ]", SyncGroupRequest, SyncGroupResponse;
    DescribeGroups 15, versions 0 - 6, flexible 5, "*s b3+", DescribeGroupsRequest, DescribeGroupsResponse;
    ListGroups 16, versions 0 - 5, flexible 3, "*s4+ *s5+", ListGroupsRequest, ListGroupsResponse;
    SaslHandshake 17, versions 0 - 1, flexible 32767, "s", SaslHandshakeRequest, SaslHandshakeResponse;
    ApiVersions 18, versions 0 - 4, flexible 3, "s3+ s3+", ApiVersionsRequest, ApiVersionsResponse;
    CreateTopics 19, versions 2 - 7, flexible 5, "[ s i h [ i *i ] [ s s ] ] i b", CreateTopicsRequest, CreateTopicsResponse;
    DeleteTopics 20, versions 1 - 6, flexible 4, "[6+ s u ] *s0-5 i", DeleteTopicsRequest, DeleteTopicsResponse;
    DeleteRecords 21, versions 0 - 2, flexible 2, "[ s [ i l ] ] i", DeleteRecordsRequest, DeleteRecordsResponse;
    InitProducerId 22, versions 0 - 5, flexible 2, "s i l3+ h3+", InitProducerIdRequest, InitProducerIdResponse;
    OffsetForLeaderEpoch 23, versions 2 - 4, flexible 4, "i3+ [ s [ i i i ] ]", OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse;
    AddPartitionsToTxn 24, versions 0 - 5, flexible 3,
        "[4+ s l h b [ s *i ] ] s0-3 l0-3 h0-3 [0-3 s *i ]", AddPartitionsToTxnRequest, AddPartitionsToTxnResponse;
    AddOffsetsToTxn 25, versions 0 - 4, flexible 3, "s l h s", AddOffsetsToTxnRequest, AddOffsetsToTxnResponse;
    EndTxn 26, versions 0 - 5, flexible 3, "s l h b", EndTxnRequest, EndTxnResponse;
    WriteTxnMarkers 27, versions 1 - 1, flexible 1, "[ l h b [ s *i ] i ]", WriteTxnMarkersRequest, WriteTxnMarkersResponse;
    TxnOffsetCommit 28, versions 0 - 5, flexible 3,
        "s s l h i3+ s3+ s3+ [ s [ i l i2+ s ] ]", TxnOffsetCommitRequest, TxnOffsetCommitResponse;
    DescribeConfigs 32, versions 1 - 4, flexible 4, "[ b s *s ] b b3+", DescribeConfigsRequest, DescribeConfigsResponse;
    AlterConfigs 33, versions 0 - 2, flexible 2, "[ b s [ s s ] ] b", AlterConfigsRequest, AlterConfigsResponse;
    SaslAuthenticate 36, versions 0 - 2, flexible 2, "d", SaslAuthenticateRequest, SaslAuthenticateResponse;
    CreatePartitions 37, versions 0 - 3, flexible 2, "[ s i [ *i ] ] i b", CreatePartitionsRequest, CreatePartitionsResponse;
    DeleteGroups 42, versions 0 - 2, flexible 2, "*s", DeleteGroupsRequest, DeleteGroupsResponse;
    ElectLeaders 43, versions 0 - 2, flexible 2, "b1+ [ s *i ] i", ElectLeadersRequest, ElectLeadersResponse;
    IncrementalAlterConfigs 44, versions 0 - 1, flexible 1, "[ b s [ s b s ] ] b",
        IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse;
    OffsetDelete 47, versions 0 - 0, flexible 32767, "s [ s [ i ] ]", OffsetDeleteRequest, OffsetDeleteResponse;
    DescribeCluster 60, versions 0 - 2, flexible 0, "b b1+ b2+", DescribeClusterRequest, DescribeClusterResponse;
    DescribeProducers 61, versions 0 - 0, flexible 0, "[ s *i ]", DescribeProducersRequest, DescribeProducersResponse;
    DescribeTransactions 65, versions 0 - 0, flexible 0, "*s", DescribeTransactionsRequest, DescribeTransactionsResponse;
    ListTransactions 66, versions 0 - 1, flexible 0, "*s *l l1+", ListTransactionsRequest, ListTransactionsResponse;
    ConsumerGroupHeartbeat 68, versions 0 - 1, flexible 0, "s s i s s i *s s1+ s [ u *i ]",
        ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse;
    ConsumerGroupDescribe 69, versions 0 - 1, flexible 0, "*s b", ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse;
    DescribeTopicPartitions 75, versions 0 - 0, flexible 0, "[ s ] i ( s i )", DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse;
}

impl ApiSpec {
    /// Returns what is known of the request with this key.
    pub fn of(key: i16) -> Option<&'static ApiSpec> {
        APIS.iter().find(|api| api.key == key)
    }

    /// Returns true where this version can be answered.
    pub fn supports(&self, version: i16) -> bool {
        (self.oldest..=self.newest).contains(&version)
    }

    /// Returns the fields of the request.
    pub fn fields(&self) -> &'static [Field] {
        static SHAPES: LazyLock<Vec<(i16, Vec<Field>)>> = LazyLock::new(|| {
            APIS.iter()
                .map(|api| (api.key, shapes::parse(api.shape)))
                .collect()
        });
        let known = SHAPES.iter().find(|(key, _)| *key == self.key);
        &known.expect("there is a shape for every request").1
    }
}
