//! What a durable cluster reports to its disk, step by step.

use bytes::Bytes;
use headwater_broker::BrokerSettings;
use headwater_broker::brokers::{Change, Input, Key, LogChange};

use crate::stepped::{Batch, Stepped};

fn durable() -> Stepped {
    Stepped::with(BrokerSettings {
        durable: true,
        ..BrokerSettings::default()
    })
}

fn logs(changes: &[Change]) -> Vec<&LogChange> {
    let logs = changes.iter().filter_map(|change| match change {
        Change::Log(_, change) => Some(change),
        _ => None,
    });
    logs.collect()
}

#[test]
fn memory_cluster_reports_nothing() {
    let mut stepped = Stepped::with_topic();
    stepped.produce(Batch::of(&["a"]).bytes());
    assert_eq!(stepped.changes, []);
}

#[test]
fn topic_is_reported_before_its_log() {
    let mut stepped = durable();
    stepped.create("flights", &[("retention.ms", "1000")]);
    let topic = stepped.changes.iter().position(|change| match change {
        Change::Fact(fact) => {
            let value = fact.value.as_deref().unwrap_or_default();
            matches!(fact.key, Key::Topic { .. })
                && String::from_utf8_lossy(value).contains(r#""retention.ms":"1000""#)
        }
        _ => false,
    });
    assert!(topic.is_some(), "{:?}", stepped.changes);
    let created = LogChange::Create {
        topic: "flights".to_owned(),
    };
    assert_eq!(logs(&stepped.changes), [&created]);
}

#[test]
fn append_is_reported_with_its_offset_written_in() {
    let mut stepped = durable();
    stepped.create("flights", &[]);
    stepped.produce(Batch::of(&["a", "b"]).bytes());
    stepped.changes.clear();
    stepped.produce(Batch::of(&["c"]).bytes());
    let changes = std::mem::take(&mut stepped.changes);
    let [LogChange::Append(batch)] = logs(&changes)[..] else {
        panic!("{changes:?}");
    };
    assert_eq!(batch[..8], 2i64.to_be_bytes());
}

#[test]
fn repeated_batch_is_not_reported_again() {
    let mut stepped = durable();
    stepped.create("flights", &[]);
    let batch: Bytes = Batch::of(&["a"]).from(1, 0, 0).bytes();
    stepped.produce(batch.clone());
    stepped.changes.clear();
    stepped.produce(batch);
    assert_eq!(stepped.changes, []);
}

#[test]
fn reset_reports_that_topic_and_log_are_gone() {
    let mut stepped = durable();
    stepped.create("flights", &[]);
    let outputs = stepped.brokers.reset(stepped.now_ms);
    assert_eq!(logs(&outputs.changes), [&LogChange::Delete]);
    let gone = outputs.changes.iter().any(|change| match change {
        Change::Fact(fact) => matches!(fact.key, Key::Topic { .. }) && fact.value.is_none(),
        _ => false,
    });
    assert!(gone, "{:?}", outputs.changes);
}

#[test]
fn tick_without_an_event_reports_nothing() {
    let mut stepped = durable();
    stepped.create("flights", &[]);
    stepped.changes.clear();
    stepped.step(Input::Tick);
    assert_eq!(stepped.changes, []);
}
