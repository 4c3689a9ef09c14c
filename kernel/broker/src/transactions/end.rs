//! EndTxn: commit or abort.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{EndTxnRequest, EndTxnResponse, ProducerId};

use super::transaction::{Decision, LAST_EPOCH, ProducerKey, State, Transaction};
use crate::brokers::{Brokers, Call, Millis};

/// From this version on every transaction ends with a new epoch (KIP-890).
const NEW_EPOCHS: i16 = 5;

impl Brokers {
    pub(crate) fn end_txn(
        &mut self,
        now_ms: Millis,
        call: &Call,
        body: EndTxnRequest,
    ) -> EndTxnResponse {
        let response = EndTxnResponse::default()
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1);
        match self.decide(now_ms, call, &body) {
            Ok(successor) if call.version >= NEW_EPOCHS => response
                .with_producer_id(ProducerId(successor.id))
                .with_producer_epoch(successor.epoch),
            Ok(_) => response,
            Err(error) => response.with_error_code(super::told(error, call.version, 2).code()),
        }
    }

    fn decide(
        &mut self,
        now_ms: Millis,
        call: &Call,
        body: &EndTxnRequest,
    ) -> Result<ProducerKey, ResponseError> {
        let id = body.transactional_id.as_str();
        self.check_transactional_id(call, id)?;
        let producer = ProducerKey {
            id: body.producer_id.0,
            epoch: body.producer_epoch,
        };
        let next = &mut self.next_producer_id;
        let mut fresh_id = || super::take_id(next);
        let transaction = self
            .transactions
            .get_mut(id)
            .ok_or(ResponseError::InvalidProducerIdMapping)?;
        let decision = match call.version {
            NEW_EPOCHS.. => transaction.end(producer, body.committed, now_ms, &mut fresh_id)?,
            _ => transaction.end_in_epoch(producer, body.committed, now_ms)?,
        };
        let successor = transaction.successor();
        if decision == Decision::Decided {
            self.finish_transaction(now_ms, id);
        }
        Ok(successor)
    }
}

impl Transaction {
    /// Decides to commit or to abort; the producer keeps its epoch.
    ///
    /// # Errors
    /// `InvalidProducerIdMapping`, `ProducerFenced`, `ConcurrentTransactions` while markers are
    /// missing, `InvalidTxnState` where there is nothing to end, or it ended the other way.
    pub fn end_in_epoch(
        &mut self,
        producer: ProducerKey,
        commit: bool,
        now_ms: Millis,
    ) -> Result<Decision, ResponseError> {
        if self.producer_id != producer.id {
            return Err(ResponseError::InvalidProducerIdMapping);
        }
        if self.epoch != producer.epoch {
            return Err(ResponseError::ProducerFenced);
        }
        match (self.state, commit) {
            (State::Ongoing, _) => {
                self.prepare(commit, now_ms);
                Ok(Decision::Decided)
            }
            (State::CompleteCommit, true) | (State::CompleteAbort, false) => Ok(Decision::Before),
            (State::PrepareCommit, true) | (State::PrepareAbort, false) => {
                Err(ResponseError::ConcurrentTransactions)
            }
            _ => Err(ResponseError::InvalidTxnState),
        }
    }

    /// Decides to commit or to abort; the producer goes on in its next epoch, so that a batch
    /// that comes late can never slip into the transaction after this one.
    ///
    /// # Errors
    /// As `end_in_epoch`. An abort with nothing written is no error: it asks for the next epoch.
    pub fn end(
        &mut self,
        producer: ProducerKey,
        commit: bool,
        now_ms: Millis,
        fresh_id: &mut dyn FnMut() -> i64,
    ) -> Result<Decision, ResponseError> {
        let current = producer.epoch == self.epoch;
        // A repeated request names the epoch, or the producer id, that its first try ended.
        let new_id_unheard = self.previous_producer_id == producer.id
            && producer.epoch == LAST_EPOCH
            && self.epoch == 0;
        let repeated = producer.epoch.checked_add(1) == Some(self.epoch) || new_id_unheard;
        if self.producer_id != producer.id && !new_id_unheard {
            return Err(ResponseError::InvalidProducerIdMapping);
        }
        let valid = match self.state {
            State::Ongoing | State::Empty => current,
            State::PrepareCommit | State::PrepareAbort => repeated,
            State::CompleteCommit | State::CompleteAbort => current || repeated,
        };
        if !valid {
            return Err(ResponseError::ProducerFenced);
        }
        match (self.state, commit) {
            (State::Ongoing, _) => {}
            (State::PrepareCommit, true) | (State::PrepareAbort, false) => {
                return Err(ResponseError::ConcurrentTransactions);
            }
            (State::CompleteCommit, true) | (State::CompleteAbort, false) if repeated => {
                return Ok(Decision::Before);
            }
            (State::Empty, false) => {}
            (State::CompleteCommit | State::CompleteAbort, false) if !repeated => {}
            _ => return Err(ResponseError::InvalidTxnState),
        }
        self.prepare(commit, now_ms);
        self.bump(fresh_id);
        Ok(Decision::Decided)
    }
}
