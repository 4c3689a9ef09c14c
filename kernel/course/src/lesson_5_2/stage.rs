//! Demo D5: three embedded nodes, one partition, a real producer and a real consumer.
//!
//! Each act does something to the nodes, waits for what follows from it, and returns the scene.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use headwater_streams::{Cluster, Error, Result, Topic, nodes, partitions};

use super::delivery::{Client, wait};
use super::lab_consumer::LabConsumer;
use super::lab_producer::LabProducer;
use super::stage_nodes::{
    FIRST_MS, State, configure, down, lacks, make_whole, number_of, numbers_in, state_of,
};
use super::stage_picture::{self, Copy, Scene, Sent};
use crate::drawing::Drawing;

/// How long a follower may lag before it leaves the in-sync set.
const LAG: Duration = Duration::from_millis(1500);
/// How long it takes until a killed node is missed.
const SESSION: Duration = Duration::from_millis(1000);
/// How long what follows from an act may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Three nodes with one partition between them; min.insync.replicas is 2.
#[derive(Clone)]
pub struct Stage {
    inside: Arc<Mutex<Inside>>,
}

struct Inside {
    cluster: Cluster,
    topic: Topic,
    /// A producer for each setting of acks.
    producers: BTreeMap<&'static str, Client>,
    reader: LabConsumer,
    sent: Vec<Sent>,
    /// What the consumer has read: the numbers of records.
    read: Vec<usize>,
    /// Followers that are cut off from the leader they had.
    cut: Vec<(i32, i32)>,
    said: String,
}

impl Stage {
    /// Opens the three nodes and the topic `stage`, all of it new.
    ///
    /// # Errors
    /// When the nodes do not come up.
    pub fn open() -> Result<Stage> {
        let cluster = Cluster::embedded_with(nodes(3).replica_lag(LAG).session_timeout(SESSION))?;
        make_whole(&cluster)?;
        let topic = cluster.topic("stage", partitions(1))?;
        topic.clear()?;
        configure(&cluster, false)?;
        let all = ["1", "all"].map(|acks| {
            // Without retries: the first answer is what the lesson is about.
            let producer = LabProducer::new(&cluster)
                .set("acks", acks)
                .set("retries", "0")
                .set("linger.ms", "0")
                .set("delivery.timeout.ms", "3000");
            Ok((acks, producer.client()?))
        });
        let inside = Inside {
            reader: LabConsumer::open(&cluster, &topic, "audience")?,
            cluster,
            topic,
            producers: all.into_iter().collect::<Result<_>>()?,
            sent: Vec::new(),
            read: Vec::new(),
            cut: Vec::new(),
            said: "three nodes, all in sync".into(),
        };
        inside.until("all three are in sync", |state| state.in_sync.len() == 3)?;
        Ok(Stage {
            inside: Arc::new(Mutex::new(inside)),
        })
    }

    /// Sends records one by one, acks `"1"` or `"all"`, and waits for what the broker says to each.
    ///
    /// # Errors
    /// For another setting of acks, and when no answer comes at all.
    pub fn send(&self, acks: &str, count: usize) -> Result<Drawing> {
        let mut inside = self.lock();
        inside.send(acks, count)?;
        inside.scene()
    }

    /// Cuts the link from the leader to one follower that is in sync: it fetches no more.
    ///
    /// # Errors
    /// When there is no such follower, or the kernel does not answer, here and below.
    pub fn cut_follower(&self) -> Result<Drawing> {
        let mut inside = self.lock();
        let state = inside.state()?;
        let leader = state
            .leader
            .ok_or_else(|| lacks("leader", "stage.leader_returns()?"))?;
        let follower = state.in_sync.iter().find(|node| **node != leader);
        let follower =
            *follower.ok_or_else(|| lacks("follower in sync", "stage.leader_dies()?"))?;
        inside.cluster.cut(leader, follower)?;
        inside.cut.push((leader, follower));
        inside.said = format!("node {follower} no longer reaches the leader, node {leader}");
        inside.scene()
    }

    /// Kills the leader and waits until the controller has missed it.
    ///
    /// # Errors
    /// When there is no leader.
    pub fn leader_dies(&self) -> Result<Drawing> {
        let mut inside = self.lock();
        let leader = inside.state()?.leader;
        let leader = leader.ok_or_else(|| lacks("leader", "stage.leader_returns()?"))?;
        inside.cluster.node(leader)?.kill()?;
        inside.until("the dead node is missed", |state| {
            state.leader != Some(leader)
        })?;
        let now = inside.state()?.leader;
        inside.said = match now {
            Some(node) => format!("node {leader} is dead; node {node} was in sync and leads"),
            None => format!("node {leader} is dead, and no live node was in sync: nobody leads"),
        };
        inside.scene()
    }

    /// Starts the dead node again: if it was the last one in sync, it leads.
    ///
    /// # Errors
    /// When the node does not come back.
    pub fn leader_returns(&self) -> Result<Drawing> {
        let mut inside = self.lock();
        inside.start_dead()?;
        inside.until("somebody leads", |state| state.leader.is_some())?;
        inside.said = "the dead node is back".into();
        inside.scene()
    }

    /// Lets a copy lead that was not in sync (`unclean.leader.election.enable`), and waits until one
    /// does.
    ///
    /// # Errors
    /// When no node is alive to lead.
    pub fn elect_unclean(&self) -> Result<Drawing> {
        let mut inside = self.lock();
        configure(&inside.cluster, true)?;
        inside.until("somebody leads", |state| state.leader.is_some())?;
        let leader = inside.state()?.leader.unwrap_or_default();
        inside.said = format!("unclean election: node {leader} leads, which was not in sync");
        inside.scene()
    }

    /// Makes all links whole, starts what is dead, and waits until all three copies agree.
    ///
    /// # Errors
    /// When they do not within 10 s.
    pub fn heal(&self) -> Result<Drawing> {
        let mut inside = self.lock();
        for (a, b) in std::mem::take(&mut inside.cut) {
            inside.cluster.heal(a, b)?;
        }
        inside.start_dead()?;
        inside.until("all three are in sync", |state| state.in_sync.len() == 3)?;
        inside.said = "all nodes are up and in sync again".into();
        inside.scene()
    }

    /// Draws the stage as it is now.
    ///
    /// # Errors
    /// When the kernel does not answer.
    pub fn scene(&self) -> Result<Drawing> {
        self.lock().scene()
    }

    /// Returns how many records were acknowledged and are gone now.
    ///
    /// # Errors
    /// When the kernel does not answer.
    pub fn lost(&self) -> Result<usize> {
        let inside = self.lock();
        Ok(inside.look()?.lost().len())
    }

    /// Shows the stage as the value of a cell.
    pub fn evcxr_display(&self) {
        match self.scene() {
            Ok(scene) => scene.evcxr_display(),
            Err(error) => super::show_text(&error.to_string()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "stage: {}", self.lock().said)
    }
}

/// Leaves the nodes as they were found: up, with whole links.
impl Drop for Inside {
    fn drop(&mut self) {
        // A cluster that is gone needs no repair.
        let _ = make_whole(&self.cluster);
    }
}

impl Inside {
    fn send(&mut self, acks: &str, count: usize) -> Result<()> {
        let known: Vec<&&str> = self.producers.keys().collect();
        let Some((name, client)) = self.producers.get_key_value(acks) else {
            return Err(Error::new(format!("no producer with acks={acks}"))
                .have(format!("{known:?}"))
                .hint("stage.send(\"all\", 1)?"));
        };
        for _ in 0..count {
            let number = self.sent.len();
            let value = format!("{{\"n\": {number}}}");
            let time = FIRST_MS + number as i64;
            let before = client.count();
            client.send(self.topic.name(), None, value.as_bytes(), Some(time))?;
            client.settle(LIMIT)?;
            let report = client.reports()[before].clone();
            self.sent.push(Sent {
                number,
                acks: name,
                told: report.place.map(|(_, offset)| offset),
                latency: report.latency,
            });
        }
        Ok(())
    }

    fn start_dead(&self) -> Result<()> {
        for node in down(&self.cluster)? {
            self.cluster.node(node)?.start()?;
        }
        Ok(())
    }

    fn until(&self, what: &str, holds: impl Fn(&State) -> bool) -> Result<()> {
        let limit = Instant::now() + LIMIT;
        loop {
            let state = self.state()?;
            if holds(&state) {
                return Ok(());
            }
            if Instant::now() > limit {
                return Err(Error::new(format!("waited 10 s until {what}"))
                    .have(format!("{state:?}"))
                    .hint("stage.heal()?, or Stage::open()? for a new one"));
            }
            wait(Duration::from_millis(20))?;
        }
    }

    fn state(&self) -> Result<State> {
        state_of(&self.cluster, self.topic.name())
    }

    /// Lets the consumer read what it may, and draws everything.
    fn scene(&mut self) -> Result<Drawing> {
        let state = self.state()?;
        if state.leader.is_some() {
            let high = state.high_watermark;
            let read = self
                .reader
                .poll_until(usize::MAX, Duration::from_secs(3), |at| at[0] >= high)?;
            let numbers = read.iter().filter_map(|it| number_of(it.value.as_deref()));
            self.read.extend(numbers);
        }
        Ok(stage_picture::draw(&self.look()?))
    }

    fn look(&self) -> Result<Scene> {
        let state = self.state()?;
        let copies = [1, 2, 3].map(|node| {
            let log = self.cluster.log_on(node, self.topic.name(), 0)?;
            Ok(Copy {
                node,
                up: !state.down.contains(&node),
                leads: state.leader == Some(node),
                in_sync: state.in_sync.contains(&node),
                records: numbers_in(&log.batches()?)?,
            })
        });
        Ok(Scene {
            said: self.said.clone(),
            copies: copies.into_iter().collect::<Result<_>>()?,
            high_watermark: state.leader.map(|_| state.high_watermark),
            sent: self.sent.clone(),
            read: self.read.clone(),
        })
    }
}
