//! Checks of `paginate`: which keys belong to which kind.

use super::http_action::check_header_name;
use crate::model::http_action::{Body, HttpAction};
use crate::model::paginate::{PageKind, Paginate, Paging, SendTo};
use crate::read::{Report, TemplateText};
use crate::rules;

/// A key, the kinds that have it, and the kinds that need it.
type KindKey = (&'static str, &'static [PageKind], &'static [PageKind]);

const KEYS: [KindKey; 5] = [
    (
        "next",
        &[PageKind::Token, PageKind::NextUrl],
        &[PageKind::Token, PageKind::NextUrl],
    ),
    (
        "send",
        &[PageKind::Token, PageKind::Offset, PageKind::Page],
        &[PageKind::Token, PageKind::Offset, PageKind::Page],
    ),
    ("page_size", &[PageKind::Offset, PageKind::Page], &[]),
    ("first", &[PageKind::Offset, PageKind::Page], &[]),
    ("rel", &[PageKind::LinkHeader], &[]),
];

pub(crate) fn check(action: &HttpAction, paginate: &Paginate, report: &mut Report) {
    check_paging(&paginate.paging(), action, report);
    if let Some(otherwise) = &paginate.otherwise {
        check_paging(&otherwise.paging(), action, report);
    }
}

fn check_paging(paging: &Paging<'_>, action: &HttpAction, report: &mut Report) {
    let kind = paging.kind;
    for (key, has, needs) in KEYS {
        match paging.keys.place(key) {
            Some(place) if !has.contains(&kind) => {
                let message = format!("pagination of kind {} has no `{key}`", word(kind));
                report.add(&rules::NOT_TOGETHER, place, message);
            }
            None if needs.contains(&kind) => {
                let message = format!("pagination of kind {} needs `{key}`", word(kind));
                report.add(&rules::MISSING_KEY, paging.place, message);
            }
            _ => {}
        }
    }
    if let Some(send) = paging.send {
        check_send(send, action, report);
        check_range(send, paging, report);
    }
}

fn check_send(send: &SendTo, action: &HttpAction, report: &mut Report) {
    let given = [&send.header, &send.query, &send.body]
        .into_iter()
        .flatten()
        .count();
    if given != 1 {
        report.add(
            &rules::NOT_TOGETHER,
            &send.place,
            "`send` holds one of `header`, `query` and `body`",
        );
    }
    if let Some(header) = &send.header {
        check_header_name(&header.value, &header.place, report);
    }
    if let Some(body) = &send.body
        && !action.body.as_ref().is_none_or(Body::is_json)
    {
        report.add(
            &rules::SEND_NEEDS_JSON_BODY,
            &body.place,
            "the body of this HTTP action is not JSON",
        );
    }
}

/// A range of items has two numbers, and an end that is known before the answer.
fn check_range(send: &SendTo, paging: &Paging<'_>, report: &mut Report) {
    const NUMBERS: [&str; 2] = ["first", "last"];
    let Some(TemplateText(template)) = &send.template else {
        return;
    };
    if paging.kind != PageKind::Offset {
        let message = format!(
            "pagination of kind {} sends no range: it has no `template`",
            word(paging.kind)
        );
        report.add(&rules::NOT_TOGETHER, template.place(), message);
        return;
    }
    if paging.keys.place("page_size").is_none() {
        let message = "a range has an end, so it needs `page_size`";
        report.add(&rules::MISSING_KEY, paging.place, message);
    }
    for path in template.reads() {
        let name = path.keys().next().unwrap_or_default();
        if !NUMBERS.contains(&name) {
            let message = format!("the template of a range does not see `{name}`");
            report.unknown_word(&rules::UNKNOWN_ROOT, &path.place, message, name, &NUMBERS);
        }
    }
    if template.is_constant() {
        let message = "every page would be asked for alike: the template reads neither `first` nor `last`";
        report.add(&rules::NOT_TOGETHER, template.place(), message);
    }
}

fn word(kind: PageKind) -> &'static str {
    match kind {
        PageKind::Token => "token",
        PageKind::Offset => "offset",
        PageKind::Page => "page",
        PageKind::LinkHeader => "link_header",
        PageKind::NextUrl => "next_url",
    }
}
