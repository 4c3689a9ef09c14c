//! What a join reads and writes, and the script of exercise E5.

use serde::{Deserialize, Serialize};

/// The two inputs of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// The stream of orders.
    Left,
    /// The prices: a table, or a second stream.
    Right,
}

/// One record, as it arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinRecord {
    pub lane: Lane,
    pub key: String,
    pub value: String,
    /// Event time.
    pub time_s: i64,
    /// When it arrived, by the clock on the wall.
    pub arrived_s: i64,
    /// Where it lay: by a hash of its key in a topic of 12 partitions (left) or 6 (right).
    pub partition: u32,
}

/// One row that a join puts out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct JoinRow {
    pub key: String,
    /// The value from the left.
    pub left: String,
    /// The value from the right; nothing is what SQL calls null.
    pub right: Option<String>,
}

impl JoinRecord {
    pub(super) fn new(
        lane: Lane,
        value: &str,
        key: &str,
        time_s: i64,
        arrived_s: i64,
    ) -> JoinRecord {
        let partitions = match lane {
            Lane::Left => 12,
            Lane::Right => 6,
        };
        JoinRecord {
            lane,
            key: key.to_owned(),
            value: value.to_owned(),
            time_s,
            arrived_s,
            partition: key.bytes().map(u32::from).sum::<u32>() % partitions,
        }
    }
}

impl JoinRow {
    /// Returns the row of a record from the left, with or without one from the right.
    pub fn new(left: &JoinRecord, right: Option<&JoinRecord>) -> JoinRow {
        JoinRow {
            key: left.key.clone(),
            left: left.value.clone(),
            right: right.map(|right| right.value.clone()),
        }
    }

    /// Returns the row in a few letters, for example `o1+p1` or `o7+null`.
    pub(super) fn words(&self) -> String {
        format!("{}+{}", self.left, self.right.as_deref().unwrap_or("null"))
    }
}

/// Returns the 14 records of exercise E5, in the order in which they arrive: orders `o1` to `o9` on the
/// left, prices `p1` to `p5` on the right.
pub fn join_script() -> Vec<JoinRecord> {
    use Lane::{Left, Right};
    let records = [
        (Right, "p1", "tea", 0, 0),
        (Left, "o1", "tea", 4, 5),
        (Left, "o2", "rice", 6, 7),
        (Right, "p2", "rice", 12, 13),
        (Left, "o3", "tea", 15, 16),
        (Right, "p3", "tea", 13, 18),
        (Left, "o4", "rice", 20, 21),
        (Left, "o5", "salt", 22, 23),
        (Left, "o6", "tea", 14, 24),
        (Right, "p4", "salt", 32, 33),
        (Left, "o7", "rice", 31, 34),
        (Right, "p5", "tea", 46, 47),
        (Left, "o8", "tea", 44, 60),
        (Left, "o9", "salt", 47, 61),
    ];
    let records = records.into_iter();
    records
        .map(|(lane, value, key, time_s, arrived_s)| {
            JoinRecord::new(lane, value, key, time_s, arrived_s)
        })
        .collect()
}
