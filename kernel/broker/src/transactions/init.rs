//! InitProducerId: an id and an epoch for an idempotent or a transactional producer.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{InitProducerIdRequest, InitProducerIdResponse, ProducerId};

use super::transaction::{ProducerKey, State, Transaction};
use crate::brokers::{Brokers, Call, Millis};

impl Brokers {
    pub(crate) fn init_producer_id(
        &mut self,
        now_ms: Millis,
        call: &Call,
        body: InitProducerIdRequest,
    ) -> InitProducerIdResponse {
        let (producer, code) = match self.give_producer_id(now_ms, call, &body) {
            Ok(producer) => (producer, 0),
            Err(error) => {
                let none = ProducerKey { id: -1, epoch: -1 };
                (none, super::told(error, call.version, 4).code())
            }
        };
        InitProducerIdResponse::default()
            .with_producer_id(ProducerId(producer.id))
            .with_producer_epoch(producer.epoch)
            .with_error_code(code)
    }

    fn give_producer_id(
        &mut self,
        now_ms: Millis,
        call: &Call,
        body: &InitProducerIdRequest,
    ) -> Result<ProducerKey, ResponseError> {
        let known = match (body.producer_id.0, body.producer_epoch) {
            _ if call.version < 3 => None,
            (-1, -1) => None,
            (-1, _) | (_, -1) => return Err(ResponseError::InvalidRequest),
            (id, epoch) => Some(ProducerKey { id, epoch }),
        };
        let Some(id) = &body.transactional_id else {
            // Without a transactional id nobody has to be fenced: a new id does for any caller.
            let id = super::take_id(&mut self.next_producer_id);
            return Ok(ProducerKey { id, epoch: 0 });
        };
        self.check_transactional_id(call, id)?;
        let timeout_ms = body.transaction_timeout_ms;
        if timeout_ms <= 0 || timeout_ms > self.settings.transaction_max_timeout_ms {
            return Err(ResponseError::InvalidTransactionTimeout);
        }
        if self.transactions.get(id).is_none() {
            let producer_id = super::take_id(&mut self.next_producer_id);
            let new = Transaction::new(producer_id, timeout_ms, now_ms);
            self.transactions.by_id.insert(id.to_string(), new);
        }
        let next = &mut self.next_producer_id;
        let transaction = self
            .transactions
            .get_mut(id)
            .expect("there, or made just now");
        let open = transaction.state == State::Ongoing;
        let given = transaction.init(known, timeout_ms, now_ms, || super::take_id(next));
        if open && given == Err(ResponseError::ConcurrentTransactions) {
            // The transaction of the producer before is aborted; the new one asks again, and
            // gets an epoch that nobody has had.
            self.fence_transaction(now_ms, id);
        } else {
            self.report_transaction(id);
        }
        given
    }
}
