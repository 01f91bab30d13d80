//! The items that are kept.

use std::collections::HashSet;

use mapping::is_truthy;
use serde_json::Value;

use crate::answer::Reply;
use crate::error::UpstreamError;
use crate::model::Paginate;
use crate::send::Session;

/// The items of the pages so far: each once, and only those that are kept.
pub(super) struct Collected<'a> {
    paginate: &'a Paginate,
    items: Vec<Value>,
    /// What tells the items so far apart, as JSON.
    seen: HashSet<String>,
}

impl<'a> Collected<'a> {
    pub(super) fn new(paginate: &'a Paginate) -> Self {
        Self {
            paginate,
            items: Vec::new(),
            seen: HashSet::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn into_items(self) -> Vec<Value> {
        self.items
    }

    /// Takes the items of a page. Says how many were not seen before, kept or not.
    pub(super) fn take(
        &mut self,
        session: &Session<'_>,
        items: Vec<Value>,
        reply: &Reply,
    ) -> Result<usize, UpstreamError> {
        let name = &session.action.name;
        let unique_by = format!("`paginate.unique_by` of `{name}`");
        let keep = format!("`paginate.keep` of `{name}`");
        let mut fresh = 0;
        for item in items {
            let bindings = [("item", &item), ("response", &reply.value)];
            let id = match &self.paginate.unique_by {
                Some(mapping) => session.evaluate_after(mapping, &bindings, &unique_by)?,
                None => Value::Null,
            };
            // Items without an id cannot be told apart, so none of them is dropped.
            if !id.is_null() && !self.seen.insert(id.to_string()) {
                continue;
            }
            fresh += 1;
            let kept = match &self.paginate.keep {
                Some(mapping) => is_truthy(&session.evaluate_after(mapping, &bindings, &keep)?),
                None => true,
            };
            if kept {
                self.items.push(item);
            }
        }
        Ok(fresh)
    }
}
