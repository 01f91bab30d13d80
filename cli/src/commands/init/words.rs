//! Names of APIs as words: `issueIdOrKey`, `issue_id-or-key` and `IssueIDOrKey` are the same ones.

/// The words of a name, in small letters and in the singular.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        let next_is_small = letters.peek().is_some_and(char::is_ascii_lowercase);
        let begins = letter.is_uppercase()
            && (before.is_lowercase() || before.is_ascii_digit() || (before.is_uppercase() && next_is_small));
        if (begins || !letter.is_alphanumeric()) && !word.is_empty() {
            words.push(singular(&std::mem::take(&mut word)));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    if !word.is_empty() {
        words.push(singular(&word));
    }
    words
}

/// `statuses` is `status`, `replies` is `reply`; words such as `address` stay as they are.
pub(crate) fn singular(word: &str) -> String {
    if word.len() <= 3 {
        return word.to_owned();
    }
    if let Some(stem) = word.strip_suffix("ies") {
        return format!("{stem}y");
    }
    if word.ends_with("sses") || word.ends_with("uses") {
        return word.strip_suffix("es").unwrap_or(word).to_owned();
    }
    if word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") {
        return word.to_owned();
    }
    word.strip_suffix('s').unwrap_or(word).to_owned()
}

/// A name as this project writes them: small letters, digits and `_`, not beginning with a digit, and no word of the
/// mapping language.
pub(crate) fn snake(name: &str) -> String {
    let mut text = String::new();
    let mut before = ' ';
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            text.push('_');
        }
        if letter.is_ascii_alphanumeric() {
            text.push(letter.to_ascii_lowercase());
        } else if !text.is_empty() && !text.ends_with('_') {
            text.push('_');
        }
        before = letter;
    }
    let text: String = text.trim_end_matches('_').chars().take(48).collect();
    let taken = [
        "",
        "true",
        "false",
        "null",
        "and",
        "or",
        "not",
        "in",
        "if",
        "then",
        "else",
        "settings",
        "meta_info",
        "response",
        "item",
        "index",
        "data",
    ];
    if taken.contains(&text.as_str()) {
        format!("{text}_value").trim_start_matches('_').to_owned()
    } else if text.starts_with(|letter: char| letter.is_ascii_digit()) {
        format!("_{text}")
    } else {
        text
    }
}

/// How well a noun names what the gateway calls a ticket; 0 where it does not. `extra` is the person's own word for it.
pub(crate) fn ticket_noun(word: &str, extra: Option<&str>) -> f64 {
    if extra.is_some_and(|extra| singular(&extra.to_lowercase()) == word) {
        return 1.0;
    }
    match word {
        "ticket" => 1.0,
        "issue" | "incident" => 0.95,
        "case" | "workitem" => 0.85,
        "request" | "conversation" | "enquiry" | "inquiry" => 0.7,
        "problem" | "complaint" | "task" => 0.5,
        _ => 0.0,
    }
}

/// Whether any of the words is among `wanted`.
pub(crate) fn any(words: &[String], wanted: &[&str]) -> bool {
    words.iter().any(|word| wanted.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_every_spelling() {
        assert_eq!(words("issueIdOrKey"), ["issue", "id", "or", "key"]);
        assert_eq!(words("HTTPStatuses"), ["http", "status"]);
        assert_eq!(words("support-tickets"), ["support", "ticket"]);
        assert_eq!(words("replies"), ["reply"]);
    }

    #[test]
    fn a_name_becomes_one_that_an_expression_can_read() {
        assert_eq!(snake("issues/add-Comment"), "issues_add_comment");
        assert_eq!(snake("in"), "in_value");
        assert_eq!(snake("2fa"), "_2fa");
    }
}
