//! What requests usually hold, so that most of them get past the first check of what they ask.

/// Requests that the others are about.
pub const BUSY: &[i16] = &[
    0, 0, 0, 1, 1, 2, 8, 8, 9, 11, 11, 11, 12, 13, 14, 14, 14, 15, 21, 22,
];

/// For each kind of request a value for every field of its shape, in order; `a|b` is either.
/// `heard` is a member that an earlier reply named, `id` a topic's id, `data` a batch.
const USUAL: &[(i16, &str)] = &[
    (0, "null -1|-1|1|0 1000 flights|flights|weather 0 data"),
    (
        1,
        "-1 500 1 1000000 0|1 0 -1 flights id 0 -1 0|0|1 -1 -1 1000000 flights id 0 empty",
    ),
    (2, "-1 0 flights 0 -1 -1|-2|-3|0|1000"),
    (
        8,
        "dashboard|reader -1|-1|1|2 empty|empty|heard null|null|one -1 flights 0 1 -1 empty",
    ),
    (
        9,
        "dashboard|reader flights 0 dashboard|reader null|heard -1|1 flights 0 0|1",
    ),
    (10, "dashboard 0|1 dashboard"),
    (
        11,
        "dashboard 10000 10000 empty|heard|heard null|null|one consumer range data null",
    ),
    (12, "dashboard 1|2|3 heard null|null|one"),
    (13, "dashboard heard heard null|null|one null"),
    (
        14,
        "dashboard 1|2|3 heard null|null|one consumer range heard data",
    ),
    (15, "dashboard 0"),
    (
        19,
        "trips|trips|flights 1|3 1|2|3 0 1 retention.ms|segment.bytes|message.timestamp.type 1000|100|LogAppendTime 1000 0",
    ),
    (20, "trips|flights id trips|flights 1000"),
    (21, "flights 0 1|-1|0 1000"),
    (22, "null|null|one 60000 -1 -1"),
    (23, "-1 flights 0 -1|0 0"),
    (32, "2|4 flights|1 retention.ms 1 1"),
    (
        33,
        "2 flights|weather retention.ms|segment.bytes|cleanup.policy|message.timestamp.type 1000|100|compact|LogAppendTime 0",
    ),
    (37, "flights|weather 2|3 1 1000 0"),
    (42, "dashboard|reader"),
    (
        44,
        "2 flights|weather retention.ms|segment.bytes|cleanup.policy|message.timestamp.type 0 1000|100|compact|LogAppendTime 0",
    ),
];

/// Returns the usual values of the fields of a request.
pub fn fields_of(key: i16) -> Vec<&'static str> {
    let known = USUAL.iter().find(|(known, _)| *known == key);
    known.map_or(Vec::new(), |(_, words)| words.split_whitespace().collect())
}
