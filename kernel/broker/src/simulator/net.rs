//! Messages on their way between clients and nodes: delayed, lost, cut, by chance and by plan.

use std::collections::BTreeMap;

use super::dice::Dice;
use super::places::Tp;
use crate::brokers::{Millis, RequestId};
use crate::wire::{Request, Response};

/// A client that hears nothing for so long closes its connection.
pub(super) const REQUEST_TIMEOUT_MS: i64 = 120;
/// Long enough for a rebalance.
pub(super) const JOIN_TIMEOUT_MS: i64 = 900;

/// What happens at a moment.
#[derive(Debug)]
pub(super) enum Event {
    /// A request reaches its node.
    Arrive(RequestId),
    /// A reply reaches its client.
    Return(RequestId, Response),
    /// The client hears that the connection is gone.
    Reset(RequestId),
    /// The client has waited long enough.
    TimeOut(RequestId),
    /// A client's own timer.
    Wake {
        client: usize,
        life: u32,
        token: u32,
    },
    /// A planned fault, by its place in the plan.
    Strike(usize),
    /// What a fault broke is mended.
    Mend(Mend),
}

/// The end of a fault.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mend {
    Client(usize),
    Node(i32),
    /// Two nodes hear each other again, as fast as ever.
    Link(i32, i32),
    /// A node hears the controller again.
    Controller(i32),
}

/// A request that its client waits for.
#[derive(Debug)]
pub(super) struct Pending {
    pub client: usize,
    pub life: u32,
    pub node: i32,
    pub version: i16,
    /// Taken out when it arrives.
    pub request: Option<Request>,
    pub key: i16,
    pub arrived_ms: Option<Millis>,
    /// When the node had its answer; it may still be on the way, or lost.
    pub answered_ms: Option<Millis>,
    /// False once the client has given up on it.
    pub awaited: bool,
    /// For a fetch: where it reads, and whether committed records only.
    pub fetches: Vec<(Tp, i64)>,
    pub read_committed: bool,
}

/// How well a client is connected.
#[derive(Debug, Default, Clone)]
pub(super) struct Link {
    pub life: u32,
    pub alive: bool,
    pub cut_until: Millis,
    pub slow_until: Millis,
    pub slow_ms: i64,
    pub lose_replies: u32,
    pub skew_ms: i64,
}

/// All that is on its way.
#[derive(Debug)]
pub(super) struct Net {
    pub now_ms: Millis,
    pub links: Vec<Link>,
    pub pending: BTreeMap<RequestId, Pending>,
    queue: BTreeMap<(Millis, u64), Event>,
    order: u64,
    next_request: u64,
    pub dice: Dice,
}

impl Net {
    pub fn new(start_ms: Millis, clients: usize, dice: Dice) -> Net {
        let link = Link {
            alive: true,
            ..Link::default()
        };
        Net {
            now_ms: start_ms,
            links: vec![link; clients],
            pending: BTreeMap::new(),
            queue: BTreeMap::new(),
            order: 0,
            next_request: 1,
            dice,
        }
    }

    /// Lets something happen later; what is due at the same moment keeps its order.
    pub fn at(&mut self, when_ms: Millis, event: Event) {
        self.order += 1;
        let when_ms = when_ms.max(self.now_ms);
        self.queue.insert((when_ms, self.order), event);
    }

    pub fn after(&mut self, wait_ms: i64, event: Event) {
        self.at(self.now_ms + wait_ms, event);
    }

    /// Returns when the next event is due.
    pub fn next_ms(&self) -> Option<Millis> {
        self.queue.keys().next().map(|(when_ms, _)| *when_ms)
    }

    pub fn pop(&mut self) -> Option<Event> {
        let ((when_ms, _), event) = self.queue.pop_first()?;
        self.now_ms = self.now_ms.max(when_ms);
        Some(event)
    }

    /// Sends a request on its way; the client hears of its fate once, whatever happens.
    pub fn send(&mut self, client: usize, node: i32, version: i16, request: Request) -> RequestId {
        let id = RequestId(self.next_request);
        self.next_request += 1;
        let timeout_ms = match &request {
            Request::JoinGroup(_) | Request::SyncGroup(_) => JOIN_TIMEOUT_MS,
            _ => REQUEST_TIMEOUT_MS,
        };
        let link = &self.links[client];
        let cut = link.cut_until > self.now_ms;
        let pending = Pending {
            client,
            life: link.life,
            node,
            version,
            key: request.key(),
            request: Some(request),
            arrived_ms: None,
            answered_ms: None,
            awaited: true,
            fetches: Vec::new(),
            read_committed: false,
        };
        self.pending.insert(id, pending);
        if !cut {
            let delay_ms = self.delay_ms(client);
            self.after(delay_ms, Event::Arrive(id));
        }
        self.after(timeout_ms, Event::TimeOut(id));
        id
    }

    /// Sends a reply on its way, unless it gets lost. Returns false where it does.
    pub fn send_back(&mut self, id: RequestId, response: Response) -> bool {
        let Some(pending) = self.pending.get(&id) else {
            return false;
        };
        let client = pending.client;
        let now_ms = self.now_ms;
        let link = &mut self.links[client];
        if link.cut_until > now_ms || !pending.awaited {
            return false;
        }
        if link.lose_replies > 0 {
            link.lose_replies -= 1;
            return false;
        }
        let delay_ms = self.delay_ms(client);
        self.after(delay_ms, Event::Return(id, response));
        true
    }

    fn delay_ms(&mut self, client: usize) -> i64 {
        let link = &self.links[client];
        let slow_ms = match link.slow_until > self.now_ms {
            true => link.slow_ms,
            false => 0,
        };
        slow_ms + self.dice.between(0, 3)
    }
}
