//! Cells have the names of Polars and ours in scope: a name of both would be an error in a cell.

/// Mentions the names of our prelude where those of Polars are in scope too. Where one stands in both,
/// this does not compile.
mod in_scope {
    #[allow(unused_imports)]
    use headwater_streams::prelude::*;
    #[allow(unused_imports)]
    use polars::prelude::*;

    mod mentioned {
        #[allow(unused_imports)]
        use super::{
            Append, Batch, BatchProgress, BatchRun, Batches, Chart, Cluster, Complete, EachBatch,
            Earliest, Feed, Folder, FrameSink, Generator, Happening, Hopping, HttpLines, Job,
            JobRun, JoinBatches, JoinKind, JoinRun, KTable, Keyed, Latest, Live, LiveChart, Node,
            Nodes, Parquet, Partitions, Pattern, PatternRun, Picture, Postgres, Process,
            ProcessRun, Progress, Query, Registry, Replay, ReplayRun, Session, Show, Since, Sqlite,
            Stream, StreamJoin, TestRun, Topic, TopicSink, Tumbling, Update, WindowSpec,
            approx_distinct, approx_quantile, collect_distinct, dataset, days, hours, minutes,
            nodes, partitions, seconds, show, shrink,
        };
    }
}

#[test]
fn every_name_of_the_prelude_is_ours_alone() {
    let prelude = include_str!("../../src/prelude.rs");
    let names = prelude
        .lines()
        .filter(|line| !line.starts_with("//"))
        .flat_map(|line| {
            line.split(|c: char| !c.is_alphanumeric() && c != '_')
                .filter(|name| !name.is_empty())
        });
    let known = ["pub", "use", "crate", "self", "OutputMode", "Position"];
    for name in names.filter(|name| !known.contains(name)) {
        let mentioned = include_str!("names.rs").split(|c: char| !c.is_alphanumeric() && c != '_');
        assert!(
            mentioned.clone().any(|there| there == name),
            "mention `{name}` in names.rs too"
        );
    }
}
