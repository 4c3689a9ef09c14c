//! A picture of the moment: replica bars, groups, clients; with a text twin.

use std::fmt;

use serde::Serialize;

use super::clients::Client;
use super::judge::Tally;
use super::scenario::ClientPlan;
use super::world::{START_MS, World};

/// One replica of a partition: a bar to draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplicaBar {
    pub node: i32,
    pub alive: bool,
    pub leads: bool,
    pub in_sync: bool,
    /// Offset after its last record.
    pub log_end: i64,
    /// The high watermark that this node knows.
    pub high_watermark: i64,
    /// The leader epoch that this node lives in.
    pub leader_epoch: i32,
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartitionPicture {
    pub topic: String,
    pub partition: i32,
    /// -1 while it has none.
    pub leader: i32,
    pub leader_epoch: i32,
    /// What a reader can see ends here.
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    pub replicas: Vec<ReplicaBar>,
    /// Records that were committed once and are gone: `p0#4`.
    pub lost: Vec<String>,
}

/// What a group owns and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupPicture {
    pub group: String,
    pub state: String,
    pub generation: i32,
    /// Topic, partition, owning client.
    pub owners: Vec<(String, i32, usize)>,
    /// Topic, partition, committed offset.
    pub committed: Vec<(String, i32, i64)>,
}

/// One client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClientPicture {
    pub client: usize,
    pub role: String,
    pub alive: bool,
    /// Records made by a producer.
    pub sent: usize,
    /// Topic, partition, next offset of a consumer.
    pub positions: Vec<(String, i32, i64)>,
}

/// The moment between two steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    pub step: u64,
    pub at_ms: i64,
    pub partitions: Vec<PartitionPicture>,
    pub groups: Vec<GroupPicture>,
    pub clients: Vec<ClientPicture>,
    pub tally: Tally,
}

impl World {
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            step: self.steps,
            at_ms: self.net.now_ms - START_MS,
            partitions: self.partitions(),
            groups: self.group_pictures(),
            clients: self.client_pictures(),
            tally: self.tally(),
        }
    }

    fn partitions(&self) -> Vec<PartitionPicture> {
        let each = self.places.all().filter_map(|tp| {
            let watched = self.watch.get(tp)?;
            let bars = watched.copies.iter().map(|copy| ReplicaBar {
                node: copy.node,
                alive: !self.down.contains(&copy.node),
                leads: copy.node == watched.leader,
                in_sync: watched.in_sync.contains(&copy.node),
                log_end: copy.latest,
                high_watermark: copy.high_watermark,
                leader_epoch: copy.epoch,
            });
            let leader = watched.copy(watched.leader);
            let lost = self.committed[usize::from(tp.0)].lost.iter();
            Some(PartitionPicture {
                topic: self.places.name(tp).to_owned(),
                partition: self.places.index(tp),
                leader: watched.leader,
                leader_epoch: watched.epoch,
                high_watermark: leader.map_or(0, |copy| copy.high_watermark),
                last_stable_offset: leader.map_or(0, |copy| copy.last_stable),
                replicas: bars.collect(),
                lost: lost.map(ToString::to_string).collect(),
            })
        });
        each.collect()
    }

    fn group_pictures(&self) -> Vec<GroupPicture> {
        let each = self.groups.iter().enumerate().filter_map(|(number, name)| {
            let group = self.brokers.groups.get(name)?;
            let generation = group.generation;
            let owners = self.ledger.owners.iter();
            let owners =
                owners.filter(|((group, told, _), _)| *group == number && *told == generation);
            let owners = owners.map(|((_, _, tp), client)| {
                (
                    self.places.name(*tp).to_owned(),
                    self.places.index(*tp),
                    *client,
                )
            });
            let committed = group.offsets.iter();
            let committed =
                committed.map(|((topic, index), held)| (topic.clone(), *index, held.offset));
            Some(GroupPicture {
                group: name.clone(),
                state: group.state.name().to_owned(),
                generation,
                owners: owners.collect(),
                committed: committed.collect(),
            })
        });
        each.collect()
    }

    fn client_pictures(&self) -> Vec<ClientPicture> {
        let plans = self.scenario.clients().iter().zip(self.clients());
        let each = plans.enumerate().map(|(number, (plan, client))| {
            let positions = match client {
                Client::Consumer(consumer) => consumer
                    .positions
                    .iter()
                    .map(|(tp, next)| {
                        (
                            self.places.name(*tp).to_owned(),
                            self.places.index(*tp),
                            *next,
                        )
                    })
                    .collect(),
                Client::Producer(_) => Vec::new(),
            };
            ClientPicture {
                client: number,
                role: match plan {
                    ClientPlan::Producer(_) => "producer".to_owned(),
                    ClientPlan::Consumer(plan) => format!("consumer of {}", plan.group),
                },
                alive: self.net.links[number].alive,
                sent: self.ledger.sent[number].len(),
                positions,
            }
        });
        each.collect()
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "step {}, {} ms", self.step, self.at_ms)?;
        for partition in &self.partitions {
            let PartitionPicture {
                topic,
                partition: index,
                leader,
                leader_epoch,
                high_watermark,
                ..
            } = partition;
            writeln!(
                f,
                "{topic}-{index}  leader {leader}, epoch {leader_epoch}, high watermark {high_watermark}"
            )?;
            for bar in &partition.replicas {
                writeln!(f, "  {bar}")?;
            }
            if !partition.lost.is_empty() {
                writeln!(f, "  lost: {}", partition.lost.join(", "))?;
            }
        }
        for group in &self.groups {
            writeln!(
                f,
                "{}  {}, generation {}",
                group.group, group.state, group.generation
            )?;
            for (topic, index, client) in &group.owners {
                writeln!(f, "  {topic}-{index} is read by client {client}")?;
            }
            for (topic, index, offset) in &group.committed {
                writeln!(f, "  {topic}-{index} committed {offset}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for ReplicaBar {
    /// `node 2  ▇▇▇▇▇▇▁▁  8  in sync`: full blocks are committed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let committed = self.high_watermark.clamp(0, self.log_end) as usize;
        let rest = self.log_end.max(0) as usize - committed;
        let role = match (self.alive, self.leads, self.in_sync) {
            (false, ..) => "down",
            (_, true, _) => "leader",
            (_, _, true) => "in sync",
            _ => "behind",
        };
        let (full, open) = ("▇".repeat(committed), "▁".repeat(rest));
        write!(
            f,
            "node {}  {full}{open}  {}  {role}",
            self.node, self.log_end
        )
    }
}
