//! Whether a field of a ticket shows what was sent for it.

use serde_json::Value;

/// Whether a value shows what was given: text without regard to case, numbers as their text, lists in any order. Of an
/// object, one field that shows it is enough where the other side is one text, such as the e-mail address of a person.
pub(super) fn shows(given: &Value, shown: &Value) -> bool {
    match (given, shown) {
        (Value::Array(given), Value::Array(shown)) => given
            .iter()
            .all(|item| shown.iter().any(|other| shows(item, other))),
        (Value::Object(given), Value::Object(shown)) => given
            .iter()
            .all(|(name, value)| shown.get(name).is_none_or(|other| shows(value, other))),
        (Value::Object(given), shown) => given.values().any(|value| shows(value, shown)),
        (given, Value::Object(shown)) => shown.values().any(|value| shows(given, value)),
        (given, shown) => match (plain(given), plain(shown)) {
            (Some(given), Some(shown)) => given == shown,
            _ => given == shown,
        },
    }
}

/// Whether a person of a ticket, a text or an object, is the one of this address, id or name.
pub(super) fn names(person: &Value, wanted: &str) -> bool {
    shows(&wanted.into(), person)
}

/// Whether a person of a ticket is shown with an e-mail address.
pub(super) fn has_address(person: &Value) -> bool {
    match person {
        Value::String(text) => text.contains('@'),
        Value::Object(fields) => fields.values().any(has_address),
        _ => false,
    }
}

/// The text of a person's name or address in which a word is, without regard to case.
pub(super) fn has_word(person: &Value, word: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|letter: char| !letter.is_alphanumeric());
        words.map(str::to_lowercase).collect()
    };
    match person {
        Value::String(text) => words(text).contains(&word.to_lowercase()),
        Value::Object(fields) => fields.values().any(|field| has_word(field, word)),
        _ => false,
    }
}

/// Whether a value stands in a text in small letters, as whole words.
pub(super) fn has_word_of(text: &str, value: &Value) -> bool {
    let Some(word) = plain(value).filter(|word| !word.is_empty()) else {
        return false;
    };
    let is_end = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
    text.match_indices(&word).any(|(at, _)| {
        let (before, after) = text.split_at(at);
        let after = after.get(word.len()..).unwrap_or_default();
        is_end(before.chars().next_back()) && is_end(after.chars().next())
    })
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_lowercase()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_shown_in_any_of_the_usual_forms() {
        for (given, shown) in [
            (json!("High"), json!("high")),
            (json!(3), json!("3")),
            (json!(["a", "b"]), json!(["b", "a", "c"])),
            (
                json!({"email": "ana@example.com", "id": 7}),
                json!("Ana@example.com"),
            ),
            (
                json!("ana@example.com"),
                json!({"id": "7", "email": "ana@example.com"}),
            ),
            (json!({"level": 2}), json!({"level": "2", "other": true})),
        ] {
            assert!(shows(&given, &shown), "{given} {shown}");
        }
        for (given, shown) in [
            (json!("high"), json!("normal")),
            (json!("high"), json!(null)),
            (json!(["a", "b"]), json!(["a"])),
            (json!({"level": 2}), json!({"level": 3})),
        ] {
            assert!(!shows(&given, &shown), "{given} {shown}");
        }
    }

    #[test]
    fn a_word_is_found_whole() {
        assert!(has_word_of("{\"level\":50}", &json!("50")));
        assert!(!has_word_of("{\"level\":150}", &json!(50)));
    }
}
