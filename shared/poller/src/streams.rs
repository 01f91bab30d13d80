//! What of an integration is polled.

use integration::Integration;
use polling::Settings;
use storage::{ScheduledStream, StreamKey};

/// A stream with its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Which one.
    pub key: StreamKey,
    /// How it is polled.
    pub settings: Settings,
}

/// The streams of an integration: none where it is not polled, one for the whole of it otherwise.
pub fn streams_of(integration: &Integration) -> Vec<Stream> {
    let Some(polling) = integration.polling.as_ref().filter(|polling| polling.enabled) else {
        return Vec::new();
    };
    vec![Stream {
        key: StreamKey {
            integration: integration.name.clone(),
            destination: None,
        },
        settings: Settings {
            interval: polling.interval,
            look_back: polling.look_back,
            settle: polling.settle,
            ..Settings::default()
        },
    }]
}

/// What is stored beside a version of the integration, for the one who sends the orders.
pub fn scheduled(integration: &Integration) -> Vec<ScheduledStream> {
    let streams = streams_of(integration).into_iter();
    streams
        .map(|stream| ScheduledStream {
            destination: stream.key.destination,
            interval_seconds: u32::try_from(stream.settings.interval.as_secs()).unwrap_or(u32::MAX),
        })
        .collect()
}
