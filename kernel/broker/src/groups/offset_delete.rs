//! OffsetDelete: forgets how far a group has read, partition by partition (KIP-496).

use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use kafka_protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse};

use super::assignment;
use super::group::Group;
use crate::brokers::Brokers;

impl Brokers {
    pub(crate) fn offset_delete(&mut self, body: OffsetDeleteRequest) -> OffsetDeleteResponse {
        if let Err(error) = self.check_offset_delete(&body.group_id) {
            return OffsetDeleteResponse::default().with_error_code(error.code());
        }
        let mut topics = Vec::with_capacity(body.topics.len());
        for topic in &body.topics {
            let partitions = topic.partitions.iter().map(|asked| {
                let index = asked.partition_index;
                let result = self.delete_offset(&body.group_id, &topic.name, index);
                OffsetDeleteResponsePartition::default()
                    .with_partition_index(index)
                    .with_error_code(result.err().map_or(0, |error| error.code()))
            });
            topics.push(
                OffsetDeleteResponseTopic::default()
                    .with_partitions(partitions.collect())
                    .with_name(topic.name.clone()),
            );
        }
        OffsetDeleteResponse::default().with_topics(topics)
    }

    fn check_offset_delete(&self, group: &str) -> Result<(), ResponseError> {
        if group.is_empty() {
            return Err(ResponseError::InvalidGroupId);
        }
        let group = self.groups.get(group);
        let group = group.ok_or(ResponseError::GroupIdNotFound)?;
        // What members of another kind of group read is not known here.
        let readable = group.protocol_type.as_deref() == Some("consumer");
        match group.is_empty() || readable {
            true => Ok(()),
            false => Err(ResponseError::NonEmptyGroup),
        }
    }

    fn delete_offset(&mut self, name: &str, topic: &str, index: i32) -> Result<(), ResponseError> {
        if self.topics.partition(topic, index).is_none() {
            return Err(ResponseError::UnknownTopicOrPartition);
        }
        let Some(group) = self.groups.get_mut(name) else {
            return Ok(());
        };
        if group.reads(topic) {
            return Err(ResponseError::GroupSubscribedToTopic);
        }
        group.offsets.remove(&(topic.to_owned(), index));
        for id in self.transactions.forget_staged(name, Some((topic, index))) {
            self.report_transaction(&id);
        }
        Ok(())
    }
}

impl Group {
    /// Returns true where some member subscribed to the topic, as far as they tell.
    fn reads(&self, topic: &str) -> bool {
        if let Some(consumers) = &self.consumer {
            return !consumers.members.is_empty() && consumers.topics.contains_key(topic);
        }
        let protocol = self.protocol.as_deref();
        self.members.values().any(|member| {
            let metadata = match protocol {
                Some(protocol) => member.metadata(protocol),
                None => member
                    .protocols
                    .first()
                    .map_or_else(Default::default, |p| p.1.clone()),
            };
            // A subscription that cannot be read may be to any topic.
            assignment::topics(&metadata).is_none_or(|topics| topics.iter().any(|t| t == topic))
        })
    }
}
