use crate::kill_nine::postgres::Server;
use crate::kill_nine::{Kind, Random, Round, Windows, kill, obey};

/// How this program is told to be the child.
const CHILD: [&str; 3] = ["kill::the_child", "--exact", "--nocapture"];

/// Does nothing in a run of the tests: it is what a killed child runs.
#[test]
fn the_child() {
    obey();
}

/// Crashes a job once in each gap of a batch, and lets it finish.
fn crash_in_every_gap(kind: Kind, server: Option<&str>) {
    let gaps = ["planned:1", "processed:4", "written:7", "committed:9"];
    for (gap, windows) in gaps.into_iter().zip(Windows::ALL.into_iter().cycle()) {
        let place = tempfile::tempdir().unwrap();
        let name = format!("gap-{}-{}", kind.name(), gap.replace(':', "-"));
        let mut round = Round::new(kind, windows, &name, place.path(), server, &CHILD);
        round.feed();
        round.feed();
        round.crash(gap);
        while round.feed() {}
        round.run(None);
        let difference = round.compare();
        assert!(
            difference.doubled + difference.unknown + difference.missing == 0,
            "{} after a crash at {gap}: {difference:?}",
            kind.name()
        );
    }
}

fn killed_at_random(kind: Kind, server: Option<&str>) {
    let tally = kill(kind, 6, &mut Random(11), server, &CHILD);
    assert!(tally.kills >= 6 && tally.differences == 0, "{tally:?}");
}

#[test]
fn a_crash_in_any_gap_of_a_batch_changes_no_parquet_file() {
    crash_in_every_gap(Kind::Parquet, None);
}

#[test]
fn kills_at_random_moments_change_no_parquet_file() {
    killed_at_random(Kind::Parquet, None);
}

#[test]
fn a_crash_in_any_gap_of_a_batch_changes_no_row_of_sqlite() {
    crash_in_every_gap(Kind::Sqlite, None);
}

#[test]
fn kills_at_random_moments_change_no_row_of_sqlite() {
    killed_at_random(Kind::Sqlite, None);
}

#[test]
fn a_crash_in_any_gap_of_a_batch_changes_no_record_of_a_topic() {
    crash_in_every_gap(Kind::Topic, None);
}

#[test]
fn kills_at_random_moments_change_no_record_of_a_topic() {
    killed_at_random(Kind::Topic, None);
}

#[test]
fn a_crash_in_any_gap_of_a_batch_changes_no_row_of_postgres() {
    if let Some(server) = Server::shared() {
        crash_in_every_gap(Kind::Postgres, Some(server.url()));
    }
}

#[test]
fn kills_at_random_moments_change_no_row_of_postgres() {
    if let Some(server) = Server::shared() {
        killed_at_random(Kind::Postgres, Some(server.url()));
    }
}
