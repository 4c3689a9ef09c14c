//! Stops a running cell: politely first, then for good.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::running::Running;

/// How long a cell has to answer the first interrupt.
const PATIENCE: Duration = Duration::from_secs(2);

/// Stops what the evaluator does now. Cloned freely; any thread may use it.
#[derive(Clone)]
pub struct Interrupter {
    /// Locked for a few instructions only, never across a wait: a std mutex.
    state: Arc<Mutex<State>>,
    compiler: Running,
}

#[derive(Default)]
struct State {
    phase: Phase,
    /// Counts phases, so that a late timer does not end the wrong cell.
    turn: u64,
    interrupted: bool,
    killed: bool,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    #[default]
    Idle,
    Compiling,
    Running(u32),
}

impl Interrupter {
    pub(super) fn new(compiler: Running) -> Interrupter {
        Interrupter {
            state: Arc::default(),
            compiler,
        }
    }

    /// Asks the running cell to stop; ends its process if it has not after two seconds, or at
    /// the second call. Nothing happens while no cell runs.
    pub fn interrupt(&self) {
        let mut state = self.lock();
        match state.phase {
            Phase::Idle => {}
            Phase::Compiling => {
                state.interrupted = true;
                self.compiler.kill();
            }
            Phase::Running(child) if state.interrupted => kill(&mut state, child),
            Phase::Running(child) => {
                state.interrupted = true;
                signal(child, libc::SIGINT);
                let (later, turn) = (self.clone(), state.turn);
                std::thread::spawn(move || later.give_up(turn));
            }
        }
    }

    fn give_up(&self, turn: u64) {
        std::thread::sleep(PATIENCE);
        let mut state = self.lock();
        if let Phase::Running(child) = state.phase
            && state.turn == turn
        {
            kill(&mut state, child);
        }
    }

    pub(super) fn compiling(&self) {
        self.enter(Phase::Compiling);
    }

    /// Says that the process `child` runs the cell now. Returns whether the cell was interrupted
    /// while it was compiled: then it must not run.
    #[must_use]
    pub(super) fn running(&self, child: u32) -> bool {
        let was_interrupted = self.has_stopped_compiling();
        if !was_interrupted {
            self.enter(Phase::Running(child));
        }
        was_interrupted
    }

    pub(super) fn finish(&self) {
        self.lock().phase = Phase::Idle;
    }

    /// Returns whether the cell that is being compiled was interrupted.
    pub(super) fn has_stopped_compiling(&self) -> bool {
        let state = self.lock();
        state.phase == Phase::Compiling && state.interrupted
    }

    /// Returns whether the last cell's process was ended by an interrupt.
    pub(super) fn has_killed(&self) -> bool {
        self.lock().killed
    }

    fn enter(&self, phase: Phase) {
        let mut state = self.lock();
        let turn = state.turn + 1;
        *state = State {
            phase,
            turn,
            ..State::default()
        };
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no panic under this lock")
    }
}

fn kill(state: &mut State, child: u32) {
    state.killed = true;
    signal(child, libc::SIGKILL);
}

fn signal(child: u32, signal: libc::c_int) {
    let Ok(child) = libc::pid_t::try_from(child) else {
        return;
    };
    // SAFETY: a signal to a process of our own; it is waited for only after its phase has ended,
    // so the number cannot belong to another process yet.
    unsafe { libc::kill(child, signal) };
}
