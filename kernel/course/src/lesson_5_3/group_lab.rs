//! Demo D1: one topic, two groups of real members, one under an eager assignor, one cooperative.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use headwater_streams::{Cluster, Error, Result, Topic, interrupt};
use polars::prelude::{ChunkAgg as _, DataFrame, df};
use rdkafka::producer::{BaseProducer, BaseRecord};

use super::member::{Group, Member, Take};
use super::ownership::{self, Diary};
use crate::{client, event_time};

/// Every partition gets a record so often.
const RECORD_EVERY: Duration = Duration::from_millis(100);
/// How long the last records may take to their members.
const PATIENCE: Duration = Duration::from_secs(10);
/// How the two groups are called, and the assignor of each.
const GROUPS: [(&str, &str); 2] = [("eager", "range"), ("cooperative", "cooperative-sticky")];

/// So that a cell which runs again has new groups: members of the old ones may still be waited for.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Two groups on one topic, whatever happens to one happens to the other. Members A, B, C … are
/// librdkafka clients with a session limit of 6 s and a heartbeat every second. They end with the
/// last handle.
#[derive(Clone)]
pub struct GroupLab {
    inside: Arc<Inside>,
}

struct Inside {
    cluster: Cluster,
    topic: Topic,
    feed: Box<dyn Feed>,
    groups: Vec<Group>,
    began: Instant,
    /// Locked while something happens to the groups.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The members of each group that live.
    members: [Vec<Member>; 2],
    joined: u8,
    /// All takes, group by group, for the account at the end.
    takes: [Vec<Take>; 2],
    stopped_s: Option<f64>,
}

impl GroupLab {
    /// Empties the topic and opens two groups without members.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn open(cluster: &Cluster, topic: &Topic) -> Result<GroupLab> {
        topic.clear()?;
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let began = Instant::now();
        let group = |(name, assignor): (&str, &'static str)| Group {
            id: format!("{name}-{}-{number}", std::process::id()),
            assignor,
            diary: Arc::new(Diary::begin(began)),
            taken: Arc::default(),
        };
        let mut config = client::settings(cluster, "headwater-feed");
        config.set("linger.ms", "0");
        Ok(GroupLab {
            inside: Arc::new(Inside {
                cluster: cluster.clone(),
                topic: topic.clone(),
                feed: Box::new(config.create::<BaseProducer>()?),
                groups: GROUPS.into_iter().map(group).collect(),
                began,
                state: Mutex::default(),
            }),
        })
    }

    /// Starts the next member in both groups.
    ///
    /// # Errors
    /// After [`GroupLab::stop`], or when no client can be made.
    pub fn join(&self) -> Result<()> {
        self.start(false)
    }

    /// Starts the next member in both groups with a name that outlives its process
    /// (`group.instance.id`): a client with it says no goodbye.
    ///
    /// # Errors
    /// Those of [`GroupLab::join`].
    pub fn join_static(&self) -> Result<()> {
        self.start(true)
    }

    /// Ends a member of both groups in order.
    ///
    /// # Errors
    /// When there is no such member.
    pub fn leave(&self, name: &str) -> Result<()> {
        for member in self.take_out(name)? {
            member.leave();
        }
        Ok(())
    }

    /// Kills a member of both groups: no last commit, no goodbye.
    ///
    /// # Errors
    /// When there is no such member, or it is not a static one.
    pub fn kill(&self, name: &str) -> Result<()> {
        let says_goodbye = |member: &Member| member.name == name && !member.is_static;
        if self.state().members[0].iter().any(says_goodbye) {
            return Err(
                Error::new(format!("{name} would say goodbye, however it ends"))
                    .have("a member without group.instance.id")
                    .hint("lab.join_static()? for one that can be killed"),
            );
        }
        self.take_out(name)?.into_iter().for_each(Member::kill);
        Ok(())
    }

    /// Sends ten records a second to each partition for so long, and returns what members took since the
    /// last call: event_time (datetime, UTC; when it was taken), strategy (str), member (str), partition,
    /// offset, waited_s.
    ///
    /// # Errors
    /// When the broker takes nothing, or on interrupt.
    pub fn run(&self, span: Duration) -> Result<DataFrame> {
        let (from, lab) = (Instant::now(), &self.inside);
        let mut tick = 0;
        while from.elapsed() < span {
            interrupt::check()?;
            for partition in 0..lab.topic.partitions() as i32 {
                lab.feed.send(lab.topic.name(), partition)?;
            }
            tick += 1;
            std::thread::sleep(
                (RECORD_EVERY * tick)
                    .min(span)
                    .saturating_sub(from.elapsed()),
            );
        }
        self.taken()
    }

    /// Waits until the members have taken what was sent, at most 10 s, then ends them and the account. Safe
    /// to call twice.
    ///
    /// # Errors
    /// When the last records do not reach the broker, or on interrupt.
    pub fn stop(&self) -> Result<()> {
        self.inside.feed.flush()?;
        self.catch_up()?;
        let members = {
            let mut state = self.state();
            let now_s = self.inside.began.elapsed().as_secs_f64();
            state.stopped_s.get_or_insert(now_s);
            std::mem::take(&mut state.members)
        };
        // All at once: otherwise each goodbye would make those who stay join anew.
        members.iter().flatten().for_each(Member::ask_to_stop);
        drop(members);
        self.taken().map(drop)
    }

    /// Returns who owned which partition when: partition (str), owner (str, `nobody` in a pause), from_s,
    /// to_s (seconds since the lab was opened).
    ///
    /// # Errors
    /// When there is no such group.
    pub fn ownership(&self, strategy: &str) -> Result<DataFrame> {
        let Some(index) = GROUPS.iter().position(|(name, _)| *name == strategy) else {
            return Err(Error::new(format!("no group `{strategy}`"))
                .have("eager, cooperative")
                .hint("lab.ownership(\"eager\")?"));
        };
        let lines = self.inside.groups[index].diary.lines();
        ownership::frame(&ownership::spans(&lines, self.end_s()))
    }

    /// Returns what each change cost: change (str), strategy (str), moved (partitions with another owner
    /// than before), paused (partitions that nobody had for a while), longest_s, sum_s (of the pauses).
    ///
    /// # Errors
    /// When the frame cannot be made.
    pub fn costs(&self) -> Result<DataFrame> {
        let mut rows = Vec::new();
        for ((strategy, _), group) in GROUPS.iter().zip(&self.inside.groups) {
            let costs = ownership::costs(&group.diary.lines(), self.end_s());
            rows.extend(
                costs
                    .into_iter()
                    .enumerate()
                    .map(|(at, cost)| (at, *strategy, cost)),
            );
        }
        rows.sort_by_key(|(at, ..)| *at);
        let longest = |pauses: &[f64]| pauses.iter().copied().fold(0.0, f64::max);
        Ok(df!(
            "change" => rows.iter().map(|it| it.2.change.clone()).collect::<Vec<_>>(),
            "strategy" => rows.iter().map(|it| it.1).collect::<Vec<_>>(),
            "moved" => rows.iter().map(|it| it.2.moved as i64).collect::<Vec<_>>(),
            "paused" => rows.iter().map(|it| it.2.pauses_s.len() as i64).collect::<Vec<_>>(),
            "longest_s" => rows.iter().map(|it| longest(&it.2.pauses_s)).collect::<Vec<_>>(),
            "sum_s" => rows.iter().map(|it| it.2.pauses_s.iter().fold(0.0, |sum, pause| sum + pause)).collect::<Vec<_>>(),
        )?)
    }

    /// Returns the account of each group: strategy (str), sent, distinct (records that
    /// a member took), repeated (taken once more), not_taken.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn account(&self) -> Result<DataFrame> {
        let sent = self.inside.topic.records()? as i64;
        let state = self.state();
        let taken: Vec<i64> = state.takes.iter().map(|takes| takes.len() as i64).collect();
        let places = |takes: &Vec<Take>| {
            let places: HashSet<(i32, i64)> =
                takes.iter().map(|it| (it.partition, it.offset)).collect();
            places.len() as i64
        };
        let distinct: Vec<i64> = state.takes.iter().map(places).collect();
        let both = || taken.iter().zip(&distinct);
        Ok(df!(
            "strategy" => GROUPS.map(|(name, _)| name).to_vec(),
            "sent" => vec![sent; 2],
            "distinct" => distinct.clone(),
            "repeated" => both().map(|(taken, distinct)| taken - distinct).collect::<Vec<_>>(),
            "not_taken" => distinct.iter().map(|distinct| sent - distinct).collect::<Vec<_>>(),
        )?)
    }

    /// Waits until each group has taken every record; one without members never will.
    fn catch_up(&self) -> Result<()> {
        let limit = Instant::now() + PATIENCE;
        while Instant::now() < limit && self.state().members.iter().any(|it| !it.is_empty()) {
            interrupt::check()?;
            self.taken()?;
            let not_taken = self.account()?.column("not_taken")?.i64()?.sum();
            if not_taken == Some(0) {
                break;
            }
            std::thread::sleep(RECORD_EVERY);
        }
        Ok(())
    }

    fn start(&self, is_static: bool) -> Result<()> {
        let mut state = self.state();
        if state.stopped_s.is_some() {
            return Err(Error::new("the lab has stopped")
                .have("groups whose account is closed")
                .hint("let lab = GroupLab::open(&cluster, &sensors)?;"));
        }
        let name = char::from(b'A' + state.joined % 26).to_string();
        state.joined += 1;
        let lab = &self.inside;
        for (members, group) in state.members.iter_mut().zip(&lab.groups) {
            members.push(Member::start(
                &lab.cluster,
                group,
                lab.topic.name(),
                &name,
                is_static,
            )?);
        }
        Ok(())
    }

    fn take_out(&self, name: &str) -> Result<Vec<Member>> {
        let mut state = self.state();
        let mut found = Vec::new();
        for members in &mut state.members {
            if let Some(at) = members.iter().position(|member| member.name == name) {
                found.push(members.remove(at));
            }
        }
        if found.is_empty() {
            let names = state.members[0].iter().map(|it| it.name.clone());
            let have = format!("members: {}", names.collect::<Vec<_>>().join(", "));
            return Err(Error::new(format!("no member `{name}`"))
                .have(have)
                .hint("lab.join()? starts the next one"));
        }
        Ok(found)
    }

    fn taken(&self) -> Result<DataFrame> {
        let mut rows: Vec<(&str, String, Take)> = Vec::new();
        let mut state = self.state();
        for (index, group) in self.inside.groups.iter().enumerate() {
            let new = std::mem::take(&mut *group.taken.lock().expect("no panic under this lock"));
            state.takes[index].extend(new.iter().map(|(_, take)| *take));
            rows.extend(
                new.into_iter()
                    .map(|(member, take)| (GROUPS[index].0, member, take)),
            );
        }
        rows.sort_by_key(|row| row.2.at_us);
        let frame = df!(
            "event_time" => rows.iter().map(|it| it.2.at_us).collect::<Vec<_>>(),
            "strategy" => rows.iter().map(|it| it.0).collect::<Vec<_>>(),
            "member" => rows.iter().map(|it| it.1.as_str()).collect::<Vec<_>>(),
            "partition" => rows.iter().map(|it| i64::from(it.2.partition)).collect::<Vec<_>>(),
            "offset" => rows.iter().map(|it| it.2.offset).collect::<Vec<_>>(),
            "waited_s" => rows.iter().map(|it| it.2.waited_s).collect::<Vec<_>>(),
        )?;
        Ok(event_time::in_utc(frame, "event_time")?)
    }

    fn end_s(&self) -> f64 {
        let stopped = self.state().stopped_s;
        stopped.unwrap_or_else(|| self.inside.began.elapsed().as_secs_f64())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.inside
            .state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// What sends the records. A trait object, so that a cell which drops the lab has no code of the client
/// compiled into it.
trait Feed: Send + Sync {
    fn send(&self, topic: &str, partition: i32) -> Result<()>;
    fn flush(&self) -> Result<()>;
}

impl Feed for BaseProducer {
    fn send(&self, topic: &str, partition: i32) -> Result<()> {
        let record = BaseRecord::<(), str>::to(topic).partition(partition);
        let sent = BaseProducer::send(self, record.payload("{}"));
        sent.map_err(|(cause, _)| cause)?;
        self.poll(Duration::ZERO);
        Ok(())
    }

    fn flush(&self) -> Result<()> {
        Ok(rdkafka::producer::Producer::flush(
            self,
            Duration::from_secs(5),
        )?)
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.members.iter().flatten().for_each(Member::ask_to_stop);
    }
}
