//! The labs of lesson 5.3, through real clients and the embedded broker.

use std::time::Duration;

use headwater_course::lesson_5_3::{GroupLab, Till, both_readers, crash_matrix};
use headwater_streams::prelude::*;
use polars::prelude::{DataFrame, IntoLazy, col};

#[test]
fn crash_matrix_loses_doubles_or_neither_by_the_policy() {
    let matrix = crash_matrix(53).expect("a matrix");
    assert_eq!(matrix, crash_matrix(53).expect("a matrix"), "seeded");
    assert_eq!(matrix.height(), 28);
    let sums = matrix.lazy().group_by_stable([col("policy")]);
    let sums = sums
        .agg([col("lost").sum(), col("doubled").sum()])
        .collect();
    let sums = sums.expect("sums");
    let sum = |column: &str| -> Vec<bool> {
        let column = sums.column(column).expect("a column");
        column
            .u64()
            .expect("counts")
            .iter()
            .flatten()
            .map(|count| count > 0)
            .collect()
    };
    // Commit first, process first, by timer, in a transaction.
    assert_eq!(sum("lost"), [true, false, true, false]);
    assert_eq!(sum("doubled"), [false, true, true, false]);
}

fn flags(frame: &DataFrame, column: &str) -> Vec<bool> {
    let column = frame.column(column).expect("a column");
    column.bool().expect("flags").iter().flatten().collect()
}

#[test]
fn zombie_is_fenced_and_its_sale_is_never_seen() {
    let cluster = Cluster::embedded().expect("a cluster");
    let sales = cluster.topic("lab-sales", partitions(1)).expect("a topic");
    sales.clear().expect("empty");
    let old = Till::start(&cluster, "lab-till").expect("a till");
    old.begin().expect("begun");
    old.sell(&sales, "tea").expect("sold");
    old.commit().expect("committed");
    old.begin().expect("begun");
    old.sell(&sales, "zombie coffee").expect("sold");
    let open = both_readers(&cluster, &sales).expect("rows");
    assert_eq!(flags(&open, "read_uncommitted"), [true, false, true]);
    assert_eq!(flags(&open, "read_committed"), [true, false, false]);
    let new = Till::start(&cluster, "lab-till").expect("a till");
    new.begin().expect("begun");
    new.sell(&sales, "cake").expect("sold");
    new.commit().expect("committed");
    let error = old.commit().expect_err("it is fenced").to_string();
    let again = old.begin().expect_err("it stays fenced").to_string();
    assert!(again.to_lowercase().contains("fenced"), "{again}");
    for told in [&error, &again] {
        assert!(
            told.contains("a newer process has its transactional id"),
            "{told}"
        );
    }
    let after = both_readers(&cluster, &sales).expect("rows");
    assert_eq!(
        flags(&after, "read_committed"),
        [true, false, false, false, true, false]
    );
    assert_eq!(
        flags(&after, "read_uncommitted"),
        [true, false, true, false, true, false]
    );
    assert!(error.to_lowercase().contains("fenced"), "{error}");
}

#[test]
fn lab_says_who_can_be_killed_and_who_is_there() {
    let cluster = Cluster::embedded().expect("a cluster");
    let topic = cluster.topic("lab-errors", partitions(1)).expect("a topic");
    let lab = GroupLab::open(&cluster, &topic).expect("a lab");
    lab.join().expect("a member");
    let said =
        |result: headwater_streams::Result<()>| result.expect_err("no such thing").to_string();
    let dynamic = said(lab.kill("A"));
    assert!(dynamic.contains("lab.join_static()?"), "{dynamic}");
    let nobody = said(lab.leave("Z"));
    assert!(
        nobody.contains("members: A") && nobody.contains("lab.join()?"),
        "{nobody}"
    );
    lab.leave("A").expect("it leaves");
    lab.stop().expect("stopped");
    lab.stop().expect("a second time");
    let stopped = said(lab.join());
    assert!(stopped.contains("GroupLab::open("), "{stopped}");
}

#[test]
fn cooperative_members_keep_what_does_not_move_and_nothing_is_lost() {
    let cluster = Cluster::embedded().expect("a cluster");
    let topic = cluster.topic("lab-group", partitions(6)).expect("a topic");
    let lab = GroupLab::open(&cluster, &topic).expect("a lab");
    for second in 0..22 {
        match second {
            0 | 7 => lab.join().expect("a member"),
            3 => lab.join_static().expect("a member"),
            11 => lab.kill("B").expect("killed"),
            _ => {}
        }
        lab.run(Duration::from_secs(1)).expect("takes");
    }
    lab.stop().expect("stopped");
    let account = lab.account().expect("an account");
    let count = |column: &str| -> Vec<i64> {
        let column = account.column(column).expect("a column");
        column.i64().expect("counts").iter().flatten().collect()
    };
    assert!(
        count("sent").iter().all(|sent| *sent > 1_000),
        "{account:?}"
    );
    assert_eq!(count("not_taken"), [0, 0], "{account:?}");
    let costs = lab.costs().expect("costs");
    let text = format!("{costs:?}");
    let column = |name: &str| costs.column(name).expect("a column").clone();
    let (strategy, paused) = (column("strategy"), column("paused"));
    let total = |wanted: &str| -> i64 {
        let pairs = strategy
            .str()
            .expect("names")
            .iter()
            .zip(paused.i64().expect("counts").iter());
        pairs
            .filter(|(name, _)| *name == Some(wanted))
            .filter_map(|pair| pair.1)
            .sum()
    };
    assert!(total("cooperative") < total("eager"), "{text}");
    // Whatever the assignor, the partitions of the killed one wait for the end of its session.
    let longest = column("longest_s");
    let longest = longest
        .f64()
        .expect("seconds")
        .iter()
        .flatten()
        .fold(0.0, f64::max);
    assert!(longest > 4.0, "{text}");
    for strategy in ["eager", "cooperative"] {
        assert!(lab.ownership(strategy).expect("spans").height() > 6);
    }
    assert!(lab.join().is_err() && lab.ownership("none").is_err());
}
