//! Asks for page after page and collects their items.

mod fingerprint;
mod items;
mod link;
mod position;
mod token;

use std::collections::HashSet;

use mapping::is_truthy;
use serde_json::{Map, Value, json};

use self::fingerprint::fingerprint;
use self::items::Collected;
use self::position::{Position, Track};
use crate::answer::Reply;
use crate::client::Answer;
use crate::error::{ErrorKind, UpstreamError};
use crate::model::{PageKind, Paginate};
use crate::request::{Form, PageRequest, Root, path_of};
use crate::send::Session;

/// Where a walk starts.
struct Start {
    track: Track,
    position: Position,
    /// Fingerprint of the page before, of a walk that goes on.
    page_before: Option<u64>,
}

impl Start {
    fn beginning() -> Self {
        Self {
            track: Track::Main,
            position: Position::First,
            page_before: None,
        }
    }
}

/// What comes after a page.
enum After {
    /// A further page.
    Next(Track, Position),
    /// Nothing.
    End,
}

impl Session<'_> {
    /// Performs an action with pagination.
    pub(crate) async fn pages(&mut self, paginate: &Paginate) -> Result<Answer, UpstreamError> {
        let Start {
            mut track,
            mut position,
            page_before,
        } = self.start(paginate)?;
        let one_page = self.context.one_page && paginate.start_from.is_some();
        let own_items = self.action.own_items();
        let mut collected = Collected::new(paginate);
        let mut seen_tokens = track == Track::Main && position != Position::First;
        let mut pages: HashSet<u64> = page_before.into_iter().collect();
        let mut number = 0;
        loop {
            number += 1;
            let kind = track.kind(paginate);
            let request = self.page_request(kind, &position)?;
            let mut reply = self.answer(request.as_ref()).await?;
            let taken = own_items.filter(|_| !reply.is_nothing);
            let items = match taken.and_then(|at| reply.take_list(at)) {
                Some(items) => items,
                None if reply.is_nothing => Vec::new(),
                None => self.items(paginate, &reply)?,
            };
            let count = items.len();
            let told_apart = || (count > 0).then(|| fingerprint(&reply.response.text(), &paginate.items));
            // Of most lists this is the first page and the last one: there is nothing to tell it from.
            let mut page = (!pages.is_empty()).then(told_apart).flatten();
            let repeated = page.is_some_and(|page| !pages.insert(page));
            if repeated && self.must_not_repeat(paginate, track) {
                return Err(self.no_progress(number, &position, None));
            }
            // A system that does not know the second way of paging repeats its first page.
            let fresh = match track {
                Track::Otherwise if repeated => 0,
                _ => collected.take(self, items, &reply)?,
            };
            let over = track == Track::Otherwise && fresh == 0;
            let after = if over || reply.is_nothing || self.wants_no_more(paginate, &reply, count)? {
                After::End
            } else {
                self.after(paginate, track, &position, &reply, count, seen_tokens)?
            };
            let next = match after {
                After::End => None,
                After::Next(..) if repeated && paginate.stop_on_repeat => None,
                After::Next(_, next) if repeated => {
                    return Err(self.no_progress(number, &position, Some(&next)));
                }
                After::Next(next_track, next) => {
                    seen_tokens |= next_track == Track::Main;
                    Some((next_track, next))
                }
            };
            let full = number >= paginate.max_pages || collected.len() >= paginate.max_items;
            if page.is_none() && next.is_some() && !full {
                page = told_apart();
                pages.extend(page);
            }
            let token = match &next {
                Some((track, next)) if full => Some(token::encode(self, *track, next, None)?),
                // A page that no token leads to is read with this one.
                Some((track, next)) if one_page => token::encode(self, *track, next, page).ok(),
                _ => None,
            };
            match next {
                Some((next_track, next)) if token.is_none() => (track, position) = (next_track, next),
                _ => {
                    if token.is_some() {
                        self.context.unfinished = Some(self.action.name.clone());
                    }
                    let mut result = Map::new();
                    result.insert("items".to_owned(), collected.into_items().into());
                    result.insert("next_page_token".to_owned(), token.into());
                    result.insert("pages".to_owned(), number.into());
                    return Ok(Answer {
                        result: result.into(),
                        status: reply.response.status,
                        headers: reply.take("headers"),
                    });
                }
            }
        }
    }

    /// Where to start: at the beginning, or where an earlier call stopped.
    fn start(&self, paginate: &Paginate) -> Result<Start, UpstreamError> {
        let given = match &paginate.start_from {
            Some(mapping) => self
                .root()
                .evaluate(mapping, &format!("`start_from` of `{}`", self.action.name))?,
            None => Value::Null,
        };
        match given {
            Value::Null => Ok(Start::beginning()),
            Value::String(text) if text.is_empty() => Ok(Start::beginning()),
            other => token::decode(self, paginate, &other),
        }
    }

    fn items(&self, paginate: &Paginate, reply: &Reply) -> Result<Vec<Value>, UpstreamError> {
        let name = &self.action.name;
        let what = format!("`paginate.items` of `{name}`");
        match self.evaluate_after(&paginate.items, &[("response", &reply.value)], &what)? {
            Value::Array(items) => Ok(items),
            Value::Null if self.context.strict_lists => Err(self.bad_answer(&format!(
                "{what} gives null: the answer is no list, or the list is elsewhere in it; where the system leaves an \
                 empty list out, say so with `... OR []`"
            ))),
            // Many systems leave an empty list out; an answer that is nothing at all says nothing.
            Value::Null if !reply.value.pointer("/body").is_none_or(Value::is_null) => {
                tracing::warn!(
                    http_action = name,
                    "paginate.items gives null: taken for no items"
                );
                Ok(Vec::new())
            }
            Value::Null => Err(self.bad_answer(&format!("`{name}`: the answer to a list is empty"))),
            _ => Err(self.bad_answer(&format!("`paginate.items` of `{name}` gives no list"))),
        }
    }

    /// Whether a page that comes again is an error although `stop_on_repeat` makes it the end.
    ///
    /// It is the end for a system that shows its last page for every number after it. Under a token the system made, or
    /// an offset of the second way, it may as well be a wrong answer in the middle of the list.
    fn must_not_repeat(&self, paginate: &Paginate, track: Track) -> bool {
        let counts = matches!(paginate.kind, PageKind::Offset { .. } | PageKind::Page { .. });
        self.context.strict_lists && !(counts && track == Track::Main)
    }

    fn wants_no_more(&self, paginate: &Paginate, reply: &Reply, count: usize) -> Result<bool, UpstreamError> {
        if count == 0 && paginate.empty_page_ends {
            return Ok(true);
        }
        let Some(stop_when) = &paginate.stop_when else {
            return Ok(false);
        };
        let what = format!("`paginate.stop_when` of `{}`", self.action.name);
        let holds = self.evaluate_after(stop_when, &[("response", &reply.value)], &what)?;
        Ok(is_truthy(&holds))
    }

    fn after(
        &self,
        paginate: &Paginate,
        track: Track,
        position: &Position,
        reply: &Reply,
        count: usize,
        seen_tokens: bool,
    ) -> Result<After, UpstreamError> {
        let kind = track.kind(paginate);
        let next = match kind {
            PageKind::Token { next, .. } => self.next_token(next, reply)?.map(Position::Token),
            PageKind::Offset { page_size, .. } => {
                let more = self.is_full(page_size.as_ref(), count, reply)?;
                more.then(|| Position::Offset(position.offset().saturating_add(count as u64)))
            }
            PageKind::Page { first, page_size, .. } => {
                let more = self.is_full(page_size.as_ref(), count, reply)?;
                more.then(|| Position::Page(position.page(*first).saturating_add(1)))
            }
            PageKind::LinkHeader { rel } => {
                let header = reply
                    .value
                    .pointer("/headers/link")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                link::target(header, rel)
                    .map(|target| self.next_url(position, &target))
                    .transpose()?
            }
            PageKind::NextUrl { next } => self
                .next_text(next, reply)?
                .map(|target| self.next_url(position, &target))
                .transpose()?,
        };
        if let Some(next) = next {
            if next == *position {
                if paginate.stop_on_repeat {
                    return Ok(After::End);
                }
                return Err(self.no_progress(0, position, Some(&next)));
            }
            return Ok(After::Next(track, next));
        }
        // A system that gave a token once would have given another one; one that gave none may still have
        // more, which a full page is the sign of.
        match &paginate.otherwise {
            Some(other) if track == Track::Main && !seen_tokens && self.may_go_on(other, count, reply)? => {
                Ok(After::Next(
                    Track::Otherwise,
                    Position::second(other, count as u64),
                ))
            }
            _ => Ok(After::End),
        }
    }

    /// Whether a page of `count` items is a reason to ask for another one by `kind`.
    fn may_go_on(&self, kind: &PageKind, count: usize, reply: &Reply) -> Result<bool, UpstreamError> {
        match kind {
            PageKind::Offset { page_size, .. } | PageKind::Page { page_size, .. } => {
                self.is_full(page_size.as_ref(), count, reply)
            }
            PageKind::Token { .. } | PageKind::LinkHeader { .. } | PageKind::NextUrl { .. } => Ok(false),
        }
    }

    /// Whether `count` items fill a page; without a known size, any item does.
    fn is_full(
        &self,
        page_size: Option<&mapping::Mapping>,
        count: usize,
        reply: &Reply,
    ) -> Result<bool, UpstreamError> {
        let Some(page_size) = page_size else {
            return Ok(count > 0);
        };
        let size = self.page_size(page_size, &[("response", &reply.value)])?;
        Ok(count as u64 >= size)
    }

    fn page_size(
        &self,
        page_size: &mapping::Mapping,
        bindings: &[(&str, &Value)],
    ) -> Result<u64, UpstreamError> {
        let what = format!("`page_size` of `{}`", self.action.name);
        let size = self.evaluate_after(page_size, bindings, &what)?;
        size.as_u64().filter(|size| *size > 0).ok_or_else(|| {
            let message = format!("{what} must give a whole number above 0");
            UpstreamError::new(ErrorKind::Mapping, self.once_sent(&self.action.method), message)
        })
    }

    /// How the request asks for the page at a position.
    fn page_request<'p>(
        &self,
        kind: &'p PageKind,
        position: &'p Position,
    ) -> Result<Option<PageRequest<'p>>, UpstreamError> {
        let PageKind::Offset {
            send,
            first,
            range: Some(range),
            page_size: Some(page_size),
        } = kind
        else {
            return Ok(position.request(kind));
        };
        let first = position.offset().saturating_add(u64::from(*first));
        let last = first.saturating_add(self.page_size(page_size, &[])?) - 1;
        let root = Root {
            scope: &json!({"first": first, "last": last}),
            environment: &self.environment,
        };
        let text = root.plain(range, &format!("`send.template` of `{}`", self.action.name))?;
        Ok(Some(PageRequest::Send(send, text.into())))
    }

    /// The token of the next page. It is untrusted text that may go into a header.
    fn next_token(&self, next: &mapping::Mapping, reply: &Reply) -> Result<Option<Value>, UpstreamError> {
        let what = format!("`paginate.next` of `{}`", self.action.name);
        let token = self.evaluate_after(next, &[("response", &reply.value)], &what)?;
        match &token {
            Value::Null | Value::Bool(false) => Ok(None),
            Value::String(text) if text.is_empty() => Ok(None),
            Value::String(_) | Value::Number(_) if token::is_sendable(&token) => Ok(Some(token)),
            Value::String(_) => Err(self.bad_answer(&format!(
                "{what} gives a token that is too long or not visible ASCII"
            ))),
            _ => Err(self.bad_answer(&format!("{what} gives neither a text nor a number"))),
        }
    }

    fn next_text(&self, next: &mapping::Mapping, reply: &Reply) -> Result<Option<String>, UpstreamError> {
        let what = format!("`paginate.next` of `{}`", self.action.name);
        match self.evaluate_after(next, &[("response", &reply.value)], &what)? {
            Value::Null | Value::Bool(false) => Ok(None),
            Value::String(text) => Ok(Some(text).filter(|text| !text.is_empty())),
            _ => Err(self.bad_answer(&format!("{what} gives no URL"))),
        }
    }

    /// The URL of the next page, relative to this one's. It must stay within the origin and carries no
    /// credentials.
    fn next_url(&self, position: &Position, target: &str) -> Result<Position, UpstreamError> {
        let here = match position {
            Position::Url(url) => url.clone(),
            _ => path_of(self.connector, &Form::of(self.action), &self.root())?,
        };
        let url = here
            .join(target)
            .ok()
            .filter(|url| url.origin() == self.connector.base_url.origin());
        let Some(mut url) = url else {
            let message = format!(
                "`{}`: the next page is at another origin, where we do not go",
                self.action.name
            );
            return Err(self.bad_answer(&message));
        };
        url.set_fragment(None);
        // Credentials in the authority part would go into an `Authorization` header.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        self.credentials.strip(&mut url);
        Ok(Position::Url(url))
    }

    fn no_progress(&self, number: u32, asked: &Position, next: Option<&Position>) -> UpstreamError {
        let (name, asked) = (&self.action.name, self.redactor.text(&asked.shown()));
        let next = next.map(|next| self.redactor.text(&next.shown()));
        let next = next.map(|next| format!(" (next: {next})")).unwrap_or_default();
        let page = if number == 0 {
            "a page".to_owned()
        } else {
            format!("page {number}")
        };
        let what = if number == 0 {
            "names itself as the next"
        } else {
            "has the items of an earlier page"
        };
        let message = format!("`{name}`: {page}, asked for with {asked}, {what}{next}");
        UpstreamError::new(
            ErrorKind::NoProgress,
            self.once_sent(&self.action.method),
            message,
        )
    }

    fn bad_answer(&self, message: &str) -> UpstreamError {
        UpstreamError::new(ErrorKind::BadAnswer, self.once_sent(&self.action.method), message)
    }
}
