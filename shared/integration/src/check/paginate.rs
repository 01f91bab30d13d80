//! Checks of `paginate`: which keys belong to which kind.

use super::http_action::check_header_name;
use crate::model::http_action::{Body, HttpAction};
use crate::model::paginate::{PageKind, Paginate, Paging, SendTo};
use crate::read::Report;
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
    ("first", &[PageKind::Page], &[]),
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

fn word(kind: PageKind) -> &'static str {
    match kind {
        PageKind::Token => "token",
        PageKind::Offset => "offset",
        PageKind::Page => "page",
        PageKind::LinkHeader => "link_header",
        PageKind::NextUrl => "next_url",
    }
}
