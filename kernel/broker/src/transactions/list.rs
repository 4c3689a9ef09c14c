//! ListTransactions and DescribeTransactions (KIP-664): to find a transaction that holds readers
//! up. The way from a partition to its producer is `brokers::describe_producers`.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_transactions_response::{
    TopicData, TransactionState as DescribedTransaction,
};
use kafka_protocol::messages::list_transactions_response::TransactionState as ListedTransaction;
use kafka_protocol::messages::{
    DescribeTransactionsRequest, DescribeTransactionsResponse, ListTransactionsRequest,
    ListTransactionsResponse, ProducerId, TopicName, TransactionalId,
};

use super::transaction::Transaction;
use crate::brokers::{Brokers, Call, Millis};
use crate::wire::text;

/// The states that a filter may name; two of them never last here.
const STATES: [&str; 8] = [
    "Empty",
    "Ongoing",
    "PrepareCommit",
    "PrepareAbort",
    "CompleteCommit",
    "CompleteAbort",
    "Dead",
    "PrepareEpochFence",
];

impl Brokers {
    pub(crate) fn list_transactions(
        &self,
        now_ms: Millis,
        call: &Call,
        body: ListTransactionsRequest,
    ) -> ListTransactionsResponse {
        let wanted = |transaction: &Transaction| {
            let states = &body.state_filters;
            let state = transaction.state.name();
            let ids = &body.producer_id_filters;
            let old = body.duration_filter < 0
                || (transaction.started_ms >= 0
                    && now_ms - transaction.started_ms > body.duration_filter);
            (states.is_empty() || states.iter().any(|wanted| wanted.as_str() == state))
                && (ids.is_empty() || ids.contains(&ProducerId(transaction.producer_id)))
                && old
        };
        // Tools ask every node and put the answers together.
        let own = |id: &str| self.check_coordinator(call.node, id).is_ok();
        let all = self.transactions.iter();
        let listed = all.filter(|(id, t)| wanted(t) && own(id));
        let listed = listed.map(|(id, transaction)| {
            ListedTransaction::default()
                .with_transactional_id(TransactionalId(text(id)))
                .with_producer_id(ProducerId(transaction.producer_id))
                .with_transaction_state(text(transaction.state.name()))
        });
        let unknown = body.state_filters.iter();
        let unknown = unknown.filter(|name| !STATES.contains(&name.as_str()));
        ListTransactionsResponse::default()
            .with_transaction_states(listed.collect())
            .with_unknown_state_filters(unknown.cloned().collect())
    }

    pub(crate) fn describe_transactions(
        &self,
        call: &Call,
        body: DescribeTransactionsRequest,
    ) -> DescribeTransactionsResponse {
        let described = body.transactional_ids.into_iter().map(|id| {
            let none = DescribedTransaction::default()
                .with_producer_id(ProducerId(-1))
                .with_producer_epoch(-1);
            let checked = self.check_transactional_id(call, &id);
            let found = checked.and_then(|()| {
                let found = self.transactions.get(&id);
                found.ok_or(ResponseError::TransactionalIdNotFound)
            });
            let described = match found {
                Ok(transaction) => described_transaction(transaction),
                Err(error) => none.with_error_code(error.code()),
            };
            described.with_transactional_id(id)
        });
        DescribeTransactionsResponse::default().with_transaction_states(described.collect())
    }
}

fn described_transaction(transaction: &Transaction) -> DescribedTransaction {
    let mut topics: Vec<TopicData> = Vec::new();
    for (topic, partition) in &transaction.partitions {
        match topics.last_mut() {
            Some(last) if last.topic.as_str() == topic => last.partitions.push(*partition),
            _ => topics.push(
                TopicData::default()
                    .with_topic(TopicName(text(topic.as_str())))
                    .with_partitions(vec![*partition]),
            ),
        }
    }
    DescribedTransaction::default()
        .with_transaction_state(text(transaction.state.name()))
        .with_transaction_timeout_ms(transaction.timeout_ms)
        .with_transaction_start_time_ms(transaction.started_ms)
        .with_producer_id(ProducerId(transaction.producer_id))
        .with_producer_epoch(transaction.epoch)
        .with_topics(topics)
}
