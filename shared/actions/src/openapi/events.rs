//! The route of the events, and what an event is.

use serde_json::{Map, Value, json};

use super::reference;
use crate::error::ErrorCode;
use crate::events::{LATEST, MAX_CURSOR_LENGTH, MAX_LIMIT, MAX_WAIT, OLDEST, days_kept};
use crate::http_api::EVENTS_PATH;

/// The path of the route.
pub(super) fn path() -> String {
    format!("/v1/{{integration}}{EVENTS_PATH}")
}

/// The route.
pub(super) fn operation() -> Value {
    let mut answers = json!({"200": {
        "description": "The next events, oldest first; none where nothing came in time.",
        "headers": {"x-request-id": reference("headers", "x-request-id")},
        "content": {"application/json": {
            "schema": reference("schemas", "EventsAnswer"),
            "example": {"events": [example()], "cursor": "0000000000001773"},
        }},
    }});
    let codes = [
        ErrorCode::InputValidationFailed,
        ErrorCode::AuthenticationFailed,
        ErrorCode::PermissionDenied,
        ErrorCode::NotFound,
        ErrorCode::CursorExpired,
        ErrorCode::ActionNotSupported,
        ErrorCode::RateLimitExceeded,
        ErrorCode::InternalServerError,
    ];
    if let Some(answers) = answers.as_object_mut() {
        for code in codes {
            answers.insert(
                code.status().as_str().to_owned(),
                reference("responses", code.as_str()),
            );
        }
    }
    json!({
        "operationId": "events",
        "tags": ["events"],
        "summary": "Read what changed in the tickets",
        "description": format!(
            "The events of an integration that is polled, oldest first. Each change of a ticket is one event, in the order \
             of the ticket's changes. Send the `cursor` of an answer as `after` of the next request: so no event is \
             missed and none comes twice. Every answer has a cursor, also an empty one. Events are kept for {days} \
             days; whoever stays away longer gets {expired}.",
            days = days_kept(),
            expired = ErrorCode::CursorExpired.status().as_u16()
        ),
        "parameters": [
            reference("parameters", "integration"),
            {
                "name": "after",
                "in": "query",
                "required": false,
                "description": format!(
                    "The `cursor` of an earlier answer for the same integration; `{OLDEST}` (or nothing) begins with the \
                     oldest event that is kept, `{LATEST}` with what comes from now on."
                ),
                "schema": {"type": "string", "minLength": 1, "maxLength": MAX_CURSOR_LENGTH, "default": OLDEST},
            },
            {
                "name": "wait",
                "in": "query",
                "required": false,
                "description": "Where there is no event yet, wait so many seconds for one.",
                "schema": {"type": "integer", "minimum": 0, "maximum": MAX_WAIT, "default": 0},
            },
            {
                "name": "limit",
                "in": "query",
                "required": false,
                "description": "The most events of one answer. There may be fewer although more are there: events are large.",
                "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": MAX_LIMIT},
            },
            reference("parameters", "request_id"),
        ],
        "responses": answers,
    })
}

/// The answer and its parts.
pub(super) fn schemas() -> Map<String, Value> {
    let time =
        |description: &str| json!({"type": "string", "format": "date-time", "description": description});
    let text = |description: &str| json!({"type": "string", "description": description});
    let answer = json!({
        "type": "object",
        "required": ["events", "cursor"],
        "properties": {
            "events": {"type": "array", "items": reference("schemas", "Event")},
            "cursor": text("Goes into `after` of the next request. Its form is the gateway's own."),
        },
    });
    let event = json!({
        "type": "object",
        "description": "A change of a ticket, as it also goes to the event bus and to webhooks.",
        "required": ["event_id", "type", "integration", "ticket_id", "version", "window", "observed_at", "ticket", "changes"],
        "properties": {
            "event_id": text("The same for the same version of the same ticket, wherever and how often it is sent."),
            "type": {"type": "string", "enum": [storage::EventKind::Created.name(), storage::EventKind::Updated.name()]},
            "integration": text("The integration's name."),
            "destination": text("The destination that was polled; missing where the integration is polled as a whole."),
            "ticket_id": text("The ticket's id."),
            "version": {
                "type": "object",
                "description": "What makes this state of the ticket different from others.",
                "required": ["updated_at", "content", "ordinal"],
                "properties": {
                    "updated_at": time("When the ticket changed, by the ticketing system's clock."),
                    "content": text("A hash of the ticket, hexadecimal."),
                    "ordinal": {"type": "integer", "minimum": 0, "description": "How many other contents were seen before at the same `updated_at`."},
                },
            },
            "window": {
                "type": "object",
                "description": "The stretch of time, by the ticketing system's clock, that was asked for when it was found.",
                "required": ["start", "end"],
                "properties": {"start": time("First moment."), "end": time("Last moment.")},
            },
            "observed_at": time("When the change was found, by the gateway's clock."),
            "ticket": {
                "type": "object",
                "description": "The ticket after the change: a `Ticket`, without the fields that `omitted` names.",
            },
            "changes": {
                "type": ["array", "null"],
                "description": "What differs from the version before; null where none is known.",
                "items": reference("schemas", "Change"),
            },
            "caused_by": text("The request id of the call of this gateway that made the change; missing where it was somebody else's."),
            "omitted": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Fields of the ticket that were left out because the event would have been too large; missing where none was.",
            },
        },
    });
    let change = json!({
        "type": "object",
        "required": ["field", "before", "after"],
        "properties": {
            "field": text("The field of the ticket: `state`, or `custom_data.impact`."),
            "before": {"description": "Its value before; null where it had none."},
            "after": {"description": "Its value after; null where it is gone."},
        },
    });
    [("EventsAnswer", answer), ("Event", event), ("Change", change)]
        .map(|(name, schema)| (name.to_owned(), schema))
        .into_iter()
        .collect()
}

fn example() -> Value {
    json!({
        "event_id": "evt_6b1f3c0de0c54a5e9d0f3c5f7a1b2c3d",
        "type": storage::EventKind::Updated.name(),
        "integration": "teamswork",
        "ticket_id": "IT-10482",
        "version": {"updated_at": "2026-01-05T10:42:00Z", "content": "9f86d081884c7d659a2feaa0c55ad015", "ordinal": 0},
        "window": {"start": "2026-01-05T10:40:05Z", "end": "2026-01-05T10:42:20Z"},
        "observed_at": "2026-01-05T10:42:30.512Z",
        "ticket": {
            "id": "IT-10482",
            "state": "Resolved",
            "internal_state_code": "RESOLVED",
            "short_description": "Second monitor stays dark",
            "updated_at": "2026-01-05T10:42:00.000000Z",
        },
        "changes": [
            {"field": "state", "before": "In Progress", "after": "Resolved"},
            {"field": "internal_state_code", "before": "WIP", "after": "RESOLVED"},
            {"field": "updated_at", "before": "2026-01-05T10:30:45.123456Z", "after": "2026-01-05T10:42:00.000000Z"},
        ],
        "caused_by": "4f1c8a52-6f0e-4a63-9d0b-0f5f0c1f7a11",
    })
}
