//! The two lists of tickets.

use super::super::choose::ticket_list;
use super::super::meaning::{language_leaf, requestor_leaf, since_leaf, until_leaf};
use super::super::operation::Operation;
use super::super::paging::{self, access};
use super::super::resource::{STATE, likeness};
use super::super::shape::{Kind, Leaf, Shape};
use super::super::ticket;
use super::super::words::{any, words};
use super::super::yaml::{Yaml, entry};
use super::{Proposal, Written, step};

impl Proposal<'_> {
    pub(super) fn list(
        &mut self,
        index: usize,
        operation: &Operation,
        by_requestor: bool,
    ) -> Result<Written, String> {
        let mut written = Written::default();
        let found = ticket_list(operation, self.resource, self.operations);
        let (path, items) = match found {
            Some((path, shape)) => (path.clone(), shape.clone()),
            None => {
                written.unknown(
                    "where the list is",
                    "the file does not show where the list is in the answer: the answer itself is a guess",
                );
                (Vec::new(), Shape::default())
            }
        };
        if likeness(&items) == 0.0 && likeness(&self.ticket) > 0.0 {
            written.unknown(
                "how a ticket looks in the list",
                "the file does not show a ticket of the list: it is taken to look like one that is read alone",
            );
        }
        let shape = if likeness(&items) > likeness(&self.ticket) || self.ticket.leaves.is_empty() {
            items
        } else {
            self.ticket.clone()
        };
        let updated = ticket::updated_path(&shape);
        let person = ticket::requestor_path(&shape);
        let since = since_leaf(operation).cloned();
        let until = until_leaf(operation).cloned();
        let requestor = requestor_leaf(operation).cloned();
        let language = language_leaf(operation).cloned();
        let in_language = language.as_ref().map_or_else(String::new, |leaf| {
            format!("; it takes a query in `{}`, which is to be written", leaf.name())
        });
        if by_requestor && requestor.is_none() && person.is_none() {
            return Err(format!(
                "{} shows no filter for a person{in_language}",
                operation.title()
            ));
        }
        let mut given: Vec<(&str, String)> = Vec::new();
        if let Some(leaf) = language.filter(|_| since.is_none()) {
            written.unknown(
                "the query",
                format!(
                    "`{}` takes a query: write one for the times in `search`, sorted by the last change; without one all \
                     tickets are read and filtered here, or the system refuses",
                    leaf.name()
                ),
            );
            self.request(index, operation)
                .query_if(leaf.name(), "search", "search");
            given.push(("search", "NULL".to_owned()));
        }
        given.push(("since", "data.context.updated_start_ts".to_owned()));
        given.push(("until", "data.context.updated_end_ts".to_owned()));
        let first_time = self
            .requests
            .iter()
            .all(|request| request.operation != index || request.paginate.is_empty());
        if let Some(leaf) = &since {
            self.request(index, operation)
                .query_if(leaf.name(), "since", &time_in("since", leaf));
        }
        if let Some(leaf) = &until {
            self.request(index, operation)
                .query_if(leaf.name(), "until", &time_in("until", leaf));
        }
        let filters_person = requestor.is_some();
        if by_requestor {
            given.push(("requester", "data.context.requestor.email_addr".to_owned()));
            if let Some(leaf) = &requestor {
                self.request(index, operation)
                    .query_if(leaf.name(), "requester", "requester");
                if !leaf.words.contains(&"email".to_owned()) {
                    written.todos.push(format!(
                        "does `{}` take an e-mail address? If it takes a login or an id, look it up first",
                        leaf.name()
                    ));
                }
            }
        }
        if first_time {
            self.list_basics(index, operation, &path, updated.as_deref());
        }
        if let Some(path) = person.as_deref().filter(|_| by_requestor && !filters_person) {
            self.keep(index, operation, path);
        }
        let paging = paging::guess(operation);
        if let Some(todo) = &paging.todo {
            written.unknown("the paging", todo);
        }
        self.paging = Some(paging.shown);
        given.push((
            "page_token",
            "data.context.pagination_info.next_page_token".to_owned(),
        ));
        // A variable that the request never reads would only be a warning of lint's.
        if since.is_none() {
            given.retain(|(name, _)| *name != "since");
            written.unknown(
                "the filter for times",
                "no filter for times was found: each walk reads all tickets. Look for one, or sort by update and stop \
                 early (docs/cookbook.md)",
            );
        }
        if until.is_none() {
            given.retain(|(name, _)| *name != "until");
        }
        // Many systems pass over a filter that they do not know.
        written.refilter = true;
        written
            .steps
            .push(step(&self.request(index, operation).name, &given, "page"));
        let (fields, unknown) = ticket::fields(&shape, "item", self.resource, &self.hints);
        written.fields_unknown(&unknown);
        written.output = vec![
            entry(
                "raw_tickets",
                Yaml::map([(
                    "MAP()",
                    Yaml::map([
                        ("items", Yaml::text("data.page.items")),
                        ("converter", Yaml::Map(fields)),
                    ]),
                )]),
            ),
            entry(
                "pagination_info",
                Yaml::map([("next_page_token", Yaml::text("data.page.next_page_token"))]),
            ),
        ];
        Ok(written)
    }

    /// Paging, the size of a page, the order, and that closed tickets are in the list.
    fn list_basics(
        &mut self,
        index: usize,
        operation: &Operation,
        path: &[String],
        updated: Option<&[String]>,
    ) {
        let paging = paging::guess(operation);
        let request = self.request(index, operation);
        request.only_reads();
        if let Some((name, size)) = &paging.size {
            request.query(name, &size.to_string());
        }
        for parameter in operation.query() {
            let leaf = &parameter.leaf;
            let value = |wanted: &dyn Fn(&[String]) -> bool| {
                leaf.values.iter().find(|value| wanted(&words(value))).cloned()
            };
            if leaf.is_called(STATE) {
                match value(&|own| any(own, &["all", "any"])) {
                    Some(all) => request.query(&parameter.name, &all),
                    None => request.remark(format!(
                        "TODO: are closed tickets in the list without `{}`?",
                        parameter.name
                    )),
                }
            } else if leaf.is_called(&["sort", "sort by", "order by", "orderby", "sort field"])
                && updated.is_some()
            {
                let fits = |own: &[String]| {
                    any(own, &["updated", "update", "modified"]) && !own.contains(&"asc".to_owned())
                };
                if let Some(order) = value(&fits) {
                    request.query(&parameter.name, &order);
                }
            } else if leaf.is_called(&[
                "direction",
                "order",
                "sort order",
                "sort dir",
                "sort direction",
                "order type",
            ]) && let Some(order) = value(&|own| any(own, &["desc", "descending"]))
            {
                request.query(&parameter.name, &order);
            }
        }
        let mut keys = paging.keys;
        keys.push(entry("items", Yaml::text(paging::in_body(path))));
        if let Some(id) = ticket::id_path(&self.ticket, self.resource) {
            keys.push(entry("unique_by", Yaml::text(access("item", &id))));
        }
        keys.push(entry("start_from", Yaml::text("page_token")));
        let request = self.request(index, operation);
        request.paginate = keys;
        if paging.stable {
            request.remark(
                "TODO: if the token stands for a place in the list, say `polling: {paging: stable}`.",
            );
        }
    }

    /// Leaves only a person's tickets where the system cannot. A caller that asks for times alone names nobody.
    fn keep(&mut self, index: usize, operation: &Operation, person: &[String]) {
        let at = access("item", person);
        let text = format!("requester == NULL OR {at}.$LOWERCASE() == requester.$LOWERCASE()");
        let request = self.request(index, operation);
        if request.paginate.iter().all(|entry| entry.key != "keep") {
            request.paginate.push(entry("keep", Yaml::text(text)));
        }
    }
}

/// A time as the parameter takes it: a number is seconds since 1970.
fn time_in(variable: &str, leaf: &Leaf) -> String {
    match (leaf.kind, leaf.format.as_str()) {
        (Kind::Number, _) => format!("{variable}.$PARSE_TIME().$INTEGER()"),
        (_, "date") => format!("{variable}.$FORMAT_TIME(\"%Y-%m-%d\")"),
        _ => variable.to_owned(),
    }
}
