//! Comms: channels between a front end and the kernel that the protocol only carries.
//!
//! One target is known, [`VARIABLES`]: whoever opens it gets the list of variables at once, after
//! each cell, and when it sends a message: `{"variables": [..]}`, each with the fields of
//! [`VariableInfo`](crate::evaluate::VariableInfo). A comm for any other target is closed again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Map, Value};

use super::wire::{Comm, CommAct, Post};

/// What a panel of variables opens.
pub const VARIABLES: &str = "headwater.variables";

/// The open comms, id to target. Clones share them.
#[derive(Clone, Default)]
pub struct Comms {
    /// Locked for a few instructions, never across a wait.
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    open: BTreeMap<String, String>,
    /// The last comms that were closed again: what their front end had sent before it heard of
    /// that is no surprise.
    refused: VecDeque<String>,
}

const REMEMBERED_REFUSALS: usize = 16;

impl Comms {
    /// Returns the open comms, id and target; with `target` only those of it.
    pub fn open(&self, target: Option<&str>) -> Vec<(String, String)> {
        let known = self.lock();
        let wanted = known
            .open
            .iter()
            .filter(|(_, of)| target.is_none_or(|target| target == *of));
        wanted.map(|(id, of)| (id.clone(), of.clone())).collect()
    }

    /// Takes a message of a front end and returns what to say to it.
    pub fn hear(&self, comm: Comm, variables: impl Fn() -> Value) -> Vec<Post> {
        let Comm { id, act, buffers } = comm;
        let mut known = self.lock();
        match act {
            CommAct::Open { target } if target == VARIABLES => {
                known.open.insert(id.clone(), target);
            }
            CommAct::Open { .. } => {
                known.refused.push_back(id.clone());
                if known.refused.len() > REMEMBERED_REFUSALS {
                    known.refused.pop_front();
                }
                return vec![Post::CommClose { comm: id }];
            }
            CommAct::Close => {
                known.open.remove(&id);
                return Vec::new();
            }
            CommAct::Message if known.open.contains_key(&id) => {}
            CommAct::Message if known.refused.contains(&id) => return Vec::new(),
            CommAct::Message => {
                eprintln!("headwater: ignored a message for comm `{id}`, which is not open");
                return Vec::new();
            }
        }
        drop(known);
        vec![list(id, variables(), buffers)]
    }

    /// Returns what the open comms say after a cell.
    pub fn after_cell(&self, variables: impl Fn() -> Value) -> Vec<Post> {
        let open = self.open(Some(VARIABLES));
        if open.is_empty() {
            return Vec::new();
        }
        let all = variables();
        let posts = open
            .into_iter()
            .map(|(id, _)| list(id, all.clone(), Vec::new()));
        posts.collect()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no panic under this lock")
    }
}

/// Buffers that came with a request go back with its answer: a front end may tell by them which
/// one it is.
fn list(comm: String, variables: Value, buffers: Vec<bytes::Bytes>) -> Post {
    let data = Map::from_iter([("variables".to_owned(), variables)]);
    Post::CommMsg {
        comm,
        data,
        buffers,
    }
}
