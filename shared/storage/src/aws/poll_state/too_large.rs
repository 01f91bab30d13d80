//! What is left out of a ticket's record that is too large for a transaction.

use serde_json::Map;

use crate::poll_state::SeenTicket;

/// The record with less and less in it: without the ticket, so that its next event has no changes; without the
/// comments of the event that is pending; without that event's ticket.
///
/// An event that was cut and is offered by a run that took over is not what the first run offered, if that did. Better
/// than a ticket that stops its stream for ever.
pub(super) fn smaller(record: &SeenTicket) -> impl Iterator<Item = SeenTicket> {
    let mut without_ticket = record.clone();
    without_ticket.ticket = Map::new();
    let steps: [fn(SeenTicket) -> SeenTicket; 3] = [
        |record| record,
        |mut record| {
            record.pending = record.pending.map(|mut pending| {
                pending.event = pending.event.without_comments();
                pending
            });
            record
        },
        |mut record| {
            record.pending = record.pending.map(|mut pending| {
                pending.event = pending.event.without_ticket();
                pending
            });
            record
        },
    ];
    steps.into_iter().map(move |step| step(without_ticket.clone()))
}
