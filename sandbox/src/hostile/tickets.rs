//! `/tickets` and `/tickets/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::answers::{Refusal, ticket};
use super::fate::Fate;
use super::gate::Moment;
use super::list::Query;
use super::running::Sandbox;
use super::world::{STATUSES, Wanted, World, number};

pub(super) async fn list(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(fate): Extension<Fate>,
    Extension(Moment(now)): Extension<Moment>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .into_owned()
        .collect();
    let query = Query::parse(&pairs)?;
    let answer = query.answer(&sandbox.world(), now, &fate)?;
    if let Some(name) = answer.went_wrong {
        sandbox.count(name);
    }
    if fate.shuffled.is_some() {
        sandbox.count("shuffled");
    }
    Ok(Json(answer.body).into_response())
}

pub(super) async fn read(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(fate): Extension<Fate>,
    Extension(Moment(now)): Extension<Moment>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let world = sandbox.world();
    let shown = number(&id).and_then(|number| world.show(number, now, fate.from_second_copy));
    let shown = shown.ok_or_else(|| Refusal::no_ticket(&id))?;
    Ok(Json(ticket(shown, world.step)).into_response())
}

pub(super) async fn create(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Moment(now)): Extension<Moment>,
    body: String,
) -> Result<Response, Refusal> {
    let wanted = wanted(&body)?;
    let title = wanted
        .title
        .ok_or_else(|| Refusal::invalid("A ticket needs a `title`"))?;
    let mut world = sandbox.world();
    let number = world.add(now, 0, title);
    Ok((StatusCode::CREATED, shown(&world, number, now)?).into_response())
}

pub(super) async fn change(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Moment(now)): Extension<Moment>,
    Path(id): Path<String>,
    body: String,
) -> Result<Response, Refusal> {
    let wanted = wanted(&body)?;
    let mut world = sandbox.world();
    let number = number(&id).ok_or_else(|| Refusal::no_ticket(&id))?;
    if !world.change(number, now, 0, wanted) {
        return Err(Refusal::no_ticket(&id));
    }
    Ok(shown(&world, number, now)?.into_response())
}

fn shown(world: &World, number: usize, now: i64) -> Result<Json<Value>, Refusal> {
    let shown = world.show(number, now, false);
    shown
        .map(|shown| Json(ticket(shown, world.step)))
        .ok_or_else(|| Refusal::no_ticket(&super::world::id(number)))
}

/// `{"title": ..., "status": ...}`, either or both.
fn wanted(body: &str) -> Result<Wanted, Refusal> {
    let body: Map<String, Value> = serde_json::from_str(body)
        .map_err(|error| Refusal::invalid(format!("The body is no JSON object: {error}")))?;
    let mut wanted = Wanted::default();
    for (name, value) in body {
        let text = value
            .as_str()
            .ok_or_else(|| Refusal::invalid(format!("`{name}` has to be a text")))?;
        match name.as_str() {
            "title" => wanted.title = Some(text.to_owned()),
            "status" => {
                let place = STATUSES.iter().position(|status| *status == text);
                wanted.status = Some(place.ok_or_else(|| {
                    Refusal::invalid(format!(
                        "`status` is `{text}`; it has to be one of {}",
                        STATUSES.join(", ")
                    ))
                })?);
            }
            _ => {
                let message = format!("There is no field `{name}`; there are `title` and `status`");
                return Err(Refusal::invalid(message));
            }
        }
    }
    Ok(wanted)
}
