//! FindCoordinator: which broker looks after a group.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{BrokerId, FindCoordinatorRequest, FindCoordinatorResponse};

use crate::brokers::{Brokers, Call, Node};
use crate::wire::text;

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

impl Brokers {
    pub(crate) fn find_coordinator(
        &self,
        call: &Call,
        body: FindCoordinatorRequest,
    ) -> FindCoordinatorResponse {
        let known = matches!(body.key_type, GROUP | TRANSACTION);
        let find = |key: &str| match known {
            true => self.reachable_coordinator(call.node, key),
            false => Err(ResponseError::InvalidRequest),
        };
        if call.version >= 4 {
            let coordinators = body.coordinator_keys.into_iter().map(|key| {
                let found = find(&key);
                let coordinator = Coordinator::default().with_key(key);
                match found {
                    Ok(node) => coordinator
                        .with_node_id(BrokerId(node.id))
                        .with_host(text(node.host.as_str()))
                        .with_port(i32::from(node.port)),
                    Err(error) => coordinator
                        .with_node_id(BrokerId(-1))
                        .with_port(-1)
                        .with_error_code(error.code()),
                }
            });
            return FindCoordinatorResponse::default().with_coordinators(coordinators.collect());
        }
        match find(&body.key) {
            Ok(node) => FindCoordinatorResponse::default()
                .with_node_id(BrokerId(node.id))
                .with_host(text(node.host.as_str()))
                .with_port(i32::from(node.port)),
            Err(error) => FindCoordinatorResponse::default()
                .with_error_code(error.code())
                .with_node_id(BrokerId(-1))
                .with_port(-1),
        }
    }

    /// Returns the coordinator of a key as far as `asked` can know it.
    fn reachable_coordinator(&self, asked: i32, key: &str) -> Result<&Node, ResponseError> {
        let unknown = ResponseError::CoordinatorNotAvailable;
        if self.is_cut_off(asked) {
            return Err(unknown);
        }
        let id = self.coordinator_of(key).ok_or(unknown)?;
        self.nodes.iter().find(|node| node.id == id).ok_or(unknown)
    }
}
