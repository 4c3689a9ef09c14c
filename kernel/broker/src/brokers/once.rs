//! What a request names twice is answered once.
//!
//! Some replies are far larger than their requests: the partitions of a topic, the settings of a
//! broker, the members of a group. A request of a few MiB that names one of them over and over
//! would otherwise be answered with gigabytes.

use std::collections::HashSet;
use std::hash::Hash;

use crate::wire::Request;

/// Returns the request without its repetitions.
pub(super) fn each(request: Request) -> Request {
    match request {
        Request::Metadata(mut body) => {
            if let Some(topics) = &mut body.topics {
                distinct(topics, |topic| (topic.name.clone(), topic.topic_id));
            }
            Request::Metadata(body)
        }
        Request::DescribeConfigs(mut body) => {
            let resources = &mut body.resources;
            distinct(resources, |asked| {
                (asked.resource_type, asked.resource_name.clone())
            });
            Request::DescribeConfigs(body)
        }
        Request::DescribeGroups(mut body) => {
            distinct(&mut body.groups, Clone::clone);
            Request::DescribeGroups(body)
        }
        Request::OffsetFetch(mut body) => {
            distinct(&mut body.groups, |group| group.group_id.clone());
            for topics in body.groups.iter_mut().flat_map(|group| &mut group.topics) {
                distinct(topics, |topic| topic.name.clone());
                topics
                    .iter_mut()
                    .for_each(|topic| distinct(&mut topic.partition_indexes, |&index| index));
            }
            if let Some(topics) = &mut body.topics {
                distinct(topics, |topic| topic.name.clone());
                topics
                    .iter_mut()
                    .for_each(|topic| distinct(&mut topic.partition_indexes, |&index| index));
            }
            Request::OffsetFetch(body)
        }
        other => other,
    }
}

/// Keeps the first of those with the same key.
fn distinct<T, K: Eq + Hash>(all: &mut Vec<T>, key: impl Fn(&T) -> K) {
    if all.len() > 1 {
        let mut seen = HashSet::with_capacity(all.len());
        all.retain(|one| seen.insert(key(one)));
    }
}
