//! Picture P1: who owned which partition when, and what each change of a group cost.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use headwater_streams::Result;
use polars::prelude::{DataFrame, df};

/// What a member said of itself, or what was done to it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Event {
    /// A process was started, left with a goodbye, or was killed.
    Change(&'static str),
    Owns(Vec<i32>),
    GivesUp(Vec<i32>),
}

/// The events of one group, in their order, with seconds since the lab began.
pub(super) struct Diary {
    began: Instant,
    /// Locked to add an event or to copy them all.
    lines: Mutex<Vec<(f64, String, Event)>>,
}

impl Diary {
    pub fn begin(began: Instant) -> Diary {
        Diary {
            began,
            lines: Mutex::default(),
        }
    }

    pub fn note(&self, member: &str, event: Event) {
        let mut lines = self.lines.lock().expect("no panic under this lock");
        let at_s = self.began.elapsed().as_secs_f64();
        lines.push((at_s, member.to_owned(), event));
    }

    pub fn lines(&self) -> Vec<(f64, String, Event)> {
        self.lines.lock().expect("no panic under this lock").clone()
    }
}

/// A partition in the hands of one member, or of nobody.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Span {
    pub partition: i32,
    pub owner: Option<String>,
    pub from_s: f64,
    pub to_s: f64,
}

/// Returns the spans up to `end_s`, by partition and time; before its first owner a partition has none.
pub(super) fn spans(lines: &[(f64, String, Event)], end_s: f64) -> Vec<Span> {
    let mut open: BTreeMap<i32, (String, f64)> = BTreeMap::new();
    let mut spans: Vec<Span> = Vec::new();
    let mut close = |partition: i32, owner: String, from_s: f64, to_s: f64| {
        let owner = Some(owner);
        spans.push(Span {
            partition,
            owner,
            from_s,
            to_s,
        });
    };
    for (at_s, member, event) in lines.iter().filter(|(at_s, ..)| *at_s < end_s) {
        match event {
            Event::Owns(partitions) => {
                for partition in partitions {
                    open.insert(*partition, (member.clone(), *at_s));
                }
            }
            Event::GivesUp(partitions) => {
                for partition in partitions {
                    if let Some((owner, from_s)) = open.remove(partition) {
                        close(*partition, owner, from_s, *at_s);
                    }
                }
            }
            Event::Change("is killed") => {
                let held = |(_, (owner, _)): &(&i32, &(String, f64))| owner == member;
                let held: Vec<i32> = open.iter().filter(held).map(|(it, _)| *it).collect();
                for partition in held {
                    if let Some((owner, from_s)) = open.remove(&partition) {
                        close(partition, owner, from_s, *at_s);
                    }
                }
            }
            Event::Change(_) => {}
        }
    }
    for (partition, (owner, from_s)) in open {
        close(partition, owner, from_s, end_s);
    }
    with_pauses(spans, end_s)
}

/// Fills what lies between two owners, and behind the last one.
fn with_pauses(mut owned: Vec<Span>, end_s: f64) -> Vec<Span> {
    owned.sort_by(|a, b| {
        (a.partition, a.from_s)
            .partial_cmp(&(b.partition, b.from_s))
            .expect("seconds are numbers")
    });
    let mut all = Vec::new();
    for (index, span) in owned.iter().enumerate() {
        let next = owned
            .get(index + 1)
            .filter(|next| next.partition == span.partition);
        let until_s = next.map_or(end_s, |next| next.from_s);
        all.push(span.clone());
        if until_s > span.to_s {
            all.push(Span {
                partition: span.partition,
                owner: None,
                from_s: span.to_s,
                to_s: until_s,
            });
        }
    }
    all
}

/// Returns spans as a frame: partition (str, `p0`), owner (str, `nobody` in a pause), from_s, to_s.
pub(super) fn frame(spans: &[Span]) -> Result<DataFrame> {
    let owner = |span: &Span| span.owner.clone().unwrap_or_else(|| "nobody".into());
    Ok(df!(
        "partition" => spans.iter().map(|it| format!("p{}", it.partition)).collect::<Vec<_>>(),
        "owner" => spans.iter().map(owner).collect::<Vec<_>>(),
        "from_s" => spans.iter().map(|it| it.from_s).collect::<Vec<_>>(),
        "to_s" => spans.iter().map(|it| it.to_s).collect::<Vec<_>>(),
    )?)
}

/// What one change of a group cost.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cost {
    pub change: String,
    /// Partitions that another member had before it.
    pub moved: usize,
    /// Partitions that nobody had for a while, and for how long.
    pub pauses_s: Vec<f64>,
}

/// Returns the cost of every change, from itself to the next one.
pub(super) fn costs(lines: &[(f64, String, Event)], end_s: f64) -> Vec<Cost> {
    let spans = spans(lines, end_s);
    let changes: Vec<(f64, String)> = lines
        .iter()
        .filter(|(at_s, ..)| *at_s < end_s)
        .filter_map(|(at_s, member, event)| match event {
            Event::Change(what) => Some((*at_s, format!("{member} {what}"))),
            _ => None,
        })
        .collect();
    let cost = |(index, (from_s, change)): (usize, &(f64, String))| {
        let to_s = changes.get(index + 1).map_or(end_s, |next| next.0);
        let (before, after) = (owners(&spans, *from_s), owners(&spans, to_s));
        let moved = |(partition, owner): &(&i32, &&str)| {
            before.get(partition).is_some_and(|was| was != *owner)
        };
        let pauses = spans
            .iter()
            .filter(|it| it.owner.is_none() && (*from_s..to_s).contains(&it.from_s));
        Cost {
            change: change.clone(),
            moved: after.iter().filter(moved).count(),
            pauses_s: pauses.map(|it| it.to_s - it.from_s).collect(),
        }
    };
    changes.iter().enumerate().map(cost).collect()
}

/// Returns who owned each partition last, before a moment.
fn owners(spans: &[Span], before_s: f64) -> BTreeMap<i32, &str> {
    let began = spans.iter().filter(|it| it.from_s < before_s);
    began
        .filter_map(|it| Some((it.partition, it.owner.as_deref()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Event, costs, spans};

    fn diary() -> Vec<(f64, String, Event)> {
        let line = |at_s: f64, member: &str, event: Event| (at_s, member.to_owned(), event);
        vec![
            line(0.0, "A", Event::Change("joins")),
            line(0.5, "A", Event::Owns(vec![0, 1])),
            line(2.0, "B", Event::Change("joins")),
            line(3.0, "A", Event::GivesUp(vec![1])),
            line(3.5, "B", Event::Owns(vec![1])),
            line(5.0, "B", Event::Change("is killed")),
            line(11.0, "A", Event::Owns(vec![1])),
        ]
    }

    #[test]
    fn killed_member_owns_nothing_from_then_on() {
        let spans = spans(&diary(), 12.0);
        let of_1: Vec<_> = spans.iter().filter(|it| it.partition == 1).collect();
        let owners: Vec<_> = of_1.iter().map(|it| it.owner.as_deref()).collect();
        assert_eq!(owners, [Some("A"), None, Some("B"), None, Some("A")]);
        assert_eq!((of_1[3].from_s, of_1[3].to_s), (5.0, 11.0));
    }

    #[test]
    fn change_costs_what_moves_and_what_pauses_until_the_next_one() {
        let costs = costs(&diary(), 12.0);
        let moved: Vec<usize> = costs.iter().map(|it| it.moved).collect();
        assert_eq!(moved, [0, 1, 1]);
        assert_eq!(costs[1].pauses_s, [0.5]);
        assert_eq!(costs[2].pauses_s, [6.0]);
    }
}
