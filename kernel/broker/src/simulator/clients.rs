//! One simulated client, whatever it does.

use super::actors::{Answer, Context};
use super::consumer::Consumer;
use super::producer::Producer;
use crate::brokers::RequestId;

#[derive(Debug)]
pub(super) enum Client {
    Producer(Box<Producer>),
    Consumer(Box<Consumer>),
}

impl Client {
    pub fn role(&self) -> &'static str {
        match self {
            Client::Producer(_) => "producer",
            Client::Consumer(_) => "consumer",
        }
    }

    pub fn start(&mut self, context: &mut Context<'_>) {
        match self {
            Client::Producer(producer) => producer.start(context),
            Client::Consumer(consumer) => consumer.start(context),
        }
    }

    /// Begins again after a crash, without memory.
    pub fn restart(&mut self, context: &mut Context<'_>) {
        match self {
            Client::Producer(producer) => producer.restart(context),
            Client::Consumer(consumer) => consumer.restart(context),
        }
    }

    pub fn woken(&mut self, context: &mut Context<'_>, token: u32) {
        match self {
            Client::Producer(producer) => producer.woken(context, token),
            Client::Consumer(consumer) => consumer.woken(context, token),
        }
    }

    pub fn answered(&mut self, context: &mut Context<'_>, id: RequestId, answer: Answer) {
        match self {
            Client::Producer(producer) => producer.answered(context, id, answer),
            Client::Consumer(consumer) => consumer.answered(context, id, answer),
        }
    }

    /// Returns true once for a client that came to the point where it was to die.
    pub fn take_death(&mut self) -> bool {
        match self {
            Client::Producer(_) => false,
            Client::Consumer(consumer) => std::mem::take(&mut consumer.doom.dead),
        }
    }
}
