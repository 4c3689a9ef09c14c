//! The kernel through its real sockets, notebooks through `headwater run`, and the evaluator.

mod answers;
mod broken_messages;
mod broker;
mod cells;
mod evaluate;
mod front_end;
mod lifetime;
mod output;
mod run;
