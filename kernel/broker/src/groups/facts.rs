//! Groups on disk: what must survive of them, told at the end of each step that changed it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::committed::{Committed, Read};
use super::consumer::ConsumerGroup;
use super::group::{Group, Member, State};
use crate::brokers::{Brokers, Key, Millis, NotRestored, Stored, parsed};

/// A group as it is stored. Who waits for a reply is not: its connection ends with the process.
#[derive(Debug, Serialize, Deserialize)]
struct GroupFact {
    state: State,
    generation: i32,
    protocol_type: Option<String>,
    protocol: Option<String>,
    leader: Option<String>,
    members: Vec<MemberFact>,
    next_number: u64,
    consumer: Option<ConsumerGroup>,
    empty_since_ms: Option<Millis>,
}

#[derive(Debug, Serialize, Deserialize)]
struct MemberFact {
    id: String,
    instance: Option<String>,
    client_id: String,
    client_host: String,
    session_timeout_ms: i64,
    rebalance_timeout_ms: i64,
    protocols: Vec<(String, Hex)>,
    assignment: Hex,
    number: u64,
}

/// Bytes as JSON carries them best.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
struct Hex(Bytes);

impl Brokers {
    /// Reports the groups that this step changed.
    pub(crate) fn report_groups(&mut self) {
        for (group, read) in std::mem::take(&mut self.groups.gone_offsets) {
            self.recorder.gone(|| offset_key(group, read));
        }
        for name in std::mem::take(&mut self.groups.changed) {
            self.report_group(&name);
        }
    }

    fn report_group(&mut self, name: &str) {
        let group = self.groups.by_name.get_mut(name);
        let changed = group.map(|group| group.offsets.take_changed());
        if !self.recorder.is_on() {
            return;
        }
        let group = self.groups.by_name.get(name);
        for read in changed.unwrap_or_default() {
            let committed = group.and_then(|group| group.offsets.get(&read));
            match committed {
                Some(committed) => {
                    let key = || offset_key(name.to_owned(), read.clone());
                    self.recorder.fact(key, committed);
                }
                None => self.recorder.gone(|| offset_key(name.to_owned(), read)),
            }
        }
        let fact = group.filter(|group| {
            group.generation > 0 || !group.members.is_empty() || group.consumer.is_some()
        });
        let fact = fact.map(GroupFact::of);
        let json = fact.map(|fact| serde_json::to_vec(&fact).expect("names and numbers"));
        let json = json.map(Bytes::from);
        if self.groups.reported.get(name) == json.as_ref() {
            return;
        }
        let key = || Key::Group {
            group: name.to_owned(),
        };
        match json {
            Some(json) => {
                self.recorder.fact_json(key, json.clone());
                self.groups.reported.insert(name.to_owned(), json);
            }
            None => {
                self.recorder.gone(key);
                self.groups.reported.remove(name);
            }
        }
    }

    /// Puts groups back as they were stored.
    pub(crate) fn restore_groups(
        &mut self,
        now_ms: Millis,
        stored: &Stored,
    ) -> Result<(), NotRestored> {
        let session_ms = self.settings.consumer_session_timeout_ms;
        for (key, value) in &stored.facts {
            match key {
                Key::Group { group: name } => {
                    let fact: GroupFact = parsed(key, value)?;
                    fact.restore(now_ms, session_ms, self.groups.entry(name));
                    self.groups.reported.insert(name.clone(), value.clone());
                }
                Key::Offset {
                    group,
                    topic,
                    partition,
                } => {
                    let committed: Committed = parsed(key, value)?;
                    let read = (topic.clone(), *partition);
                    self.restore_offset(group, read, committed);
                }
                _ => {}
            }
        }
        self.groups.touched = true;
        Ok(())
    }

    /// Puts an offset back. One beyond the log's end would hide the records that come next: after
    /// a loss of power it is taken back to the end.
    fn restore_offset(&mut self, group: &str, read: Read, mut committed: Committed) {
        let partition = self.topics.partition(&read.0, read.1);
        let end = partition.map(|partition| partition.shown().log.latest());
        let offsets = &mut self.groups.entry(group).offsets;
        match end {
            Some(end) if committed.offset > end => {
                committed.offset = end;
                offsets.insert(read, committed);
            }
            Some(_) => offsets.restore(read, committed),
            None => {
                // The topic was deleted, and the process killed before this had gone too.
                offsets.restore(read.clone(), committed);
                offsets.remove(&read);
            }
        }
    }
}

impl GroupFact {
    fn of(group: &Group) -> GroupFact {
        GroupFact {
            state: group.state,
            generation: group.generation,
            protocol_type: group.protocol_type.clone(),
            protocol: group.protocol.clone(),
            leader: group.leader.clone(),
            members: group.members.values().map(MemberFact::of).collect(),
            next_number: group.next_number,
            consumer: group.consumer.clone(),
            empty_since_ms: group.empty_since_ms,
        }
    }

    /// Members get their whole time anew: how long the broker was away is not their fault.
    fn restore(self, now_ms: Millis, session_ms: i64, group: &mut Group) {
        group.state = self.state;
        group.generation = self.generation;
        group.protocol_type = self.protocol_type;
        group.protocol = self.protocol;
        group.leader = self.leader;
        group.next_number = self.next_number;
        group.consumer = self.consumer;
        group.empty_since_ms = self.empty_since_ms;
        for fact in self.members {
            let member = fact.restore(now_ms);
            group.members.insert(member.id.clone(), member);
        }
        let consumers = group
            .consumer
            .iter_mut()
            .flat_map(|g| g.members.values_mut());
        for member in consumers {
            member.expires_ms = now_ms.saturating_add(session_ms);
            let revoking = !member.revoking.is_empty();
            let wait = member.rebalance_timeout_ms;
            member.revoke_by_ms = revoking.then(|| now_ms.saturating_add(wait));
        }
        if matches!(
            self.state,
            State::PreparingRebalance | State::CompletingRebalance
        ) {
            let longest = group.members.values().map(|m| m.rebalance_timeout_ms).max();
            let wait = longest.unwrap_or(0).max(1000);
            group.rebalance_ends_ms = Some(now_ms.saturating_add(wait));
        }
    }
}

impl MemberFact {
    fn of(member: &Member) -> MemberFact {
        let protocols = member.protocols.iter();
        MemberFact {
            id: member.id.clone(),
            instance: member.instance.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            session_timeout_ms: member.session_timeout_ms,
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            protocols: protocols
                .map(|(name, metadata)| (name.clone(), Hex(metadata.clone())))
                .collect(),
            assignment: Hex(member.assignment.clone()),
            number: member.number,
        }
    }

    fn restore(self, now_ms: Millis) -> Member {
        let protocols = self.protocols.into_iter();
        Member {
            expires_ms: now_ms + self.session_timeout_ms,
            id: self.id,
            instance: self.instance,
            client_id: self.client_id,
            client_host: self.client_host,
            session_timeout_ms: self.session_timeout_ms,
            rebalance_timeout_ms: self.rebalance_timeout_ms,
            protocols: protocols.map(|(name, Hex(bytes))| (name, bytes)).collect(),
            assignment: self.assignment.0,
            joining: None,
            syncing: None,
            number: self.number,
        }
    }
}

impl From<Hex> for String {
    fn from(Hex(bytes): Hex) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl TryFrom<String> for Hex {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Hex, &'static str> {
        let pairs = text.as_bytes().chunks(2);
        let bytes = pairs.map(|pair| {
            let digits = std::str::from_utf8(pair)
                .ok()
                .filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(digits, 16).ok()
        });
        let bytes: Option<Vec<u8>> = bytes.collect();
        bytes
            .map(|bytes| Hex(Bytes::from(bytes)))
            .ok_or("not pairs of hexadecimal digits")
    }
}

fn offset_key(group: String, (topic, partition): Read) -> Key {
    Key::Offset {
        group,
        topic,
        partition,
    }
}
