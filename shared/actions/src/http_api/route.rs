//! Which action a path means.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::action::{ALL, ActionDefinition};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::http_api::events;

/// What a request asks for.
pub(super) enum Route {
    Document(Document),
    WrongMethod {
        allowed: Vec<&'static str>,
    },
    /// The events of an integration.
    Events {
        integration: String,
    },
    Action {
        definition: &'static ActionDefinition,
        integration: String,
        /// The path's parameters, decoded.
        parameters: Vec<(&'static str, String)>,
    },
}

/// What the API says of itself.
pub(super) enum Document {
    Health,
    OpenApi,
}

/// Finds the route. A path that is none of ours is 404.
pub(super) fn find(gateway: &Gateway, method: &Method, path: &str) -> Result<Route, ApiError> {
    if let Some(document) = document(method, path)?
        && gateway.is_whole()
    {
        return Ok(document);
    }
    let segments = segments(path)?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["v1", integration, rest @ ..] if !integration.is_empty() => {
            of_integration(gateway, method, integration, rest).ok_or_else(no_such_path)
        }
        _ => Err(no_such_path()),
    }
}

/// The document that a path names, if it names one.
pub(super) fn document(method: &Method, path: &str) -> Result<Option<Route>, ApiError> {
    let segments = segments(path)?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let document = match segments.as_slice() {
        ["v1", "healthz"] => Document::Health,
        ["v1", "openapi.json"] => Document::OpenApi,
        _ => return Ok(None),
    };
    Ok(Some(if *method == Method::GET {
        Route::Document(document)
    } else {
        Route::WrongMethod { allowed: vec!["GET"] }
    }))
}

fn of_integration(gateway: &Gateway, method: &Method, integration: &str, rest: &[&str]) -> Option<Route> {
    let mut allowed = Vec::new();
    if gateway.serves_events() && matches(events::PATH, rest).is_some() {
        return Some(if *method == Method::GET {
            Route::Events {
                integration: integration.to_owned(),
            }
        } else {
            Route::WrongMethod { allowed: vec!["GET"] }
        });
    }
    for definition in ALL.iter().filter(|definition| gateway.serves(definition.action)) {
        let Some(parameters) = matches(definition.path, rest) else {
            continue;
        };
        if definition.method == *method {
            return Some(Route::Action {
                definition,
                integration: integration.to_owned(),
                parameters,
            });
        }
        allowed.push(definition.method.as_str());
    }
    if allowed.is_empty() {
        None
    } else {
        Some(Route::WrongMethod { allowed })
    }
}

/// The parameters, where the path fits the template.
fn matches(template: &'static str, rest: &[&str]) -> Option<Vec<(&'static str, String)>> {
    let mut parameters = Vec::new();
    let mut wanted = template.split('/').skip(1);
    for segment in rest {
        let wanted = wanted.next()?;
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !segment.is_empty() => parameters.push((name, (*segment).to_owned())),
            None if wanted == *segment => {}
            _ => return None,
        }
    }
    wanted.next().is_none().then_some(parameters)
}

/// The decoded segments: an encoded slash stays inside its segment.
fn segments(path: &str) -> Result<Vec<String>, ApiError> {
    path.split('/')
        .skip(1)
        .map(|segment| {
            percent_decode_str(segment)
                .decode_utf8()
                .map(std::borrow::Cow::into_owned)
        })
        .collect::<Result<_, _>>()
        .map_err(|_| {
            ApiError::new(
                ErrorCode::InputValidationFailed,
                "path: expected percent-encoded UTF-8, found other bytes",
            )
        })
}

pub(super) fn no_such_path() -> ApiError {
    ApiError::new(
        ErrorCode::NotFound,
        "there is no such path; GET /v1/openapi.json lists those there are",
    )
}
