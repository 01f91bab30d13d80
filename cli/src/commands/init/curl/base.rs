//! What the paths of all lines begin with.

use super::is_id;
use super::line::Request;
use crate::commands::init::words::{ticket_noun, words};

/// The shared beginning, in two parts: where the system is installed, and its API below that. Neither ends in `/`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) installed: String,
    pub(super) api: String,
}

/// Takes the shared beginning off every path.
pub(super) fn take(requests: &mut [Request]) -> Base {
    let shared = shared(requests);
    let begin = format!("/{}", shared.join("/"));
    for request in requests.iter_mut() {
        if !shared.is_empty()
            && let Some(rest) = request.path.strip_prefix(&begin)
        {
            request.path = rest.to_owned();
        }
    }
    let at = shared
        .iter()
        .position(|segment| is_of_api(segment))
        .unwrap_or(shared.len());
    let text = |segments: &[String]| segments.iter().map(|segment| format!("/{segment}")).collect();
    let (installed, api) = shared.split_at(at);
    Base {
        installed: text(installed),
        api: text(api),
    }
}

fn shared(requests: &[Request]) -> Vec<String> {
    let mut paths = requests.iter().map(|request| {
        let segments = request.path.split('/').filter(|segment| !segment.is_empty());
        segments.map(str::to_owned).collect::<Vec<String>>()
    });
    let Some(first) = paths.next() else {
        return Vec::new();
    };
    let others: Vec<Vec<String>> = paths.collect();
    let mut shared: Vec<String> = Vec::new();
    for (place, segment) in first.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|before| first.get(before));
        let all = std::iter::once(&first).chain(&others);
        // What follows is a thing's id, or the end: the segment names what there is.
        let names_things = all.clone().any(|path| match path.get(place + 1) {
            Some(next) => is_id(segment, next),
            None => true,
        });
        let is_noun = words(segment)
            .last()
            .is_some_and(|noun| ticket_noun(noun, None) > 0.0);
        // One path alone does not say what others share with it.
        let is_alone = others.is_empty() && !is_of_api(segment);
        let is_shared = all.clone().all(|path| path.get(place) == Some(segment));
        if !is_shared
            || names_things
            || is_noun
            || is_alone
            || is_id(before.map_or("", String::as_str), segment)
        {
            break;
        }
        shared.push(segment.clone());
    }
    shared
}

/// `api`, `rest`, `apirest.php`, `v2`, and the number of a version.
fn is_of_api(segment: &str) -> bool {
    let own = words(segment);
    let number = segment.trim_start_matches(['v', 'V']);
    own.iter().any(|word| word.starts_with("api") || word == "rest")
        || (!number.is_empty()
            && number.len() <= 3
            && number.chars().all(|it| it.is_ascii_digit() || it == '.'))
}
