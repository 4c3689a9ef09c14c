//! Reads what members tell each other: which topics one wants, and what the leader gave it. The
//! broker passes both on as they are; it looks only where somebody asks.

use crate::description::TopicPartition;

/// Returns the partitions in a `ConsumerProtocolAssignment`, or nothing where it is none.
pub fn partitions(assignment: &[u8]) -> Option<Vec<TopicPartition>> {
    let mut rest = assignment;
    take(&mut rest, 2)?;
    let topics = int32(&mut rest)?;
    let mut partitions = Vec::new();
    for _ in 0..topics {
        let name = take(&mut rest, 2)?;
        let size = usize::from(u16::from_be_bytes([name[0], name[1]]));
        let topic = std::str::from_utf8(take(&mut rest, size)?).ok()?;
        for _ in 0..int32(&mut rest)? {
            partitions.push(TopicPartition {
                topic: topic.to_owned(),
                partition: int32(&mut rest)?,
            });
        }
    }
    partitions.sort();
    Some(partitions)
}

/// Returns the topics in a `ConsumerProtocolSubscription`, or nothing where it is none.
pub fn topics(subscription: &[u8]) -> Option<Vec<String>> {
    let mut rest = subscription;
    take(&mut rest, 2)?;
    let mut topics = Vec::new();
    for _ in 0..int32(&mut rest)? {
        let name = take(&mut rest, 2)?;
        let size = usize::from(u16::from_be_bytes([name[0], name[1]]));
        let topic = std::str::from_utf8(take(&mut rest, size)?).ok()?;
        topics.push(topic.to_owned());
    }
    Some(topics)
}

fn int32(rest: &mut &[u8]) -> Option<i32> {
    let bytes = take(rest, 4)?;
    Some(i32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

fn take<'a>(rest: &mut &'a [u8], size: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(size)?;
    *rest = left;
    Some(taken)
}
