//! One sink in front of several.

use std::sync::Arc;

use async_trait::async_trait;
use storage::{Acceptance, Event, EventSink, StorageError};

/// Offers each event to the first sink and, once that has it, to the next. It is accepted when all have it: put the
/// one first that knows which events it has (the log), because it is offered again what a later one refuses.
pub struct Tee(Vec<Arc<dyn EventSink>>);

impl Tee {
    /// In this order.
    pub fn new(sinks: Vec<Arc<dyn EventSink>>) -> Self {
        Self(sinks)
    }
}

#[async_trait]
impl EventSink for Tee {
    fn batch_size(&self) -> usize {
        self.0.iter().map(|sink| sink.batch_size()).min().unwrap_or(1)
    }

    async fn publish(&self, events: &[Event]) -> Result<Vec<Acceptance>, StorageError> {
        let mut answers = vec![Acceptance::Accepted; events.len()];
        for sink in &self.0 {
            // What an earlier sink refused, this one must not have: it would be ahead of it.
            let (places, offered): (Vec<usize>, Vec<Event>) = events
                .iter()
                .enumerate()
                .filter(|(place, _)| answers.get(*place) == Some(&Acceptance::Accepted))
                .map(|(place, event)| (place, event.clone()))
                .unzip();
            if offered.is_empty() {
                break;
            }
            for (place, answer) in places.into_iter().zip(sink.publish(&offered).await?) {
                if let Some(slot) = answers.get_mut(place) {
                    *slot = answer;
                }
            }
        }
        Ok(answers)
    }
}
