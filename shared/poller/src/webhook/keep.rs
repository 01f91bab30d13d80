//! Deliveries in a process that stays: each webhook is looked after for itself.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use storage::StorageError;
use tokio::task::{Id, JoinSet};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::deliver::{Deliveries, WebhookPorts, deliver, is_due};

/// Time of one round of one webhook; what is left then is for the next, which follows at once.
const ROUND: Duration = Duration::from_secs(120);

/// Looks for events to deliver every `every`, until `stop` is there. Deliveries under way may then go on for `stop_time`
/// and are dropped, to be made again by the next start. A receiver that is slow holds up only itself.
pub async fn deliver_until(
    ports: WebhookPorts,
    every: Duration,
    stop_time: Duration,
    stop: impl Future<Output = ()> + Send,
) {
    let mut stop = std::pin::pin!(stop);
    let mut under_way: JoinSet<Deliveries> = JoinSet::new();
    let mut ids: HashMap<Id, (String, String)> = HashMap::new();
    let mut tick = interval(every.max(Duration::from_millis(10)));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut could_list = true;
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(ended) = under_way.join_next_with_id() => {
                let id = match ended {
                    Ok((id, _)) => id,
                    Err(error) => {
                        tracing::error!(%error, "a delivery ended unexpectedly");
                        error.id()
                    }
                };
                ids.remove(&id);
            }
            _ = tick.tick() => {
                let begun = begin(&ports, &mut under_way, &mut ids).await;
                if let (Err(error), true) = (&begun, could_list) {
                    tracing::error!(%error, "the webhooks cannot be listed");
                }
                could_list = begun.is_ok();
            }
        }
    }
    let finished = async { while under_way.join_next().await.is_some() {} };
    if timeout(stop_time, finished).await.is_err() {
        under_way.shutdown().await;
    }
}

/// Starts a round for every webhook that is due and has none.
async fn begin(
    ports: &WebhookPorts,
    under_way: &mut JoinSet<Deliveries>,
    ids: &mut HashMap<Id, (String, String)>,
) -> Result<(), StorageError> {
    let now = ports.clock.now();
    for webhook in ports.store.webhooks(None).await? {
        let name = (webhook.integration.clone(), webhook.id.clone());
        if !is_due(&webhook, now) || ids.values().any(|known| *known == name) {
            continue;
        }
        let ports = ports.clone();
        let deadline = now.saturating_add(ROUND).unwrap_or(Timestamp::MAX);
        let handle = under_way.spawn(async move {
            let owner = format!("deliverer-{}", uuid::Uuid::new_v4());
            deliver(&ports, webhook, &owner, deadline).await
        });
        ids.insert(handle.id(), name);
    }
    Ok(())
}
