//! The brokers behind a lock, and who waits for which reply.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::{Notify, oneshot};

use crate::brokers::{
    BrokerSettings, Brokers, Call, Event, Fault, Input, Millis, Node, Outputs, RequestId,
};
use crate::description::ClusterDescription;
use crate::inspection::{LogInspection, LogQuery};
use crate::wire::{Incoming, Response};

/// What became of a request.
pub enum Outcome {
    Reply(Response),
    /// The client asked for none.
    NoReply,
    /// The reply comes later, through the receiver.
    Waiting(RequestId, oneshot::Receiver<Response>),
}

/// The brokers with real time.
pub struct Host {
    /// Locked for one step at a time, never across an `.await`. A std lock, because steps are
    /// short and `describe` comes from threads that know no runtime.
    inner: Mutex<Inner>,
    clock: Clock,
    timer: Notify,
}

struct Inner {
    brokers: Brokers,
    waiting: HashMap<RequestId, oneshot::Sender<Response>>,
    next_request: u64,
    deadline: Option<Millis>,
}

impl Host {
    pub fn new(settings: BrokerSettings, nodes: Vec<Node>, seed: u64) -> Host {
        Host {
            inner: Mutex::new(Inner {
                brokers: Brokers::new(settings, nodes, seed),
                waiting: HashMap::new(),
                next_request: 0,
                deadline: None,
            }),
            clock: Clock::start(),
            timer: Notify::new(),
        }
    }

    /// Gives a request to a node.
    pub fn request(&self, node: i32, incoming: Incoming, client_host: &str) -> Outcome {
        let mut inner = self.lock();
        let id = RequestId(inner.next_request);
        inner.next_request += 1;
        let call = Call {
            id,
            node,
            version: incoming.version,
            client_id: incoming.client_id,
            client_host: client_host.to_owned(),
        };
        let input = Input::Request(call, incoming.request);
        let outputs = inner.brokers.step(self.clock.now_ms(), input);
        let mut own = None;
        self.deliver(&mut inner, outputs, |to, response| {
            if to == id {
                own = Some(response);
                None
            } else {
                Some(response)
            }
        });
        match own {
            Some(Some(response)) => Outcome::Reply(response),
            Some(None) => Outcome::NoReply,
            None => {
                let (sender, receiver) = oneshot::channel();
                inner.waiting.insert(id, sender);
                Outcome::Waiting(id, receiver)
            }
        }
    }

    /// Forgets a request whose client is gone.
    pub fn abandon(&self, id: RequestId) {
        let mut inner = self.lock();
        inner.waiting.remove(&id);
        let outputs = inner
            .brokers
            .step(self.clock.now_ms(), Input::Abandoned(id));
        self.deliver(&mut inner, outputs, |_, response| Some(response));
    }

    /// Does something to a node or a link.
    pub fn fault(&self, fault: Fault) {
        let mut inner = self.lock();
        let outputs = inner.brokers.step(self.clock.now_ms(), Input::Fault(fault));
        self.deliver(&mut inner, outputs, |_, response| Some(response));
    }

    pub fn events(&self) -> Vec<Event> {
        self.lock().brokers.events()
    }

    pub fn coordinator_of(&self, key: &str) -> Option<i32> {
        self.lock().brokers.coordinator_of(key)
    }

    pub fn is_up(&self, node: i32) -> bool {
        self.lock().brokers.is_up(node)
    }

    pub fn describe(&self) -> ClusterDescription {
        self.lock().brokers.describe()
    }

    pub fn inspect(&self, of: &LogQuery) -> Option<LogInspection> {
        self.lock().brokers.inspect(of)
    }

    pub fn reset(&self) {
        let mut inner = self.lock();
        let outputs = inner.brokers.reset(self.clock.now_ms());
        self.deliver(&mut inner, outputs, |_, response| Some(response));
    }

    fn tick(&self) {
        let mut inner = self.lock();
        let outputs = inner.brokers.step(self.clock.now_ms(), Input::Tick);
        self.deliver(&mut inner, outputs, |_, response| Some(response));
    }

    /// Hands replies to who waits for them, after `claim` has had a look, and sets the timer.
    fn deliver(
        &self,
        inner: &mut Inner,
        outputs: Outputs,
        mut claim: impl FnMut(RequestId, Option<Response>) -> Option<Option<Response>>,
    ) {
        for reply in outputs.replies {
            let Some(Some(response)) = claim(reply.to, reply.response) else {
                continue;
            };
            if let Some(waiting) = inner.waiting.remove(&reply.to) {
                // The connection may have closed in the meantime: then nobody misses it.
                let _ = waiting.send(response);
            }
        }
        if inner.deadline != outputs.deadline {
            inner.deadline = outputs.deadline;
            self.timer.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A step that panicked leaves the brokers as they were at that point; going on beats
        // taking every client's data away with it.
        self.inner
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Wakes the brokers when the deadline of their last step has come.
pub async fn run_timer(host: std::sync::Arc<Host>) {
    loop {
        let deadline = host.lock().deadline;
        let Some(deadline) = deadline else {
            host.timer.notified().await;
            continue;
        };
        let wait =
            Duration::from_millis(u64::try_from(deadline - host.clock.now_ms()).unwrap_or(0));
        tokio::select! {
            () = tokio::time::sleep(wait) => host.tick(),
            () = host.timer.notified() => {}
        }
    }
}

/// Wall-clock time that never goes backwards.
struct Clock {
    start_ms: Millis,
    started: Instant,
}

impl Clock {
    fn start() -> Clock {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Clock {
            start_ms: since.as_millis() as Millis,
            started: Instant::now(),
        }
    }

    fn now_ms(&self) -> Millis {
        self.start_ms + self.started.elapsed().as_millis() as Millis
    }
}
