//! Writes iopub, and nobody else does: one ordered queue, each message under the request that
//! caused it, so that nothing overtakes a cell's `idle`.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

use tokio::sync::Notify;

use super::prompt::{Permission, Prompts};
use super::queue::{Next, Outgoing, Queue};
use super::wire::{Bundle, Execute, Parent, Post, Publisher, StreamName};
use crate::evaluate::stdin::Question;
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
    prompts: Prompts,
}

struct State {
    queue: Queue,
    cells: BTreeMap<u64, Cell>,
    running: Option<Running>,
    is_sending: bool,
    /// `starting` has not been published yet: it waits for someone to hear it.
    is_starting: bool,
}

/// The cell that runs now, and what it leaves for its reply.
struct Running {
    cell: u64,
    parent: Parent,
    left: Left,
}

/// What a cell leaves beside its output.
#[derive(Debug, Default)]
pub struct Left {
    /// Texts for the front end's pager.
    pub pages: Vec<Bundle>,
    /// The value of its last expression as text, for the history.
    pub value: Option<String>,
}

/// What is known of a cell that runs or has run.
#[derive(Clone)]
struct Cell {
    parent: Parent,
    count: u32,
    silent: bool,
    allow_stdin: bool,
}

impl Output {
    /// Starts the task that owns `publisher`; its first word is `starting`. What cells ask goes to `prompts`.
    pub fn start(publisher: Publisher, prompts: Prompts) -> Output {
        let state = State {
            queue: Queue::new(),
            cells: BTreeMap::new(),
            running: None,
            is_sending: false,
            is_starting: true,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            pushed: Notify::new(),
            popped: Condvar::new(),
            drained: Notify::new(),
            prompts,
        });
        tokio::spawn(publish(Arc::clone(&shared), publisher));
        Output { shared }
    }

    /// Publishes `post` under `parent`.
    pub fn post(&self, parent: &Parent, post: Post) {
        self.push(|state| state.queue.push(Some(Arc::clone(parent)), post));
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
                let parent = Arc::clone(&running.parent);
                state.queue.push(Some(parent), Post::Busy);
            }
        });
    }

    /// Publishes `busy` under a cell; output of number `cell` lands under it from now on. Of a
    /// silent cell only its state is published.
    pub fn enter(&self, cell: u64, parent: &Parent, count: u32, execute: &Execute) {
        self.push(|state| {
            let parent = Arc::clone(parent);
            state.queue.push(Some(Arc::clone(&parent)), Post::Busy);
            state.running = Some(Running {
                cell,
                parent: Arc::clone(&parent),
                left: Left::default(),
            });
            let known = Cell {
                parent,
                count,
                silent: execute.silent,
                allow_stdin: execute.allow_stdin,
            };
            state.remember(cell, known);
        });
    }

    /// Makes output of number `alias` land where that of the running cell does.
    pub fn alias(&self, alias: u64) {
        let mut state = self.lock();
        let running = state.running.as_ref().map(|running| running.cell);
        if let Some(known) = running.and_then(|cell| state.cells.get(&cell).cloned()) {
            state.remember(alias, known);
        }
    }

    /// Returns what the running cell leaves beside its output, and ends its question, if it has
    /// one open.
    pub fn left(&self) -> Left {
        self.shared.prompts.give_up();
        let mut state = self.lock();
        let running = state.running.as_mut();
        running.map_or_else(Left::default, |running| std::mem::take(&mut running.left))
    }

    /// Leaves a text for the pager of the front end whose cell runs.
    pub fn page(&self, data: Bundle) {
        if let Some(running) = &mut self.lock().running {
            running.left.pages.push(data);
        }
    }

    /// Publishes `idle` under the running cell.
    pub fn leave(&self) {
        self.push(|state| {
            if let Some(running) = state.running.take() {
                state.queue.push(Some(running.parent), Post::Idle);
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
        let ask = state.take(cell, output);
        drop(state);
        self.shared.pushed.notify_one();
        if let Some(Ask {
            parent,
            may,
            prompt,
            question,
        }) = ask
        {
            self.shared.prompts.ask(parent, may, prompt, question);
        }
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
        let mut state = self.lock();
        state.start();
        change(&mut state);
        drop(state);
        self.shared.pushed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().expect("no panic under this lock")
    }
}

/// A question of a cell on its way to the person.
struct Ask {
    parent: Option<Parent>,
    may: Permission,
    prompt: String,
    question: Question,
}

impl State {
    /// Publishes that the kernel starts, once: to the first who listens, or before anything else.
    fn start(&mut self) {
        if std::mem::take(&mut self.is_starting) {
            self.queue.push(None, Post::Starting);
        }
    }

    fn remember(&mut self, number: u64, cell: Cell) {
        self.cells.insert(number, cell);
        if self.cells.len() > REMEMBERED_CELLS {
            self.cells.pop_first();
        }
    }

    /// Queues output of `cell`. A question is given back, for it is asked outside of the lock.
    fn take(&mut self, cell: u64, output: evaluate::Output) -> Option<Ask> {
        let known = self.cells.get(&cell);
        let known = known.or_else(|| self.cells.values().next_back()).cloned();
        let running = self
            .running
            .as_mut()
            .filter(|running| {
                known
                    .as_ref()
                    .is_some_and(|known| Arc::ptr_eq(&known.parent, &running.parent))
            })
            .map(|running| &mut running.left);
        let count = known.as_ref().map_or(0, |cell| cell.count);
        let silent = known.as_ref().is_some_and(|cell| cell.silent);
        let allow_stdin = known.as_ref().is_some_and(|cell| cell.allow_stdin);
        let parent = known.map(|cell| cell.parent);
        let name = match &output {
            evaluate::Output::Stdout(_) => StreamName::Stdout,
            _ => StreamName::Stderr,
        };
        match output {
            evaluate::Output::Page(data) => {
                if let Some(left) = running {
                    left.pages.push(data);
                }
            }
            evaluate::Output::Input(question) => {
                let may = match running {
                    None => Permission::Ended,
                    Some(_) if allow_stdin => Permission::Granted,
                    Some(_) => Permission::Refused,
                };
                let prompt = match &question.prompt {
                    Some(prompt) => prompt.clone(),
                    None if may == Permission::Granted => self.queue.take_unfinished(cell),
                    None => String::new(),
                };
                return Some(Ask {
                    parent,
                    may,
                    prompt,
                    question,
                });
            }
            _ if silent => {}
            evaluate::Output::Stdout(text) | evaluate::Output::Stderr(text) => {
                self.queue
                    .push_text(Instant::now(), cell, parent, name, &text);
            }
            evaluate::Output::Frame(event) => {
                if let (Some(left), frame::Event::Result { data }) = (running, &event) {
                    left.value = data.get("text/plain").cloned();
                }
                if let Some(post) = post_of(event, count) {
                    self.queue.push(parent, post);
                }
            }
        }
        None
    }
}

fn post_of(event: frame::Event, count: u32) -> Option<Post> {
    match event {
        frame::Event::Display { id, data } => Some(Post::Display { id, data }),
        frame::Event::Update { id, data } => Some(Post::Update { id, data }),
        frame::Event::Result { data } => Some(Post::Result { count, data }),
        frame::Event::Clear { wait } => Some(Post::Clear { wait }),
        // The evaluator answers these two itself.
        frame::Event::Input { .. } | frame::Event::End => None,
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
                () = welcome(&shared, &mut publisher) => {}
                () = shared.pushed.notified() => {}
            },
            Next::Nothing => {
                shared.drained.notify_waiters();
                tokio::select! {
                    () = welcome(&shared, &mut publisher) => {}
                    () = shared.pushed.notified() => {}
                }
            }
        }
    }
}

async fn welcome(shared: &Shared, publisher: &mut Publisher) {
    if publisher.welcome().await {
        shared
            .state
            .lock()
            .expect("no panic under this lock")
            .start();
    }
}
