//! The brokers behind a lock, and who waits for which reply.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::{Notify, oneshot};

use crate::brokers::{
    BrokerSettings, Brokers, Call, Event, Fault, Input, Millis, Node, NotRestored, Outputs, Reply,
    RequestId,
};
use crate::description::{ClusterDescription, StorageDescription};
use crate::error::{Error, Result};
use crate::inspection::{LogInspection, LogQuery};
use crate::storage::{self, DiskRef, Flush, Gate, Storage, Writer};
use crate::wire::{Incoming, Response};

/// How long no deadline is looked at after one led to a panic.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// What became of a request.
pub enum Outcome {
    Reply(Response),
    /// The client asked for none.
    NoReply,
    /// The reply comes later, through the receiver.
    Waiting(RequestId, oneshot::Receiver<Option<Response>>),
    /// The brokers panicked over it, which was reported: there will be no reply.
    Failed,
}

/// Where a cluster is stored.
pub struct DataDir<'a> {
    pub path: &'a Path,
    pub flush: Flush,
    pub disk: DiskRef,
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
    waiting: HashMap<RequestId, Waiter>,
    gate: Gate,
    /// Where changes go; nothing where the cluster lives in memory.
    writer: Option<Writer>,
    storage: Option<StorageDescription>,
    next_request: u64,
    deadline: Option<Millis>,
}

/// Who gets a reply.
enum Waiter {
    Client(oneshot::Sender<Option<Response>>),
    /// A thread of this program, which wants to know only that what it saw is stored.
    Caller(mpsc::Sender<()>),
}

impl Host {
    /// Returns brokers that are read back from a directory, and written to it.
    ///
    /// # Errors
    /// What `Storage::open` says, and `Error::OtherCluster`.
    pub fn stored_in(
        dir: &DataDir<'_>,
        settings: BrokerSettings,
        nodes: Vec<Node>,
        seed: u64,
    ) -> Result<Arc<Host>> {
        let mut storage = Storage::open(dir.path, dir.flush, dir.disk.clone())?;
        let description = StorageDescription {
            dir: storage.root().display().to_string(),
            flush: dir.flush.to_string(),
            recovery: storage.recovery.clone(),
            failure: None,
        };
        let settings = BrokerSettings {
            durable: true,
            ..settings
        };
        let mut host = Host::new(settings.clone(), nodes.clone(), seed);
        let stored = std::mem::take(&mut storage.stored);
        let now_ms = host.clock.now_ms();
        let brokers = Brokers::restore(settings, nodes, seed, now_ms, stored);
        let inner = host.inner.get_mut().expect("nobody has locked it yet");
        inner.brokers = brokers.map_err(|why| not_restored(&storage, why))?;
        inner.storage = Some(description);
        let host = Arc::new(host);
        let told = Arc::downgrade(&host);
        let writer = Writer::start(storage, move |event| {
            if let Some(host) = told.upgrade() {
                host.stored(event);
            }
        })?;
        host.lock().writer = Some(writer);
        // What had to be put right is written before anybody comes.
        host.tick();
        Ok(host)
    }

    /// Writes what is left and closes the data directory, where there is one.
    ///
    /// # Errors
    /// `Error::Storage`, also where writing had failed before.
    pub fn close(&self) -> Result<()> {
        // Not under the lock: the writer needs it to say what it has done.
        let writer = self.lock().writer.take();
        writer.map_or(Ok(()), Writer::close)
    }

    pub fn new(settings: BrokerSettings, nodes: Vec<Node>, seed: u64) -> Host {
        Host {
            inner: Mutex::new(Inner {
                brokers: Brokers::new(settings, nodes, seed),
                waiting: HashMap::new(),
                gate: Gate::default(),
                writer: None,
                storage: None,
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
        let id = inner.next_id();
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
        let lost = self.deliver(&mut inner, outputs, |to, response| {
            if to == id {
                own = Some(response);
                None
            } else {
                Some(response)
            }
        });
        let lost = lost.contains(&id);
        match own {
            Some(Some(response)) => Outcome::Reply(response),
            Some(None) => Outcome::NoReply,
            None => {
                let (sender, receiver) = oneshot::channel();
                // A reply that will never come lets go of the receiver, and the connection ends.
                if !lost {
                    inner.waiting.insert(id, Waiter::Client(sender));
                }
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
        let mut inner = self.lock();
        let mut description = inner.brokers.describe();
        description.storage = inner.storage.clone().map(Box::new);
        let stored = self.wait_in_line(&mut inner, Outputs::default());
        drop(inner);
        // Nobody is left to wait for where the storage failed: the description says so.
        let _ = stored.recv();
        description
    }

    pub fn inspect(&self, of: &LogQuery) -> Option<LogInspection> {
        self.lock().brokers.inspect(of)
    }

    pub fn reset(&self) {
        let mut inner = self.lock();
        let outputs = inner.brokers.reset(self.clock.now_ms());
        let stored = self.wait_in_line(&mut inner, outputs);
        drop(inner);
        let _ = stored.recv();
    }

    /// Takes in what the storage has done.
    fn stored(&self, event: storage::Event) {
        let mut inner = self.lock();
        match event {
            storage::Event::Durable(number) => {
                for reply in inner.gate.durable(number) {
                    inner.send(reply);
                }
            }
            storage::Event::Sealed(place, base_offset, bytes) => {
                inner.brokers.map_segment(place, base_offset, bytes);
            }
            storage::Event::Failed(why) => {
                eprintln!("broker: nothing can be stored any more: {why}");
                inner.brokers.storage_failed(&why);
                for id in inner.gate.fail() {
                    inner.waiting.remove(&id);
                }
                if let Some(storage) = &mut inner.storage {
                    storage.failure = Some(why);
                }
            }
        }
    }

    /// Lets a thread wait until all that was changed so far, and by `outputs`, is stored.
    fn wait_in_line(&self, inner: &mut Inner, mut outputs: Outputs) -> mpsc::Receiver<()> {
        let id = inner.next_id();
        let (sender, receiver) = mpsc::channel();
        inner.waiting.insert(id, Waiter::Caller(sender));
        outputs.replies.push(Reply {
            to: id,
            response: None,
        });
        outputs.deadline = outputs.deadline.or(inner.deadline);
        for id in self.deliver(inner, outputs, |_, response| Some(response)) {
            inner.waiting.remove(&id);
        }
        receiver
    }

    /// Returns false where the brokers panicked.
    fn tick(&self) -> bool {
        let mut inner = self.lock();
        let outputs = inner.step(self.clock.now_ms(), Input::Tick, "a deadline");
        match outputs {
            Some(outputs) => {
                self.deliver(&mut inner, outputs, |_, response| Some(response));
                true
            }
            None => false,
        }
    }

    /// Hands replies to who waits for them, after `claim` has had a look, and sets the timer.
    fn deliver(
        &self,
        inner: &mut Inner,
        outputs: Outputs,
        mut claim: impl FnMut(RequestId, Option<Response>) -> Option<Option<Response>>,
    ) -> Vec<RequestId> {
        let changed = !outputs.changes.is_empty();
        let passed = inner.gate.pass(changed, outputs.replies);
        if let (Some(number), Some(writer)) = (passed.number, &inner.writer) {
            writer.write(number, outputs.changes);
        }
        for Reply { to, response } in passed.replies {
            if let Some(response) = claim(to, response) {
                inner.send(Reply { to, response });
            }
        }
        for id in &passed.lost {
            inner.waiting.remove(id);
        }
        if inner.deadline != outputs.deadline {
            inner.deadline = outputs.deadline;
            self.timer.notify_one();
        }
        passed.lost
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

    fn next_id(&mut self) -> RequestId {
        let id = RequestId(self.next_request);
        self.next_request += 1;
        id
    }

    fn send(&mut self, reply: Reply) {
        // Who waited may have gone in the meantime: then nobody misses it.
        match self.waiting.remove(&reply.to) {
            Some(Waiter::Client(client)) => drop(client.send(reply.response)),
            Some(Waiter::Caller(caller)) => drop(caller.send(())),
            None => {}
        }
    }
}

fn not_restored(storage: &Storage, why: NotRestored) -> Error {
    match why {
        NotRestored::OtherNodes { stored, given } => Error::OtherCluster {
            have: format!(
                "nodes {stored:?} in {}, nodes {given:?} asked for",
                storage.root().display()
            ),
        },
        NotRestored::Fact { key, why } => Error::Damaged {
            file: storage.journal_path().display().to_string(),
            offset: 0,
            position: 0,
            why: format!("the fact {key} cannot be read: {why}"),
        },
    }
}

/// Wakes the brokers when the deadline of their last step has come.
pub async fn run_timer(host: Arc<Host>) {
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
