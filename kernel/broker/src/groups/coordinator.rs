//! FindCoordinator: which broker looks after a group.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{BrokerId, FindCoordinatorRequest, FindCoordinatorResponse};

use crate::brokers::{Brokers, Call};
use crate::wire::text;

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

impl Brokers {
    pub(crate) fn find_coordinator(
        &self,
        call: &Call,
        body: FindCoordinatorRequest,
    ) -> FindCoordinatorResponse {
        let node = &self.nodes[0];
        let known = matches!(body.key_type, GROUP | TRANSACTION);
        if call.version >= 4 {
            let coordinators = body.coordinator_keys.into_iter().map(|key| {
                let coordinator = Coordinator::default().with_key(key);
                match known {
                    true => coordinator
                        .with_node_id(BrokerId(node.id))
                        .with_host(text(node.host.as_str()))
                        .with_port(i32::from(node.port)),
                    false => coordinator
                        .with_node_id(BrokerId(-1))
                        .with_port(-1)
                        .with_error_code(ResponseError::InvalidRequest.code()),
                }
            });
            return FindCoordinatorResponse::default().with_coordinators(coordinators.collect());
        }
        if !known {
            return FindCoordinatorResponse::default()
                .with_error_code(ResponseError::InvalidRequest.code())
                .with_node_id(BrokerId(-1))
                .with_port(-1);
        }
        FindCoordinatorResponse::default()
            .with_node_id(BrokerId(node.id))
            .with_host(text(node.host.as_str()))
            .with_port(i32::from(node.port))
    }
}
