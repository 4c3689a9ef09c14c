//! The brokers behind a lock, and who waits for which reply.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::{Notify, oneshot};

use crate::brokers::{
    BrokerSettings, Brokers, Call, Event, Fault, Input, Millis, Node, Outputs, RequestId,
};
use crate::description::ClusterDescription;
use crate::inspection::{LogInspection, LogQuery};
use crate::wire::{Incoming, Response};

/// How long no deadline is looked at after one led to a panic.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// What became of a request.
pub enum Outcome {
    Reply(Response),
    /// The client asked for none.
    NoReply,
    /// The reply comes later, through the receiver.
    Waiting(RequestId, oneshot::Receiver<Response>),
    /// The brokers panicked over it, which was reported: there will be no reply.
    Failed,
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
        let what = format!(
            "request {} from {}",
            incoming.request.key(),
            call.client_host
        );
        let input = Input::Request(call, incoming.request);
        let Some(outputs) = inner.step(self.clock.now_ms(), input, &what) else {
            return Outcome::Failed;
        };
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
        let input = Input::Abandoned(id);
        if let Some(outputs) = inner.step(self.clock.now_ms(), input, "the end of a client") {
            self.deliver(&mut inner, outputs, |_, response| Some(response));
        }
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

    /// Returns false where the brokers panicked.
    fn tick(&self) -> bool {
        let mut inner = self.lock();
        let outputs = inner.step(self.clock.now_ms(), Input::Tick, "a deadline");
        match outputs {
            Some(outputs) => self.deliver(&mut inner, outputs, |_, response| Some(response)),
            None => return false,
        }
        true
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
        // No step panics through this lock (see `Inner::step`), and what little else runs under
        // it leaves everything whole.
        self.inner
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Inner {
    /// Takes a step, or returns nothing where the brokers panicked.
    ///
    /// A panic is a mistake of ours. It costs the client that met it its connection, is reported,
    /// and leaves the brokers as they were at that point: going on, as Kafka does, beats taking
    /// every client's records away.
    fn step(&mut self, now_ms: Millis, input: Input, what: &str) -> Option<Outputs> {
        let step = AssertUnwindSafe(|| self.brokers.step(now_ms, input));
        let stepped = std::panic::catch_unwind(step);
        if stepped.is_err() {
            eprintln!("broker: panicked over {what} (a fault of the broker); it goes on without");
        }
        stepped.ok()
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
            () = tokio::time::sleep(wait) => if !host.tick() {
                // The deadline stays in the past: without a pause this would never rest.
                tokio::time::sleep(AFTER_PANIC).await;
            },
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
