//! The kernel through its real sockets, notebooks through `headwater run`, the evaluator, and
//! the set-up.

mod answers;
mod broken_messages;
mod broker;
mod cells;
mod definitions;
mod differential;
mod evaluate;
mod front_end;
mod lab;
mod lifetime;
mod output;
mod run;
mod setup;
