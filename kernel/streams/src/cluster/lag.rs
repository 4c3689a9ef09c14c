//! How far a consumer group is behind.

use polars::prelude::DataFrame;
use rdkafka::consumer::Consumer as _;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::client;
use crate::Result;

/// Returns one row for every partition that the group has committed.
pub(crate) fn lag(bootstrap: &str, group: &str) -> Result<DataFrame> {
    let consumer = client::consumer(bootstrap, Some(group))?;
    let metadata = consumer.fetch_metadata(None, client::PATIENCE)?;
    let mut asked = TopicPartitionList::new();
    for topic in metadata
        .topics()
        .iter()
        .filter(|topic| !topic.name().starts_with("__"))
    {
        for partition in topic.partitions() {
            asked.add_partition(topic.name(), partition.id());
        }
    }
    let mut rows: Vec<(String, i32, i64, i64)> = Vec::new();
    if asked.count() > 0 {
        for element in consumer
            .committed_offsets(asked, client::PATIENCE)?
            .elements()
        {
            if let Offset::Offset(committed) = element.offset() {
                let (_, end) = client::watermarks(&consumer, element.topic(), element.partition())?;
                rows.push((
                    element.topic().to_owned(),
                    element.partition(),
                    committed,
                    end,
                ));
            }
        }
    }
    rows.sort();
    Ok(polars::df!(
        "topic" => rows.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(),
        "partition" => rows.iter().map(|row| row.1).collect::<Vec<_>>(),
        "committed" => rows.iter().map(|row| row.2).collect::<Vec<_>>(),
        "end" => rows.iter().map(|row| row.3).collect::<Vec<_>>(),
        "lag_records" => rows.iter().map(|row| row.3 - row.2).collect::<Vec<_>>(),
    )?)
}
