//! The parameters of a query string: only documented ones, each of the right kind.

use std::collections::BTreeSet;

use serde_json::{Map, json};

use super::answers::Refusal;

/// The decoded pairs of a query string.
pub(super) fn pairs(query: Option<&str>) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .into_owned()
        .collect()
}

/// The parameters of one request.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Refuses a parameter that is not in `known`; only those in `many` may come more than once.
    pub(super) fn read(query: Option<&str>, known: &[&str], many: &[&str]) -> Result<Self, Refusal> {
        let pairs = pairs(query);
        let mut wrong = Map::new();
        let mut seen = BTreeSet::new();
        for (name, _) in &pairs {
            if many.contains(&name.as_str()) {
                continue;
            }
            if !known.contains(&name.as_str()) {
                wrong.insert(name.clone(), json!(["Unknown field."]));
            } else if !seen.insert(name) {
                wrong.insert(name.clone(), json!(["Given more than once."]));
            }
        }
        if wrong.is_empty() {
            Ok(Self(pairs))
        } else {
            Err(Refusal::invalid("Invalid query parameters", wrong))
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.get(name).map(|text| number(name, text)).transpose()
    }

    pub(super) fn integers(&self, names: &[&str]) -> Result<Vec<i64>, Refusal> {
        self.0
            .iter()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .map(|(name, text)| number(name, text))
            .collect()
    }

    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some("true" | "True" | "1") => Ok(Some(true)),
            Some("false" | "False" | "0") => Ok(Some(false)),
            Some(_) => Err(invalid(name, "Not a valid boolean.")),
        }
    }

    /// Everything that must stay the same from page to page.
    pub(super) fn fingerprint(&self) -> Vec<(String, String)> {
        let mut pairs = self.0.clone();
        pairs.retain(|(name, _)| name != "cursor");
        pairs.sort();
        pairs
    }
}

fn number(name: &str, text: &str) -> Result<i64, Refusal> {
    text.parse().map_err(|_| invalid(name, "Not a valid integer."))
}

pub(super) fn invalid(name: &str, text: &str) -> Refusal {
    Refusal::field("Invalid query parameters", name, text)
}
