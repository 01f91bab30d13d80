//! What of a good answer's body is looked at: the rest of the JSON is skipped and never built.

use mapping::{Mapping, Projection, Segment};
use serde_json::Value;

use crate::model::{HttpAction, PageKind, Paginate};

/// What of the bodies of an HTTP action's good answers is kept. See [`HttpAction::reads`].
#[derive(Debug, Clone)]
pub struct BodyReads(Kept);

#[derive(Debug, Clone)]
enum Kept {
    Everything,
    Parts(Projection),
}

impl BodyReads {
    /// Everything: for who shows answers to a person.
    pub const fn everything() -> Self {
        Self(Kept::Everything)
    }

    /// What mappings look at that see an answer as `response`.
    pub(crate) fn of<'m>(mappings: impl IntoIterator<Item = &'m Mapping>) -> Self {
        Self(Kept::Parts(body_of(mappings)))
    }

    /// Reads a JSON text.
    pub(crate) fn parse(&self, text: &str) -> Result<Value, serde_json::Error> {
        match &self.0 {
            Kept::Everything => serde_json::from_str(text),
            Kept::Parts(projection) => projection.parse(text),
        }
    }
}

fn body_of<'m>(mappings: impl IntoIterator<Item = &'m Mapping>) -> Projection {
    Projection::of(mappings).under(&["response", "body"])
}

impl HttpAction {
    /// What of the bodies of its good answers is read: what its own mappings look at, and `caller`, which is what its
    /// caller looks at of a body that is the result. Of an action with `paginate` that is what the items are made of.
    ///
    /// To be computed once, when an integration is compiled.
    pub fn reads(&self, caller: &Projection) -> BodyReads {
        // Kept answers go to callers that look at other parts.
        if self.cache.is_some() {
            return BodyReads::everything();
        }
        BodyReads(Kept::Parts(body_of(self.judging()).or(caller)))
    }

    /// The mappings that see `response`.
    pub(crate) fn mappings_over_answers(&self) -> impl Iterator<Item = &Mapping> {
        let items = self.paginate.iter().map(|paginate| &paginate.items);
        self.judging().chain(items)
    }

    /// The keys that lead to the items in a body of which nothing else looks at them.
    pub(crate) fn own_items(&self) -> Option<&[String]> {
        let at = self.paginate.as_ref()?.items_at.as_deref()?;
        let names = || {
            ["response", "body"]
                .into_iter()
                .chain(at.iter().map(String::as_str))
        };
        let leads_there = |(segment, name): (&Segment, &str)| match segment {
            Segment::Key(key) => key == name,
            Segment::Index(_) | Segment::Any => true,
        };
        let mut paths = self.judging().flat_map(Mapping::reads);
        let looked_at = paths.any(|path| path.segments.iter().zip(names()).all(leads_there));
        (!looked_at).then_some(at)
    }

    /// Those of them whose values go nowhere else.
    fn judging(&self) -> impl Iterator<Item = &Mapping> {
        let failures = self
            .fail_when
            .iter()
            .flat_map(|rule| [Some(&rule.condition), rule.message.as_ref()]);
        let result = [self.null_when.as_ref(), self.result.as_ref()];
        let fallback = self.fallback.iter().map(|fallback| fallback.when.as_ref());
        let pages = self.paginate.iter().flat_map(Paginate::judging);
        failures.chain(result).chain(fallback).chain(pages).flatten()
    }
}

impl Paginate {
    fn judging(&self) -> [Option<&Mapping>; 8] {
        [
            self.end_when.as_ref(),
            self.kind.page_size(),
            self.otherwise.as_ref().and_then(PageKind::page_size),
            self.keep.as_ref(),
            self.unique_by.as_ref(),
            self.stop_when.as_ref(),
            self.kind.next(),
            self.otherwise.as_ref().and_then(PageKind::next),
        ]
    }
}

impl PageKind {
    fn page_size(&self) -> Option<&Mapping> {
        match self {
            PageKind::Offset { page_size, .. } | PageKind::Page { page_size, .. } => page_size.as_ref(),
            PageKind::Token { .. } | PageKind::NextUrl { .. } | PageKind::LinkHeader { .. } => None,
        }
    }

    /// What finds the next page in an answer.
    fn next(&self) -> Option<&Mapping> {
        match self {
            PageKind::Token { next, .. } | PageKind::NextUrl { next } => Some(next),
            PageKind::Offset { .. } | PageKind::Page { .. } | PageKind::LinkHeader { .. } => None,
        }
    }
}
