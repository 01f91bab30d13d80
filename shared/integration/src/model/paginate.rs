//! `paginate`: how further pages are fetched.

use mapping::Place;

use crate::read::{Count, Expression, Flag, Keys, Required, TemplateText, Text, choice, object};

object! {
    /// How further pages are fetched. Its expressions see `response`, the arguments, `settings` and
    /// `meta_info`; the result of the HTTP action is then `{items, next_page_token, pages}`.
    struct Paginate, "paginate" {
        /// How the next page is found (`token` by default).
        kind: Option<PageKind>,
        /// `token`: gives the next page's token; `next_url`: gives its URL. Null means there is none.
        next: Option<Expression>,
        /// Where the token, the offset or the page number goes.
        send: Option<SendTo>,
        /// `offset`, `page`: how many items a full page has, a number or an expression, which sees `response` unless
        /// `send` has a `template`; a shorter page is the last. Without it an empty page is.
        page_size: Option<Expression>,
        /// `page`: the number of the first page (1 by default); `offset`: that of the first item (0 by default).
        first: Option<Count<0, 1_000_000>>,
        /// `link_header`: the relation to follow (`next` by default).
        rel: Option<Text>,
        /// Gives the items of a page.
        items: Required<Expression>,
        /// Which items are kept; sees `item` too.
        keep: Option<Expression>,
        /// What makes items the same, so that one that comes twice is kept once; sees `item` too.
        unique_by: Option<Expression>,
        /// No further page is fetched once this holds.
        stop_when: Option<Expression>,
        /// Holds for an answer, whatever its status, that means that the page lies behind the end of the list: it has no
        /// items then. Not asked after 401 and 429.
        end_when: Option<Expression>,
        /// An input argument that holds the page token of an earlier call.
        start_from: Option<Expression>,
        /// Most pages of one call (50 by default).
        max_pages: Option<Count<1, 10_000>>,
        /// Most items of one call (10000 by default).
        max_items: Option<Count<1, 1_000_000>>,
        /// Another kind, used when the first gives no next page although the page was full.
        otherwise: Option<Otherwise>,
        /// Whether a page without items is the last one (no by default).
        empty_page_ends: Option<Flag>,
        /// Whether a page that names itself as the next, or that came before, ends the walk (no by default: it
        /// is an error, so that a walk that does not get on is noticed).
        stop_on_repeat: Option<Flag>,
    }
}

object! {
    /// A second way to find the next page.
    struct Otherwise, "otherwise" {
        /// How the next page is found.
        kind: Option<PageKind>,
        /// `token`: gives the next page's token; `next_url`: gives its URL.
        next: Option<Expression>,
        /// Where the token, the offset or the page number goes.
        send: Option<SendTo>,
        /// `offset`, `page`: how many items a full page has, a number or an expression, which sees `response` unless
        /// `send` has a `template`; a shorter page is the last. Without it an empty page is.
        page_size: Option<Expression>,
        /// `page`: the number of the first page (1 by default); `offset`: that of the first item (0 by default).
        first: Option<Count<0, 1_000_000>>,
        /// `link_header`: the relation to follow (`next` by default).
        rel: Option<Text>,
    }
}

choice! {
    /// How the next page is found.
    enum PageKind, "kind of pagination" {
        Token = "token",
        Offset = "offset",
        Page = "page",
        LinkHeader = "link_header",
        NextUrl = "next_url",
    }
}

object! {
    /// Where something goes in the request: one of `header`, `query` and `body`.
    struct SendTo, "send" {
        /// Name of a header.
        header: Option<Text>,
        /// Name of a query parameter.
        query: Option<Text>,
        /// Top-level key of the JSON body, which this alone is where the HTTP action has none.
        body: Option<Text>,
        /// `offset`: the text that asks for a range of items, of the numbers `first` and `last`, both included:
        /// `"{{first}}-{{last}}"`. Needs `page_size`.
        template: Option<TemplateText>,
    }
}

impl Paging<'_> {
    /// Whether a range is asked for, whose end has to be known before the answer.
    pub(crate) fn asks_for_range(&self) -> bool {
        self.send.is_some_and(|send| send.template.is_some())
    }
}

/// The keys that say how the next page is found, of `paginate` or of `otherwise`.
pub(crate) struct Paging<'m> {
    pub(crate) kind: PageKind,
    pub(crate) next: Option<&'m Expression>,
    pub(crate) send: Option<&'m SendTo>,
    pub(crate) page_size: Option<&'m Expression>,
    pub(crate) first: Option<Count<0, 1_000_000>>,
    pub(crate) rel: Option<&'m Text>,
    pub(crate) place: &'m Place,
    pub(crate) keys: &'m Keys,
}

macro_rules! paging {
    ($($Type:ty),*) => {$(
        impl $Type {
            pub(crate) fn paging(&self) -> Paging<'_> {
                Paging {
                    kind: self.kind.unwrap_or(PageKind::Token),
                    next: self.next.as_ref(),
                    send: self.send.as_ref(),
                    page_size: self.page_size.as_ref(),
                    first: self.first,
                    rel: self.rel.as_ref(),
                    place: &self.place,
                    keys: &self.keys,
                }
            }
        }
    )*};
}

paging!(Paginate, Otherwise);
