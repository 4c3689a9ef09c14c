//! InitProducerId: an id and an epoch for an idempotent producer.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{InitProducerIdRequest, InitProducerIdResponse, ProducerId};

use super::Brokers;

impl Brokers {
    pub(super) fn init_producer_id(
        &mut self,
        body: InitProducerIdRequest,
    ) -> InitProducerIdResponse {
        let none = InitProducerIdResponse::default()
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1);
        if body.transactional_id.is_some() {
            // Transactions are not in yet, and no request of theirs is announced.
            return none.with_error_code(ResponseError::InvalidRequest.code());
        }
        // A producer that lost its place keeps its id and fences its own past (KIP-360).
        let (id, epoch) = match (body.producer_id.0, body.producer_epoch) {
            (id, epoch) if id >= 0 && (0..i16::MAX - 1).contains(&epoch) => (id, epoch + 1),
            _ => (self.next_producer_id(), 0),
        };
        InitProducerIdResponse::default()
            .with_producer_id(ProducerId(id))
            .with_producer_epoch(epoch)
    }
}
