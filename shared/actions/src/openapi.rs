//! The OpenAPI 3.1 document, made from the table of actions, the input types and the ticket schema, so that
//! it cannot say anything else than what is checked.

mod events;

use std::sync::OnceLock;

use bytes::Bytes;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::action::{ALL, ActionDefinition};
use crate::error::{ErrorCode, Outcome};
use crate::http_api::health;
use crate::idempotency::MAX_KEY_LENGTH;
use crate::safe_create::SafeCreate;
use crate::ticket::TicketSchema;

/// The document, as `GET /v1/openapi.json` gives it.
pub fn document() -> Value {
    // RFC 6901 pointer of the place where schemars puts and refers to shared parts.
    let mut generator = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into())
        .into_generator();
    let mut paths = Map::new();
    let mut requests = Map::new();
    for definition in ALL.iter() {
        let path = format!("/v1/{{integration}}{}", definition.path);
        let operation = operation(definition, &mut generator, &mut requests);
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        if let Some(methods) = methods.as_object_mut() {
            methods.insert(definition.method.as_str().to_ascii_lowercase(), operation);
        }
    }
    paths.insert(events::path(), json!({"get": events::operation()}));
    paths.insert("/v1/healthz".to_owned(), json!({"get": health_operation()}));
    paths.insert("/v1/openapi.json".to_owned(), json!({"get": openapi_operation()}));

    let mut schemas = requests;
    schemas.extend(generator.take_definitions(true));
    schemas.extend(answer_schemas());
    schemas.extend(events::schemas());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Ticket Gateway",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "One HTTP API for tickets, whichever ticketing system holds them: twelve actions, each done by an integration that is named in the path.",
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"api_key": []}],
        "tags": [
            {"name": "tickets", "description": "The ticket actions."},
            {"name": "events", "description": "What changed in the ticketing system."},
            {"name": "gateway", "description": "The gateway itself."},
        ],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": parameters(),
            "headers": headers(),
            "responses": responses(),
            "securitySchemes": {
                "api_key": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "x-api-key",
                    "description": "A key of one integration. A gateway on a developer's machine asks for none.",
                },
            },
        },
    })
}

/// The document's text, made once.
pub(crate) fn text() -> Bytes {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    TEXT.get_or_init(|| Bytes::from(document().to_string())).clone()
}

fn reference(section: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{section}/{name}")})
}

fn operation(
    definition: &ActionDefinition,
    generator: &mut SchemaGenerator,
    requests: &mut Map<String, Value>,
) -> Value {
    let action = definition.action;
    let mut input = definition.input_schema(generator);
    let mut given = vec![reference("parameters", "integration")];
    for name in definition.path_parameters() {
        if let Some(schema) = take_property(&mut input, name) {
            given.push(parameter("path", name, schema, true));
        }
    }
    let mut operation = json!({
        "operationId": action.key(),
        "tags": ["tickets"],
        "summary": action.summary().trim_end_matches('.'),
        "description": definition.description,
    });
    let Some(fields) = operation.as_object_mut() else {
        return operation;
    };
    if definition.reads_query() {
        // Those in the path are taken out of it.
        let names = input.get("properties").and_then(Value::as_object);
        let names: Vec<String> = names.into_iter().flat_map(Map::keys).cloned().collect();
        for name in names {
            let required = is_required(&input, &name);
            if let Some(schema) = take_property(&mut input, &name) {
                given.push(parameter("query", &name, schema, required));
            }
        }
    } else {
        given.push(reference("parameters", "idempotency_key"));
        let name = format!("{}Request", pascal_case(action.key()));
        let required = input.get("required").is_some();
        fields.insert(
            "requestBody".to_owned(),
            json!({
                "required": required,
                "content": {"application/json": {
                    "schema": reference("schemas", &name),
                    "example": (definition.example)(),
                }},
            }),
        );
        requests.insert(name, input);
    }
    given.push(reference("parameters", "request_id"));
    fields.insert("parameters".to_owned(), Value::Array(given));

    let mut answers = json!({
        definition.success.as_str(): {
            "description": "Done.",
            "headers": {"x-request-id": reference("headers", "x-request-id")},
            "content": {"application/json": {
                "schema": reference("schemas", answer_name(action.output_key())),
                "example": answer_example(action.output_key()),
            }},
        },
    });
    if let Some(answers) = answers.as_object_mut() {
        for code in ErrorCode::ALL
            .into_iter()
            .filter(|code| !matches!(code, ErrorCode::MethodNotAllowed | ErrorCode::CursorExpired))
        {
            answers.insert(
                code.status().as_str().to_owned(),
                reference("responses", code.as_str()),
            );
        }
    }
    fields.insert("responses".to_owned(), answers);
    operation
}

fn parameter(place: &str, name: &str, mut schema: Value, required: bool) -> Value {
    let description = schema
        .as_object_mut()
        .and_then(|schema| schema.remove("description"));
    // A parameter that is left out is left out; there is no null in a query.
    if let Some(Value::Array(types)) = schema.get_mut("type")
        && let Some(first) = types.first().cloned()
        && let Some(schema) = schema.as_object_mut()
    {
        schema.insert("type".to_owned(), first);
    }
    json!({"name": name, "in": place, "required": required, "description": description, "schema": schema})
}

fn take_property(schema: &mut Value, name: &str) -> Option<Value> {
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|known| known != name);
        if required.is_empty()
            && let Some(schema) = schema.as_object_mut()
        {
            schema.remove("required");
        }
    }
    schema.get_mut("properties")?.as_object_mut()?.shift_remove(name)
}

fn is_required(schema: &Value, name: &str) -> bool {
    schema
        .get("required")
        .and_then(Value::as_array)
        .is_some_and(|names| names.iter().any(|known| known == name))
}

fn pascal_case(key: &str) -> String {
    key.split('_')
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_ascii_uppercase() + rest
        })
        .collect()
}

fn answer_name(output_key: &str) -> &'static str {
    match output_key {
        "raw_tickets" => "TicketsAnswer",
        "comment" => "CommentAnswer",
        "attachment" => "AttachmentAnswer",
        _ => "TicketAnswer",
    }
}

/// The ticket schema's parts and the answers around them.
fn answer_schemas() -> Map<String, Value> {
    let mut schemas = Map::new();
    if let Ok(shipped) = TicketSchema::shipped() {
        let mut ticket = shipped.as_json().clone();
        if let Some(ticket) = ticket.as_object_mut() {
            ticket.remove("$schema");
            if let Some(Value::Object(parts)) = ticket.remove("$defs") {
                for (name, part) in parts {
                    schemas.insert(pascal_case(&name), part);
                }
            }
        }
        schemas.insert("Ticket".to_owned(), ticket);
    }
    for schema in schemas.values_mut() {
        move_references(schema);
    }
    let answer =
        |key: &str, schema: Value| json!({"type": "object", "required": [key], "properties": {key: schema}});
    schemas.insert(
        "TicketAnswer".to_owned(),
        answer("raw_ticket", reference("schemas", "Ticket")),
    );
    schemas.insert(
        "CommentAnswer".to_owned(),
        answer("comment", reference("schemas", "Comment")),
    );
    schemas.insert(
        "AttachmentAnswer".to_owned(),
        answer("attachment", reference("schemas", "Attachment")),
    );
    schemas.insert(
        "TicketsAnswer".to_owned(),
        json!({
            "type": "object",
            "required": ["raw_tickets", "pagination_info"],
            "properties": {
                "raw_tickets": {"type": "array", "items": reference("schemas", "Ticket")},
                "pagination_info": {
                    "type": "object",
                    "required": ["next_page_token"],
                    "properties": {"next_page_token": {
                        "type": ["string", "null"],
                        "description": "Goes into `page_token` of the next request; null on the last page.",
                    }},
                },
            },
        }),
    );
    schemas.insert("Error".to_owned(), error_schema());
    schemas
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": {"error": {
            "type": "object",
            "required": ["code", "message", "request_id"],
            "properties": {
                "code": {"type": "string", "enum": ErrorCode::ALL.map(ErrorCode::as_str)},
                "message": {"type": "string", "description": "For a person."},
                "request_id": {"type": "string", "description": "The same as the header x-request-id."},
                "details": {
                    "type": "object",
                    "description": "What is known beyond the message.",
                    "properties": {
                        "fields": {
                            "type": "array",
                            "description": "Each thing that is wrong, and where.",
                            "items": {
                                "type": "object",
                                "required": ["field", "message"],
                                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                            },
                        },
                        "outcome": {
                            "type": "string",
                            "enum": Outcome::ALL.map(Outcome::as_str),
                            "description": "For an action that changes something: whether the change may have been made. Only after `not_sent` and `refused` is it safe to send it again.",
                        },
                        "safe_create": {
                            "type": "string",
                            "enum": [SafeCreate::NotFound.as_str(), SafeCreate::SearchFailed.as_str()],
                            "description": "For a creation whose outcome is unknown: what came of looking for the ticket. Sent again with its idempotency key after `retry-after`, the request looks for it first.",
                        },
                        "upstream_status": {"type": "integer", "description": "The status that the ticketing system answered with."},
                        "upstream_excerpt": {"type": "string", "description": "The beginning of what it answered."},
                        "step": {"type": "string", "description": "The HTTP action of the integration that failed."},
                        "code": {"type": "string", "description": "The gateway's own code for the failure, for example TG0403."},
                        "place": {"type": "string", "description": "Where in the integration's files: file:line:column."},
                    },
                },
            },
        }},
    })
}

/// `#/$defs/person` becomes `#/components/schemas/Person`.
fn move_references(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                match value {
                    Value::String(text) if key == "$ref" => {
                        if let Some(name) = text.strip_prefix("#/$defs/") {
                            *text = format!("#/components/schemas/{}", pascal_case(name));
                        }
                    }
                    other => move_references(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(move_references),
        _ => {}
    }
}

fn parameters() -> Value {
    json!({
        "integration": {
            "name": "integration",
            "in": "path",
            "required": true,
            "description": "The integration's name.",
            "schema": {"type": "string", "pattern": "^[a-z][a-z0-9-]{1,62}$"},
            "example": "teamswork",
        },
        "idempotency_key": {
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "A request that is sent again with the same key and the same body is not carried out again: it gets the first answer, with the header `idempotency-replayed: true`. While the first one is under way it waits for that answer; where that takes too long it gets 409 with `retry-after`. Another body under the same key is 409. The key is kept for 24 hours. A request whose first call died without a result may be carried out a second time when it is sent again, unless it is a creation and the integration has a `safe_create`, which looks for the ticket first. All callers of an integration share its keys, and a replay is given to whoever sends the same key and request: use random keys, such as a UUID for each write.",
            "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH, "pattern": "^[!-~]+$"},
        },
        "request_id": {
            "name": "x-request-id",
            "in": "header",
            "required": false,
            "description": "Names the request in the gateway's log; given back in the answer. Without it the gateway makes one.",
            "schema": {"type": "string", "maxLength": 128},
        },
    })
}

fn headers() -> Value {
    json!({
        "x-request-id": {
            "description": "Names the request in the gateway's log.",
            "schema": {"type": "string"},
        },
        "retry-after": {
            "description": "How many seconds to wait before trying again; always with 429, otherwise where it is known.",
            "schema": {"type": "integer", "minimum": 1},
        },
    })
}

fn responses() -> Map<String, Value> {
    let mut responses = Map::new();
    for code in ErrorCode::ALL {
        let mut headers = json!({"x-request-id": reference("headers", "x-request-id")});
        let may_come_back = matches!(
            code,
            ErrorCode::Conflict
                | ErrorCode::RateLimitExceeded
                | ErrorCode::InternalServerError
                | ErrorCode::ExternalRestError
                | ErrorCode::ExternalTimeout
        );
        if let (true, Some(headers)) = (may_come_back, headers.as_object_mut()) {
            headers.insert("retry-after".to_owned(), reference("headers", "retry-after"));
        }
        responses.insert(
            code.as_str().to_owned(),
            json!({
                "description": meaning(code),
                "headers": headers,
                "content": {"application/json": {
                    "schema": reference("schemas", "Error"),
                    "example": {"error": {"code": code.as_str(), "message": meaning(code), "request_id": "4f1c8a52-6f0e-4a63-9d0b-0f5f0c1f7a11"}},
                }},
            }),
        );
    }
    responses
}

fn meaning(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::InputValidationFailed => "The request is wrong; details.fields says what.",
        ErrorCode::AuthenticationFailed => "The caller's key is missing or wrong.",
        ErrorCode::PermissionDenied => "The caller's key does not reach this.",
        ErrorCode::NotFound => "There is no such path, integration or ticket.",
        ErrorCode::MethodNotAllowed => "The path takes other methods; the Allow header names them.",
        ErrorCode::Conflict => {
            "The ticket's present state does not allow it, or the idempotency key belongs to another request or one that is under way."
        }
        ErrorCode::CursorExpired => {
            "The events after this cursor are not kept any more: some were missed. The message says how to begin anew."
        }
        ErrorCode::ActionNotSupported => "The integration cannot do this.",
        ErrorCode::RateLimitExceeded => "Too many requests; Retry-After says when to come back.",
        ErrorCode::InternalServerError => "The gateway or the integration's configuration is at fault.",
        ErrorCode::ExternalRestError => "The ticketing system failed, or answered what cannot be used.",
        ErrorCode::ExternalTimeout => "The ticketing system did not answer in time.",
    }
}

fn answer_example(output_key: &str) -> Value {
    let ticket = json!({
        "id": "IT-10482",
        "state": "In Progress",
        "internal_state_code": "WIP",
        "short_description": "Second monitor stays dark",
        "requested_for": "molly@example.com",
        "created_at": "2026-01-05T10:30:45.123456Z",
        "updated_at": "2026-01-05T10:42:00.000000Z",
    });
    match output_key {
        "raw_tickets" => json!({"raw_tickets": [ticket], "pagination_info": {"next_page_token": null}}),
        "comment" => json!({"comment": {
            "id": "77", "body": "It works again.", "is_public": true, "created_at": "2026-01-05T11:00:00.000000Z",
        }}),
        "attachment" => {
            json!({"attachment": {"id": "12", "file_name": "note.txt", "content_type": "text/plain"}})
        }
        key => json!({key: ticket}),
    }
}

fn health_operation() -> Value {
    json!({
        "operationId": "healthz",
        "tags": ["gateway"],
        "summary": "Whether the gateway runs",
        "description": "Says nothing of the ticketing systems behind it.",
        "security": [],
        "responses": {"200": {
            "description": "It runs.",
            "content": {"application/json": {"schema": {"type": "object"}, "example": health()}},
        }},
    })
}

fn openapi_operation() -> Value {
    json!({
        "operationId": "openapi",
        "tags": ["gateway"],
        "summary": "This document",
        "security": [],
        "responses": {"200": {
            "description": "OpenAPI 3.1.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }},
    })
}
