//! What a window query means, event by event.

use std::collections::{BTreeMap, BTreeSet};

use crate::window::{OutputMode, WindowSpec};

#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// Epoch microseconds.
    pub at: Option<i64>,
    pub key: Option<u8>,
    pub x: Option<i64>,
}

/// A window of a key, and the aggregates of its events.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub start: i64,
    pub end: i64,
    pub key: Option<u8>,
    pub n: i64,
    pub sum: Option<i64>,
    pub least: Option<i64>,
    pub first: Option<i64>,
    pub last: Option<i64>,
    pub distinct: i64,
}

/// Start, end, key.
type Group = (i64, i64, Option<u8>);

pub struct Model {
    windows: WindowSpec,
    mode: OutputMode,
    delay: i64,
    watermark: i64,
    late_before: i64,
    coming: i64,
    events: Vec<Event>,
    state: BTreeMap<Group, Vec<usize>>,
    assigned: i64,
}

pub struct Expected {
    pub rows: Vec<Row>,
    pub late: usize,
    pub without_time: usize,
    pub state_rows: usize,
}

impl Model {
    pub fn new(windows: WindowSpec, mode: OutputMode, delay: i64) -> Model {
        Model {
            windows,
            mode,
            delay,
            watermark: 0,
            late_before: 0,
            coming: 0,
            events: Vec::new(),
            state: BTreeMap::new(),
            assigned: 0,
        }
    }

    pub fn push(&mut self, batch: &[Event]) -> Expected {
        self.late_before = self.watermark;
        self.watermark = self.coming;
        let newest = batch.iter().filter_map(|event| event.at).max();
        if let Some(newest) = newest {
            let whole = newest - newest.rem_euclid(1000);
            self.coming = self.coming.max(whole - self.delay);
        }
        let (mut late, mut without_time) = (0, 0);
        let mut changed = BTreeSet::new();
        for event in batch {
            let number = self.events.len();
            self.events.push(*event);
            let Some(at) = event.at else {
                without_time += 1;
                continue;
            };
            for (start, end) in self.windows_of(at) {
                self.assigned += 1;
                let forgets = self.mode != OutputMode::Complete || self.windows.is_session();
                if forgets && end <= self.late_before {
                    late += 1;
                    continue;
                }
                changed.insert(self.put(number, (start, end, event.key)));
            }
        }
        let ended: Vec<Group> = match self.mode {
            OutputMode::Complete => Vec::new(),
            _ => {
                let groups = self.state.keys().copied();
                groups.filter(|group| group.1 <= self.watermark).collect()
            }
        };
        let given: Vec<Group> = match self.mode {
            OutputMode::Append => ended.clone(),
            OutputMode::Update => changed.into_iter().collect(),
            OutputMode::Complete => self.state.keys().copied().collect(),
        };
        let mut rows: Vec<Row> = given.iter().map(|group| self.row(*group)).collect();
        rows.sort();
        for group in ended {
            self.state.remove(&group);
        }
        Expected {
            rows,
            late,
            without_time,
            state_rows: self.state.len(),
        }
    }

    /// Returns how often an event fell into a window, late or not.
    pub fn assigned(&self) -> i64 {
        self.assigned
    }

    /// Returns how many events have a time.
    pub fn timed(&self) -> i64 {
        self.events
            .iter()
            .filter(|event| event.at.is_some())
            .count() as i64
    }

    fn windows_of(&self, at: i64) -> Vec<(i64, i64)> {
        match self.windows {
            WindowSpec::Session { gap_us } => vec![(at, at + gap_us)],
            WindowSpec::Fixed {
                size_us,
                slide_us,
                offset_us,
            } => {
                // Every start there is near the event, whether it holds the event or not.
                let near = (at - offset_us) / slide_us;
                let reach = size_us / slide_us + 2;
                let starts = (near - reach..=near + reach).map(|n| n * slide_us + offset_us);
                let holds = |start: &i64| *start <= at && at < *start + size_us;
                starts
                    .filter(holds)
                    .map(|start| (start, start + size_us))
                    .collect()
            }
        }
    }

    /// Puts an event into a group; sessions that it touches become one.
    fn put(&mut self, event: usize, mut group: Group) -> Group {
        let mut events = vec![event];
        if self.windows.is_session() {
            let touching: Vec<Group> = self
                .state
                .keys()
                .copied()
                .filter(|there| there.2 == group.2 && there.0 <= group.1 && group.0 <= there.1)
                .collect();
            for there in touching {
                events.extend(self.state.remove(&there).unwrap());
                group = (group.0.min(there.0), group.1.max(there.1), group.2);
            }
        }
        self.state.entry(group).or_default().extend(events);
        group
    }

    fn row(&self, group: Group) -> Row {
        let mut numbers = self.state[&group].clone();
        numbers.sort_by_key(|number| (self.events[*number].at, *number));
        let all: Vec<Option<i64>> = numbers
            .iter()
            .map(|number| self.events[*number].x)
            .collect();
        let known: Vec<i64> = all.iter().copied().flatten().collect();
        Row {
            start: group.0,
            end: group.1,
            key: group.2,
            n: all.len() as i64,
            sum: (!known.is_empty()).then(|| known.iter().sum()),
            least: known.iter().copied().min(),
            first: all[0],
            last: known.last().copied(),
            distinct: known.iter().collect::<BTreeSet<_>>().len() as i64,
        }
    }
}
