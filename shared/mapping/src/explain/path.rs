//! Follows one path, and says where it ended too early.

use serde_json::Value;

use super::FollowedPath;
use crate::datum::{Datum, List, Object};
use crate::diagnostic::did_you_mean;
use crate::dsl::Span;
use crate::machine::Machine;
use crate::plan::{Origin, Path, PathSegment};
use crate::{Place, dsl};

/// So many names of what there is are told.
const TOLD: usize = 12;

/// Follows a path that stands at `span` of the expression at `whole`.
pub(super) fn follow<'v>(
    machine: &mut Machine<'v>,
    path: &'v Path,
    span: Span,
    whole: &Place,
) -> FollowedPath {
    let place = whole.within(span.start(), span.len());
    let written = place.text().split_whitespace().collect::<Vec<_>>().join(" ");
    let mut missing = None;
    let value = machine.aside(|machine| {
        let mut value = machine.origin(&path.origin)?;
        let mut so_far = origin_text(&path.origin, &written);
        if value.is_null() {
            missing = Some(no_origin(machine, &path.origin, &so_far)?);
        }
        for segment in &path.segments {
            let next = machine.segment(value.clone(), segment)?;
            if next.is_null() && missing.is_none() {
                missing = Some(ended(machine, &value, segment, &so_far)?);
            }
            so_far.push_str(&segment_text(segment));
            value = next;
        }
        machine.finish(value)
    });
    FollowedPath {
        path: written,
        place,
        // What has no value for another reason is told with the expression.
        value: value.unwrap_or(Value::Null),
        missing,
    }
}

/// The beginning of a path, as it is written.
fn origin_text(origin: &Origin, written: &str) -> String {
    match origin {
        Origin::Root => "$".to_owned(),
        Origin::Name(name) => name.clone(),
        Origin::Local(_) | Origin::Loop(_) => {
            let end = written.find(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
            written
                .get(..end.unwrap_or(written.len()))
                .unwrap_or(written)
                .to_owned()
        }
        Origin::Value(_) => "what stands in front".to_owned(),
    }
}

fn segment_text(segment: &PathSegment) -> String {
    match segment {
        PathSegment::Key(key) if dsl::is_name(key) => format!(".{key}"),
        PathSegment::Key(key) => format!("[{}]", Value::from(key.as_str())),
        PathSegment::Index(index) => format!("[{index}]"),
        PathSegment::Computed(_) => "[...]".to_owned(),
        PathSegment::Slice { .. } => "[..:..]".to_owned(),
    }
}

fn no_origin(machine: &mut Machine<'_>, origin: &Origin, text: &str) -> Result<String, crate::fault::Fault> {
    let Origin::Name(name) = origin else {
        return Ok(format!("`{text}` is null"));
    };
    let outside = machine.outside()?;
    let mut known = Vec::new();
    for object in outside.iter().filter_map(as_object) {
        if object.contains(name) {
            return Ok(format!("`{name}` is null"));
        }
        known.extend(object.fields().map(|(key, _)| key.to_owned()));
    }
    Ok(format!("there is no `{name}`; {}", there_are(name, &known)))
}

/// Why one step of a path leads nowhere.
fn ended<'v>(
    machine: &mut Machine<'v>,
    value: &Datum<'v>,
    segment: &'v PathSegment,
    so_far: &str,
) -> Result<String, crate::fault::Fault> {
    match segment {
        PathSegment::Key(key) => Ok(no_member(value, key, so_far)),
        PathSegment::Index(index) => Ok(no_element(value, *index, so_far)),
        PathSegment::Slice { .. } => Ok(format!(
            "`{so_far}` is {} and has no parts",
            article(value.kind())
        )),
        PathSegment::Computed(index) => Ok(match machine.expression(index)? {
            Datum::Text(key) => no_member(value, &key, so_far),
            Datum::Number(number) => match number.as_i64() {
                Some(index) => no_element(value, index, so_far),
                None => format!("{number} is no position in `{so_far}`"),
            },
            other => format!("the index of `{so_far}` is {}", other.kind()),
        }),
    }
}

fn no_member(value: &Datum<'_>, key: &str, so_far: &str) -> String {
    match value {
        Datum::Object(object) if object.contains(key) => {
            format!(
                "`{so_far}{}` is null",
                segment_text(&PathSegment::Key(key.to_owned()))
            )
        }
        Datum::Object(object) => {
            let known: Vec<String> = object.fields().map(|(key, _)| key.to_owned()).collect();
            format!("`{so_far}` has no `{key}`; {}", there_are(key, &known))
        }
        other => format!("`{so_far}` is {} and has no `{key}`", article(other.kind())),
    }
}

fn no_element(value: &Datum<'_>, index: i64, so_far: &str) -> String {
    let Datum::List(list) = value else {
        return format!("`{so_far}` is {} and has no [{index}]", article(value.kind()));
    };
    match list.len() {
        0 => format!("`{so_far}` is an empty list"),
        length if in_range(list, index) => format!("`{so_far}[{index}]` of {length} is null"),
        1 => format!("`{so_far}` has 1 element and no [{index}]"),
        length => format!("`{so_far}` has {length} elements and no [{index}]"),
    }
}

fn in_range(list: &List<'_>, index: i64) -> bool {
    let distance = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    match index < 0 {
        true => distance <= list.len(),
        false => distance < list.len(),
    }
}

fn there_are(wanted: &str, known: &[String]) -> String {
    if known.is_empty() {
        return "it is empty".to_owned();
    }
    let mut told: Vec<&str> = known.iter().map(String::as_str).take(TOLD).collect();
    let rest = known.len().saturating_sub(TOLD);
    let more = format!("{rest} more");
    if rest > 0 {
        told.push(&more);
    }
    let has = format!("it has {}", told.join(", "));
    match did_you_mean(wanted, known.iter().map(String::as_str)) {
        Some(close) => format!("{has}; did you mean `{close}`?"),
        None => has,
    }
}

fn as_object<'d, 'v>(datum: &'d Datum<'v>) -> Option<&'d Object<'v>> {
    match datum {
        Datum::Object(object) => Some(object),
        _ => None,
    }
}

fn article(kind: &str) -> String {
    match kind {
        "object" => "an object".to_owned(),
        "null" | "text" => kind.to_owned(),
        kind => format!("a {kind}"),
    }
}
