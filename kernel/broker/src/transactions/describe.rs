//! Transactions described for people.

use super::Transactions;
use crate::description::{TopicPartition, TransactionDescription};

impl Transactions {
    pub(crate) fn describe(&self) -> Vec<TransactionDescription> {
        let described = self.iter().map(|(id, transaction)| TransactionDescription {
            transactional_id: id.to_owned(),
            state: transaction.state.name().to_owned(),
            producer_id: transaction.producer_id,
            epoch: transaction.epoch,
            partitions: transaction
                .partitions
                .iter()
                .map(|(topic, partition)| TopicPartition {
                    topic: topic.clone(),
                    partition: *partition,
                })
                .collect(),
            groups: transaction.groups.keys().cloned().collect(),
            started_ms: transaction.started_ms,
            timeout_ms: transaction.timeout_ms,
        });
        described.collect()
    }
}
