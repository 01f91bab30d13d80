//! The `Link` header (RFC 8288).

/// The target of the first link with this relation.
pub(super) fn target(header: &str, rel: &str) -> Option<String> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        let (parameters, following) = parameters(after);
        let matches = parameters.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("rel")
                && value.split_whitespace().any(|one| one.eq_ignore_ascii_case(rel))
        });
        if matches {
            return Some(target.to_owned());
        }
        rest = following;
    }
    None
}

/// The parameters after a target, and what follows the comma that ends them.
fn parameters(text: &str) -> (Vec<(String, String)>, &str) {
    let mut quoted = false;
    let end = text.find(|c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    let (own, following) = end.map_or((text, ""), |end| text.split_at(end));
    let pairs = own.split(';').filter_map(|parameter| parameter.split_once('='));
    let pairs =
        pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().trim_matches('"').to_owned()));
    (pairs.collect(), following)
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn the_link_with_the_relation_is_found() {
        let header =
            r#"<https://h/t?page=1>; rel="prev", <https://h/t?page=3&x=a,b>; title="a, b"; rel="next last""#;
        assert_eq!(
            target(header, "next").as_deref(),
            Some("https://h/t?page=3&x=a,b")
        );
        assert_eq!(
            target(header, "last").as_deref(),
            Some("https://h/t?page=3&x=a,b")
        );
        assert_eq!(target(header, "prev").as_deref(), Some("https://h/t?page=1"));
        assert_eq!(target(header, "first"), None);
    }

    #[test]
    fn unquoted_and_broken_headers_are_read_as_far_as_they_go() {
        assert_eq!(
            target("</t?page=2>;REL=Next", "next").as_deref(),
            Some("/t?page=2")
        );
        assert_eq!(target("<unfinished", "next"), None);
        assert_eq!(target("", "next"), None);
        assert_eq!(target("<a>, <b>; rel=next", "next").as_deref(), Some("b"));
    }
}
