//! The world of one history: brokers, clients, what is between them, and the next thing to happen.

use std::collections::{BTreeMap, BTreeSet};

use super::actors::{Answer, Context};
use super::asks;
use super::checks::committed::Committed;
use super::checks::groups::Offsets;
use super::checks::replicas::Seen;
use super::clients::Client;
use super::consumer::Consumer;
use super::crash::Doom;
use super::dice::Dice;
use super::ledger::Ledger;
use super::net::{Event, Mend, Net};
use super::places::Places;
use super::plan::When;
use super::producer::Producer;
use super::scenario::{ClientPlan, Commit, Scenario};
use super::trace::Trace;
use super::watch::Watch;
use crate::brokers::{BrokerSettings, Brokers, Call, Input, Millis, Node, Reply, RequestId};

/// All histories begin on the same day.
pub(super) const START_MS: Millis = 1_700_000_000_000;
/// A consumer that died at its crash point is back after so long: its session is over by then.
const DOOM_MS: i64 = 400;
/// Produce: a copy of it may arrive although its client has given up waiting.
const PRODUCE: i16 = 0;

#[derive(Debug)]
pub(super) struct World {
    pub scenario: Scenario,
    pub places: Places,
    pub brokers: Brokers,
    pub net: Net,
    pub ledger: Ledger,
    pub trace: Trace,
    pub watch: Watch,
    pub committed: Vec<Committed>,
    pub seen: Vec<Seen>,
    pub offsets: Offsets,
    pub groups: Vec<String>,
    /// Transactions that ended, as far as the checks have looked.
    pub ends_seen: usize,
    /// By topic that consumers write to in transactions: their group.
    pub output_groups: BTreeMap<usize, usize>,
    pub group_reads_committed: Vec<bool>,
    clients: Vec<Client>,
    deadline: Option<Millis>,
    pub down: BTreeSet<i32>,
    /// Nodes that do not hear the controller.
    pub isolated: BTreeSet<i32>,
    pub steps: u64,
    /// Faults that are not over yet, or still to come.
    pub trouble: usize,
    pub calm_ms: Millis,
    by_step: BTreeMap<u64, Vec<usize>>,
}

impl World {
    pub fn new(scenario: Scenario, traced: bool) -> World {
        let places = Places::new(&scenario.topics);
        let clients = scenario.clients().len();
        let mut dice = Dice::new(scenario.seed ^ 0x5eed);
        let mut world = World {
            brokers: brokers(&scenario, dice.next()),
            net: Net::new(START_MS, clients, dice),
            ledger: Ledger::default(),
            trace: Trace {
                on: traced,
                ..Trace::default()
            },
            watch: Watch::default(),
            committed: Vec::new(),
            seen: Vec::new(),
            offsets: Offsets::default(),
            groups: Vec::new(),
            ends_seen: 0,
            output_groups: BTreeMap::new(),
            group_reads_committed: Vec::new(),
            clients: Vec::new(),
            deadline: None,
            down: BTreeSet::new(),
            isolated: BTreeSet::new(),
            steps: 0,
            trouble: scenario.faults.faults.len(),
            calm_ms: START_MS,
            by_step: BTreeMap::new(),
            places,
            scenario,
        };
        world.make_topics();
        world.make_clients();
        world.plan_faults();
        world
    }

    fn make_topics(&mut self) {
        for topic in self.scenario.topics.clone() {
            let call = self.call(RequestId(0), 1, 5);
            self.drive(Input::Request(call, asks::create_topic(&topic)));
        }
        self.committed
            .resize_with(self.places.len(), Committed::default);
        self.seen.resize_with(self.places.len(), Seen::default);
        self.watch.look(&self.brokers, &self.places);
    }

    fn make_clients(&mut self) {
        for (number, plan) in self.scenario.clients().to_vec().into_iter().enumerate() {
            self.ledger.sent.push(Vec::new());
            self.ledger.done.push(false);
            let client = match plan {
                ClientPlan::Producer(plan) => Client::Producer(Box::new(Producer::new(plan))),
                ClientPlan::Consumer(plan) => {
                    self.ledger.done[number] = true;
                    let group = self.group(&plan.group, plan.read_committed, plan.commit);
                    if let Commit::InTransaction { into } = plan.commit {
                        self.output_groups.insert(into, group);
                    }
                    if let Some(into) = plan.writes_to() {
                        let repeats = self.scenario.topics[plan.topic].unclean_election;
                        for tp in self.places.of_topic(into) {
                            let log = &mut self.committed[usize::from(tp.0)];
                            log.output = true;
                            log.repeats |= repeats;
                        }
                    }
                    let death = self.scenario.death.filter(|(client, ..)| *client == number);
                    let doom = death.map_or(Doom::default(), |(_, point, visits)| Doom {
                        point: Some(point),
                        visits,
                        dead: false,
                    });
                    Client::Consumer(Box::new(Consumer::new(plan, group, doom)))
                }
            };
            self.clients.push(client);
            self.with_client(number, |client, context| client.start(context));
        }
    }

    fn group(&mut self, name: &str, read_committed: bool, commit: Commit) -> usize {
        let exact = matches!(commit, Commit::InTransaction { .. });
        let least = exact || commit == Commit::After;
        let most = exact || commit == Commit::Before;
        if let Some(known) = self.groups.iter().position(|group| group == name) {
            self.ledger.at_least_once[known] &= least;
            self.ledger.at_most_once[known] &= most;
            self.group_reads_committed[known] &= read_committed;
            return known;
        }
        self.groups.push(name.to_owned());
        self.group_reads_committed.push(read_committed);
        self.ledger.effects.push(BTreeMap::new());
        self.ledger.at_least_once.push(least);
        self.ledger.at_most_once.push(most);
        self.groups.len() - 1
    }

    fn plan_faults(&mut self) {
        for (number, planned) in self.scenario.faults.faults.iter().enumerate() {
            match planned.when {
                When::At(ms) => self.net.at(START_MS + ms, Event::Strike(number)),
                When::Step(step) => self.by_step.entry(step).or_default().push(number),
            }
        }
    }

    /// Lets the next thing happen. Returns false where nothing is left to happen.
    pub fn advance(&mut self) -> bool {
        self.trace.step = self.steps + 1;
        if let Some(due) = self.by_step.remove(&self.trace.step) {
            for number in due {
                self.strike(number);
            }
        }
        loop {
            let due = self.deadline.map(|due| due.max(self.net.now_ms));
            let happened = match (self.net.next_ms(), due) {
                (None, None) => return false,
                (Some(next), Some(due)) if due <= next => self.tick(due),
                (None, Some(due)) => self.tick(due),
                (Some(_), _) => match self.net.pop() {
                    Some(event) => self.happen(event),
                    None => return false,
                },
            };
            if happened {
                self.steps += 1;
                return true;
            }
        }
    }

    fn tick(&mut self, due: Millis) -> bool {
        self.net.now_ms = due;
        self.note_time();
        let before = self.brokers_deadline();
        self.drive(Input::Tick);
        // A core whose deadline stands still would be asked again for ever.
        before != self.brokers_deadline() || self.deadline.is_none_or(|next| next > due)
    }

    fn brokers_deadline(&self) -> Option<Millis> {
        self.deadline
    }

    fn note_time(&mut self) {
        self.trace.at_ms = self.net.now_ms - START_MS;
    }

    /// Returns false where the event was about something that is over.
    fn happen(&mut self, event: Event) -> bool {
        self.note_time();
        match event {
            Event::Arrive(id) => self.arrive(id),
            Event::Return(id, response) => self.finish(id, Answer::Response(response)),
            Event::Reset(id) => self.finish(id, Answer::Reset),
            Event::TimeOut(id) => self.time_out(id),
            Event::Wake {
                client,
                life,
                token,
            } => {
                let link = &self.net.links[client];
                if !link.alive || link.life != life {
                    return false;
                }
                self.with_client(client, |client, context| client.woken(context, token));
                true
            }
            Event::Strike(number) => {
                self.strike(number);
                true
            }
            Event::Mend(mend) => {
                self.mend(mend);
                true
            }
        }
    }

    fn arrive(&mut self, id: RequestId) -> bool {
        let now_ms = self.net.now_ms;
        let Some(pending) = self.net.pending.get_mut(&id) else {
            return false;
        };
        let node = pending.node;
        if self.down.contains(&node) {
            self.net.after(1, Event::Reset(id));
            return false;
        }
        let Some(request) = pending.request.take() else {
            return false;
        };
        pending.arrived_ms = Some(now_ms);
        let awaited = pending.awaited;
        let version = pending.version;
        if !awaited {
            self.trace.say(
                || format!("node {node}"),
                || "hears a request that its client gave up on".to_owned(),
            );
        }
        let call = self.call(id, node, version);
        self.drive(Input::Request(call, request));
        if !awaited {
            self.net.pending.remove(&id);
            self.drive(Input::Abandoned(id));
        }
        true
    }

    fn call(&self, id: RequestId, node: i32, version: i16) -> Call {
        let client = self
            .net
            .pending
            .get(&id)
            .map_or(0, |pending| pending.client);
        Call {
            id,
            node,
            version,
            client_id: format!("client-{client}"),
            client_host: "/simulated".to_owned(),
        }
    }

    /// Ends a request at its client.
    fn finish(&mut self, id: RequestId, answer: Answer) -> bool {
        let Some(pending) = self.net.pending.remove(&id) else {
            return false;
        };
        let link = &self.net.links[pending.client];
        if !link.alive || link.life != pending.life || !pending.awaited {
            return false;
        }
        self.with_client(pending.client, |client, context| {
            client.answered(context, id, answer)
        });
        true
    }

    /// The client closes its connection: whether the request arrives after all is left to chance
    /// for a produce request; any other dies with the connection.
    fn time_out(&mut self, id: RequestId) -> bool {
        let Some(pending) = self.net.pending.get_mut(&id) else {
            return false;
        };
        if !pending.awaited {
            return false;
        }
        let (client, life) = (pending.client, pending.life);
        let ghost = pending.key == PRODUCE && pending.arrived_ms.is_none();
        if ghost && self.net.dice.chance(60) {
            pending.awaited = false;
            let delay_ms = self.net.dice.pick(&[1, 80, 500]) + self.net.dice.between(0, 250);
            self.net.after(delay_ms, Event::Arrive(id));
        } else {
            let waits = pending.arrived_ms.is_some() && pending.answered_ms.is_none();
            self.net.pending.remove(&id);
            if waits {
                self.drive(Input::Abandoned(id));
            }
        }
        let link = &self.net.links[client];
        if !link.alive || link.life != life {
            return false;
        }
        self.with_client(client, |client, context| {
            context.say(|| "hears nothing and closes the connection".to_owned());
            client.answered(context, id, Answer::TimedOut)
        });
        true
    }

    /// Gives the core its input and takes what comes of it.
    pub fn drive(&mut self, input: Input) {
        let outputs = self.brokers.step(self.net.now_ms, input);
        self.deadline = outputs.deadline;
        for reply in outputs.replies {
            self.reply(reply);
        }
    }

    fn reply(&mut self, reply: Reply) {
        let now_ms = self.net.now_ms;
        let Some(pending) = self.net.pending.get_mut(&reply.to) else {
            return;
        };
        pending.answered_ms = Some(now_ms);
        let client = pending.client;
        let Some(response) = reply.response else {
            self.net.pending.remove(&reply.to);
            return;
        };
        if !self.net.send_back(reply.to, response) {
            self.trace.say(
                || "network".to_owned(),
                || format!("loses a reply to client {client}"),
            );
        }
    }

    /// Lets a client act.
    pub fn with_client(&mut self, number: usize, act: impl FnOnce(&mut Client, &mut Context<'_>)) {
        let client = &mut self.clients[number];
        let mut context = Context {
            client: number,
            role: client.role(),
            nodes: self.scenario.nodes,
            places: &self.places,
            net: &mut self.net,
            ledger: &mut self.ledger,
            trace: &mut self.trace,
        };
        act(client, &mut context);
        if client.take_death() {
            self.trouble += 1;
            self.crash_client(number, DOOM_MS);
        }
    }

    /// Takes a client down; it comes back without memory.
    pub fn crash_client(&mut self, client: usize, down_ms: i64) {
        let link = &mut self.net.links[client];
        link.life += 1;
        link.alive = false;
        let theirs = self.net.pending.iter();
        let theirs = theirs.filter(|(_, pending)| pending.client == client);
        let theirs: Vec<RequestId> = theirs.map(|(id, _)| *id).collect();
        for id in theirs {
            let Some(pending) = self.net.pending.get_mut(&id) else {
                continue;
            };
            let ghost = pending.key == PRODUCE && pending.arrived_ms.is_none();
            if ghost {
                pending.awaited = false;
                continue;
            }
            let waits = pending.arrived_ms.is_some() && pending.answered_ms.is_none();
            self.net.pending.remove(&id);
            if waits {
                self.drive(Input::Abandoned(id));
            }
        }
        self.net.after(down_ms, Event::Mend(Mend::Client(client)));
    }

    pub fn restart_client(&mut self, client: usize) {
        self.net.links[client].alive = true;
        self.with_client(client, |client, context| {
            context.say(|| "starts again".to_owned());
            client.restart(context)
        });
    }

    pub fn clients(&self) -> &[Client] {
        &self.clients
    }
}

/// Returns the brokers of a scenario, with time-outs as short as a history is.
fn brokers(scenario: &Scenario, seed: u64) -> Brokers {
    let settings = BrokerSettings {
        min_session_timeout_ms: 1,
        auto_create_topics: false,
        session_timeout_ms: 90,
        replica_lag_ms: 50,
        flaw: scenario.flaw,
        ..BrokerSettings::default()
    };
    let node = |id| Node {
        id,
        host: "simulated".to_owned(),
        port: 9000 + id as u16,
        rack: None,
    };
    let nodes = (1..=scenario.nodes.max(1)).map(node).collect();
    Brokers::new(settings, nodes, seed)
}
