//! Writes iopub, and nobody else does: one ordered queue, each message under the request that
//! caused it, so that nothing overtakes a cell's `idle`.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

use tokio::sync::Notify;

use super::queue::{Next, Outgoing, Queue};
use super::wire::{Parent, Post, Publisher, StreamName};
use crate::evaluate::{self, frame};

/// Displays that wait to be sent may hold so much memory; then the cell that shows them waits.
const WAITING_BYTES: usize = 32 << 20;

/// So many cells are remembered for output that comes after they have returned.
const REMEMBERED_CELLS: usize = 4096;

/// The way to iopub. Clones share one queue.
#[derive(Clone)]
pub struct Output {
    shared: Arc<Shared>,
}

struct Shared {
    /// Locked for one push or one pop. A std mutex: no await happens under it.
    state: Mutex<State>,
    /// Wakes the task that publishes.
    pushed: Notify,
    /// Wakes a cell's pump that waits for room, and whoever waits for the queue to be empty.
    popped: Condvar,
    drained: Notify,
}

struct State {
    queue: Queue,
    cells: BTreeMap<u64, Cell>,
    running: Option<Parent>,
    is_sending: bool,
}

/// What is known of a cell that runs or has run.
#[derive(Clone)]
struct Cell {
    parent: Parent,
    count: u32,
    silent: bool,
}

impl Output {
    /// Starts the task that owns `publisher`.
    pub fn start(publisher: Publisher) -> Output {
        let state = State {
            queue: Queue::new(),
            cells: BTreeMap::new(),
            running: None,
            is_sending: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            pushed: Notify::new(),
            popped: Condvar::new(),
            drained: Notify::new(),
        });
        tokio::spawn(publish(Arc::clone(&shared), publisher));
        Output { shared }
    }

    /// Publishes `post` under `parent`.
    pub fn post(&self, parent: &Parent, post: Post) {
        self.push(|state| state.queue.push(Some(Arc::clone(parent)), post));
    }

    /// Publishes that the kernel starts.
    pub fn starting(&self) {
        self.push(|state| state.queue.push(None, Post::Starting));
    }

    /// Publishes `busy` under a request that is not a cell.
    pub fn busy(&self, parent: &Parent) {
        self.post(parent, Post::Busy);
    }

    /// Publishes `idle` under a request that is not a cell. Front ends take that for the whole
    /// kernel's state, so the running cell says `busy` again.
    pub fn idle(&self, parent: &Parent) {
        self.push(|state| {
            state.queue.push(Some(Arc::clone(parent)), Post::Idle);
            if let Some(running) = &state.running {
                state.queue.push(Some(Arc::clone(running)), Post::Busy);
            }
        });
    }

    /// Publishes `busy` under a cell; output of number `cell` lands under it from now on. Of a
    /// silent cell only its state is published.
    pub fn enter(&self, cell: u64, parent: &Parent, count: u32, silent: bool) {
        self.push(|state| {
            let parent = Arc::clone(parent);
            state.queue.push(Some(Arc::clone(&parent)), Post::Busy);
            state.running = Some(Arc::clone(&parent));
            state.cells.insert(
                cell,
                Cell {
                    parent,
                    count,
                    silent,
                },
            );
            if state.cells.len() > REMEMBERED_CELLS {
                state.cells.pop_first();
            }
        });
    }

    /// Publishes `idle` under the running cell.
    pub fn leave(&self) {
        self.push(|state| {
            if let Some(parent) = state.running.take() {
                state.queue.push(Some(parent), Post::Idle);
            }
        });
    }

    /// Takes output of a cell, during it or after it. Waits where too much waits to be sent.
    pub fn receive(&self, cell: u64, output: evaluate::Output) {
        let mut state = self.lock();
        while state.queue.bytes() > WAITING_BYTES {
            state = self
                .shared
                .popped
                .wait(state)
                .expect("no panic under this lock");
        }
        let known = state
            .cells
            .get(&cell)
            .or_else(|| state.cells.values().next_back());
        let known = known.cloned();
        if known.as_ref().is_some_and(|cell| cell.silent) {
            return;
        }
        let count = known.as_ref().map_or(0, |cell| cell.count);
        let parent = known.map(|cell| cell.parent);
        let queue = &mut state.queue;
        match output {
            evaluate::Output::Stdout(text) => {
                queue.push_text(Instant::now(), cell, parent, StreamName::Stdout, &text);
            }
            evaluate::Output::Stderr(text) => {
                queue.push_text(Instant::now(), cell, parent, StreamName::Stderr, &text);
            }
            evaluate::Output::Frame(event) => {
                if let Some(post) = post_of(event, count) {
                    queue.push(parent, post);
                }
            }
        }
        drop(state);
        self.shared.pushed.notify_one();
    }

    /// Waits until everything pushed so far has been handed to the network.
    pub async fn drain(&self) {
        loop {
            let drained = self.shared.drained.notified();
            let is_drained = {
                let state = self.lock();
                state.queue.is_empty() && !state.is_sending
            };
            if is_drained {
                return;
            }
            drained.await;
        }
    }

    fn push(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.shared.pushed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().expect("no panic under this lock")
    }
}

fn post_of(event: frame::Event, count: u32) -> Option<Post> {
    match event {
        frame::Event::Display { id, data } => Some(Post::Display { id, data }),
        frame::Event::Update { id, data } => Some(Post::Update { id, data }),
        frame::Event::Result { data } => Some(Post::Result { count, data }),
        frame::Event::Clear { wait } => Some(Post::Clear { wait }),
        frame::Event::End => None,
    }
}

/// Sends what the queue gives, and welcomes subscribers meanwhile: the socket needs one owner.
async fn publish(shared: Arc<Shared>, mut publisher: Publisher) {
    loop {
        let next = {
            let mut state = shared.state.lock().expect("no panic under this lock");
            let next = state.queue.next(Instant::now());
            state.is_sending = matches!(next, Next::Send(_));
            next
        };
        match next {
            Next::Send(Outgoing { parent, post }) => {
                shared.popped.notify_all();
                publisher.publish(parent.as_deref(), post).await;
            }
            Next::Wait(wait) => tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = publisher.welcome() => {}
                () = shared.pushed.notified() => {}
            },
            Next::Nothing => {
                shared.drained.notify_waiters();
                tokio::select! {
                    () = publisher.welcome() => {}
                    () = shared.pushed.notified() => {}
                }
            }
        }
    }
}
