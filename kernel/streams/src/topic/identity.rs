//! Which topic a name stands for: the id that the cluster gave it when it was created.
//!
//! A topic that was deleted and made again has the same name and other records; its id tells
//! ([KIP-516](https://cwiki.apache.org/confluence/display/KAFKA/KIP-516%3A+Topic+Identifiers)).
//! The Kafka crate has no call for it, so this is librdkafka's own `DescribeTopics`.

use std::ffi::CString;

use rdkafka::bindings as kafka;
use rdkafka::consumer::Consumer as _;

use super::Topic;
use crate::cluster::client::PATIENCE;
use crate::{Error, Result};

/// A queue of librdkafka that is given back when this drops.
struct Queue(*mut kafka::rd_kafka_queue_t);

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: made by `rd_kafka_queue_new`, and destroyed here alone.
        unsafe { kafka::rd_kafka_queue_destroy(self.0) }
    }
}

/// What a topic is at this moment.
pub(crate) struct Identity {
    /// Its id as hexadecimal text; nothing from a broker older than topic ids.
    pub id: Option<String>,
    pub partitions: usize,
}

/// Asks the broker what the topic is.
///
/// # Errors
/// When the topic is not there or the broker does not answer.
pub(crate) fn identity(topic: &Topic) -> Result<Identity> {
    let consumer = topic.cluster.clients.consumer()?;
    let client = consumer.client().native_ptr();
    let name = CString::new(topic.name())
        .map_err(|_| Error::unknown_topic(format!("no topic `{}`", topic.name())))?;
    // SAFETY: the client lives as long as `consumer`, the name as long as this function; the
    // collection is copied by the request and destroyed once.
    let queue = unsafe {
        let queue = Queue(kafka::rd_kafka_queue_new(client));
        let mut names = [name.as_ptr()];
        let asked = kafka::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr().cast(), 1);
        kafka::rd_kafka_DescribeTopics(client, asked, std::ptr::null(), queue.0);
        kafka::rd_kafka_TopicCollection_destroy(asked);
        queue
    };
    // SAFETY: the queue is there; a null event means that time ran out.
    let event = unsafe { kafka::rd_kafka_queue_poll(queue.0, PATIENCE.as_millis() as i32) };
    if event.is_null() {
        return Err(Error::timed_out(format!(
            "the broker does not describe topic `{}`",
            topic.name()
        ))
        .have(format!("no answer after {} s", PATIENCE.as_secs()))
        .hint("cluster.describe()? to see whether it is still there"));
    }
    // SAFETY: everything read here belongs to the event, which is destroyed after the last look.
    let answer = unsafe {
        let answer = read(event);
        kafka::rd_kafka_event_destroy(event);
        answer
    };
    answer.map_err(|why| {
        Error::unknown_topic(format!("no topic `{}`", topic.name()))
            .have(why)
            .hint("cluster.topics()? for those there are")
    })
}

/// Reads the one answer.
///
/// # Safety
/// `event` must be the event of a `DescribeTopics` request.
unsafe fn read(event: *mut kafka::rd_kafka_event_t) -> Result<Identity, String> {
    // SAFETY: by the contract of this function; null is looked for before each use.
    unsafe {
        let code = kafka::rd_kafka_event_error(event);
        if code != kafka::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(rdkafka::error::RDKafkaErrorCode::from(code).to_string());
        }
        let result = kafka::rd_kafka_event_DescribeTopics_result(event);
        let mut count = 0;
        let topics = match result.is_null() {
            true => std::ptr::null_mut(),
            false => kafka::rd_kafka_DescribeTopics_result_topics(result, &mut count),
        };
        if topics.is_null() || count == 0 {
            return Err("an answer without topics".into());
        }
        let topic = *topics;
        let error = kafka::rd_kafka_TopicDescription_error(topic);
        if !error.is_null() {
            let code = kafka::rd_kafka_error_code(error);
            if code != kafka::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                return Err(rdkafka::error::RDKafkaErrorCode::from(code).to_string());
            }
        }
        let mut partitions = 0;
        kafka::rd_kafka_TopicDescription_partitions(topic, &mut partitions);
        let id = kafka::rd_kafka_TopicDescription_topic_id(topic);
        let id = match id.is_null() {
            true => (0, 0),
            false => (
                kafka::rd_kafka_Uuid_most_significant_bits(id) as u64,
                kafka::rd_kafka_Uuid_least_significant_bits(id) as u64,
            ),
        };
        Ok(Identity {
            id: (id != (0, 0)).then(|| format!("{:016x}{:016x}", id.0, id.1)),
            partitions,
        })
    }
}
