//! Where a page is.

use serde_json::Value;
use url::Url;

use crate::model::{PageKind, Paginate, SendTo};
use crate::request::{PageRequest, text_or_json};

/// Which of the two ways of paging is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Track {
    /// `kind`.
    Main,
    /// `otherwise`.
    Otherwise,
}

impl Track {
    pub(super) fn kind(self, paginate: &Paginate) -> &PageKind {
        match (self, &paginate.otherwise) {
            (Self::Otherwise, Some(kind)) => kind,
            _ => &paginate.kind,
        }
    }
}

/// Where a page is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Position {
    /// At the beginning.
    First,
    /// At a token: text or a number.
    Token(Value),
    /// After this many items.
    Offset(u64),
    /// At this page number.
    Page(u64),
    /// At this URL, within the origin.
    Url(Url),
}

impl Position {
    /// The second page by `kind`, after a first page with `count` items.
    pub(super) fn second(kind: &PageKind, count: u64) -> Self {
        match kind {
            PageKind::Page { first, .. } => Self::Page(u64::from(*first) + 1),
            _ => Self::Offset(count),
        }
    }

    /// How the request asks for this page.
    pub(super) fn request<'a>(&'a self, kind: &'a PageKind) -> Option<PageRequest<'a>> {
        match (self, kind) {
            (Self::Url(url), _) => Some(PageRequest::Url(url)),
            (Self::Token(token), PageKind::Token { send, .. }) => {
                Some(PageRequest::Send(send, token.clone()))
            }
            (_, PageKind::Offset { send, first, .. }) => {
                Some(number(send, self.offset().saturating_add(u64::from(*first))))
            }
            (_, PageKind::Page { send, first, .. }) => Some(number(send, self.page(*first))),
            _ => None,
        }
    }

    /// The offset; 0 at the beginning.
    pub(super) fn offset(&self) -> u64 {
        if let Self::Offset(offset) = self {
            *offset
        } else {
            0
        }
    }

    /// The page number; that of the first page at the beginning.
    pub(super) fn page(&self, first: u32) -> u64 {
        if let Self::Page(page) = self {
            *page
        } else {
            u64::from(first)
        }
    }

    /// The position for a person.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::First => "the beginning".to_owned(),
            Self::Token(token) => format!("the token `{}`", text_or_json(token)),
            Self::Offset(offset) => format!("the offset {offset}"),
            Self::Page(page) => format!("the page number {page}"),
            // A query string is never shown.
            Self::Url(url) => format!("the path `{}`", url.path()),
        }
    }
}

fn number(send: &SendTo, number: u64) -> PageRequest<'_> {
    PageRequest::Send(send, number.into())
}
