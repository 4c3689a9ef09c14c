//! Whole calls of the library's builders, with arguments to write over.

use super::Candidate;

const SNIPPETS: &[(&str, &[&str])] = &[
    ("Cluster", &["topic(\"events\", partitions(3))?"]),
    (
        "Replay",
        &[
            "event_time(\"time\")",
            "arrival(\"arrived\")",
            "between(\"2013-02-08\", \"2013-02-10\")",
            "speed(3600.0)",
        ],
    ),
    (
        "Stream",
        &[
            "watermark(\"time\", minutes(10))",
            "group_by([\"key\"])",
            "window(Tumbling::of(minutes(30)))",
            "window(Hopping::of(minutes(30)).every(minutes(10)))",
            "agg([len().alias(\"count\"), col(\"value\").mean().alias(\"mean\")])?",
            "filter(col(\"value\").gt(lit(0)))",
        ],
    ),
    (
        "Query",
        &[
            "chart(Chart::line(\"window_start\", \"count\")).start()?",
            "output(Update)",
            "run_local(&frame)?",
        ],
    ),
    (
        "Chart",
        &[
            "by(\"key\")",
            "title(\"Title\")",
            "y(\"unit\")",
            "last(minutes(30))",
        ],
    ),
];

/// Returns the calls that a builder of this type goes on with.
pub fn for_type(name: &str) -> Vec<Candidate> {
    let known = SNIPPETS.iter().find(|(of, _)| *of == name);
    let calls = known.into_iter().flat_map(|(_, calls)| *calls);
    calls
        .map(|call| Candidate::new(*call, "snippet", "", 1))
        .collect()
}
