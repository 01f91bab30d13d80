//! What is left of an input when only the paths that a mapping reads are kept.

use mapping::{InputPath, Segment};
use serde_json::{Map, Value};

/// The input with everything that no path leads to replaced by null. How long lists and objects are and what the
/// fields are called stays: a path to one part of a list says that the list is there.
pub(crate) fn to_reads(input: &Value, reads: &[InputPath]) -> Value {
    let paths: Vec<&[Segment]> = reads.iter().map(|path| path.segments.as_slice()).collect();
    keep(input, &paths)
}

fn keep(value: &Value, paths: &[&[Segment]]) -> Value {
    if paths.iter().any(|path| path.is_empty()) {
        return value.clone();
    }
    match value {
        Value::Array(elements) => {
            let count = elements.len();
            let kept = elements.iter().enumerate().map(|(position, element)| {
                let below = below(paths, |segment| match segment {
                    Segment::Any => true,
                    Segment::Index(index) => {
                        let from_end = i64::try_from(count)
                            .ok()
                            .and_then(|count| index.checked_add(count));
                        let index = if *index < 0 { from_end } else { Some(*index) };
                        index.and_then(|index| usize::try_from(index).ok()) == Some(position)
                    }
                    Segment::Key(_) => false,
                });
                if below.is_empty() {
                    Value::Null
                } else {
                    keep(element, &below)
                }
            });
            Value::Array(kept.collect())
        }
        Value::Object(fields) => {
            let mut kept = Map::new();
            for (name, field) in fields {
                let below = below(paths, |segment| match segment {
                    Segment::Any => true,
                    Segment::Key(key) => key == name,
                    Segment::Index(index) => index.to_string() == *name,
                });
                kept.insert(
                    name.clone(),
                    if below.is_empty() {
                        Value::Null
                    } else {
                        keep(field, &below)
                    },
                );
            }
            Value::Object(kept)
        }
        _ if paths.is_empty() => Value::Null,
        scalar => scalar.clone(),
    }
}

fn below<'p>(paths: &[&'p [Segment]], leads_there: impl Fn(&Segment) -> bool) -> Vec<&'p [Segment]> {
    paths
        .iter()
        .filter_map(|path| {
            path.split_first()
                .filter(|(first, _)| leads_there(first))
                .map(|(_, rest)| rest)
        })
        .collect()
}
