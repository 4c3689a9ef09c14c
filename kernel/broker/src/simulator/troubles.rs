//! Faults as they strike and end.

use super::net::{Event, Mend};
use super::plan::Fault;
use super::world::World;
use crate::brokers::{Fault as NodeFault, Input, Peer, RequestId};

impl World {
    /// Lets a planned fault happen.
    pub(super) fn strike(&mut self, number: usize) {
        let fault = self.scenario.faults.faults[number].fault;
        self.suffer(fault);
    }

    /// Lets a fault happen now; `trouble` counts it until it is over.
    pub(super) fn suffer(&mut self, fault: Fault) {
        self.trace.say(|| "plan".to_owned(), || fault.to_string());
        let now_ms = self.net.now_ms;
        match fault {
            Fault::LostReplies { client, count } => {
                self.net.links[client].lose_replies += count;
                self.over();
            }
            Fault::ClockSkew { client, skew_ms } => {
                self.net.links[client].skew_ms = skew_ms;
                self.over();
            }
            Fault::ClientCut { client, for_ms } => {
                self.net.links[client].cut_until = now_ms + for_ms;
                self.calm_ms = self.calm_ms.max(now_ms + for_ms);
                self.over();
            }
            Fault::ClientSlow {
                client,
                delay_ms,
                for_ms,
            } => {
                let link = &mut self.net.links[client];
                link.slow_ms = delay_ms;
                link.slow_until = now_ms + for_ms;
                self.calm_ms = self.calm_ms.max(now_ms + for_ms);
                self.over();
            }
            Fault::ClientCrash { client, down_ms } => match self.net.links[client].alive {
                true => self.crash_client(client, down_ms),
                false => self.over(),
            },
            Fault::Crash { node, down_ms } if !self.down.contains(&node) => {
                self.take_down(node);
                self.drive(Input::Fault(NodeFault::Kill { node }));
                self.net.after(down_ms, Event::Mend(Mend::Node(node)));
            }
            Fault::Stop { node, down_ms } if !self.down.contains(&node) => {
                // It answers who waits before it goes.
                self.drive(Input::Fault(NodeFault::Stop { node }));
                self.take_down(node);
                self.net.after(down_ms, Event::Mend(Mend::Node(node)));
            }
            Fault::Cut { from, to, for_ms } => {
                let (a, b) = (Peer::Node(from), Peer::Node(to));
                self.drive(Input::Fault(NodeFault::Cut { a, b }));
                self.net.after(for_ms, Event::Mend(Mend::Link(from, to)));
            }
            Fault::Slow {
                from,
                to,
                delay_ms,
                for_ms,
            } => {
                let (a, b) = (Peer::Node(from), Peer::Node(to));
                self.drive(Input::Fault(NodeFault::Delay { a, b, delay_ms }));
                self.net.after(for_ms, Event::Mend(Mend::Link(from, to)));
            }
            Fault::Isolated { node, for_ms } => {
                let (a, b) = (Peer::Node(node), Peer::Controller);
                self.isolated.insert(node);
                self.drive(Input::Fault(NodeFault::Cut { a, b }));
                self.net.after(for_ms, Event::Mend(Mend::Controller(node)));
            }
            Fault::Crash { .. } | Fault::Stop { .. } => self.over(),
        }
    }

    /// Ends a fault.
    pub(super) fn mend(&mut self, mend: Mend) {
        match mend {
            Mend::Client(client) => self.restart_client(client),
            Mend::Node(node) => {
                self.down.remove(&node);
                self.drive(Input::Fault(NodeFault::Start { node }));
            }
            Mend::Link(from, to) => {
                let (a, b) = (Peer::Node(from), Peer::Node(to));
                self.drive(Input::Fault(NodeFault::Heal { a, b }));
                self.drive(Input::Fault(NodeFault::Delay { a, b, delay_ms: 0 }));
            }
            Mend::Controller(node) => {
                let (a, b) = (Peer::Node(node), Peer::Controller);
                self.isolated.remove(&node);
                self.drive(Input::Fault(NodeFault::Heal { a, b }));
            }
        }
        self.over();
    }

    /// Who waits at a node that goes hears that the connection broke.
    fn take_down(&mut self, node: i32) {
        self.down.insert(node);
        let waiting = self.net.pending.iter().filter(|(_, pending)| {
            let here = pending.node == node && pending.arrived_ms.is_some();
            here && pending.answered_ms.is_none()
        });
        let waiting: Vec<RequestId> = waiting.map(|(id, _)| *id).collect();
        for id in waiting {
            if let Some(pending) = self.net.pending.get_mut(&id) {
                pending.answered_ms = Some(self.net.now_ms);
            }
            self.net.after(1, Event::Reset(id));
        }
    }

    fn over(&mut self) {
        self.trouble = self.trouble.saturating_sub(1);
        self.calm_ms = self.calm_ms.max(self.net.now_ms);
    }
}
