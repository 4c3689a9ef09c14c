//! The kernel through its real sockets, notebooks through `headwater run`, the evaluator, and
//! the set-up.

mod answers;
mod broken_messages;
mod broker;
mod cells;
mod checks;
mod commands;
mod comms;
mod completion;
mod course;
mod definitions;
mod differential;
mod evaluate;
mod expressions;
mod failures;
mod floods;
mod front_end;
mod history;
mod input;
mod lab;
mod lifetime;
mod output;
mod progress;
mod run;
mod session;
mod setup;
mod threads;
mod variables;
