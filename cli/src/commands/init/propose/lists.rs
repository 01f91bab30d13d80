//! The two lists of tickets.

use super::super::choose::{language_leaf, requestor_leaf, since_leaf, ticket_list, until_leaf};
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
                written.todos.push("the document does not show where the list is in the answer: the answer itself is a guess".to_owned());
                (Vec::new(), Shape::default())
            }
        };
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
        let language = language_leaf(operation).map(Leaf::dotted);
        let in_language = language.map_or_else(String::new, |it| {
            format!("; it takes a query in `{it}`, which is to be written")
        });
        if by_requestor && requestor.is_none() && person.is_none() {
            return Err(format!(
                "{} shows no filter for a person{in_language}",
                operation.title()
            ));
        }
        if !by_requestor && since.is_none() && updated.is_none() {
            return Err(format!(
                "{} shows no filter for times{in_language}",
                operation.title()
            ));
        }
        if !in_language.is_empty() {
            written.todos.push(format!(
                "it takes a query in `{}`: write one, or all tickets are read and filtered here",
                language_leaf(operation).map(Leaf::dotted).unwrap_or_default()
            ));
        }

        let mut given: Vec<(&str, String)> = Vec::new();
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
        self.keep(
            index,
            operation,
            updated.as_deref(),
            if by_requestor && !filters_person {
                person.as_deref()
            } else {
                None
            },
        );
        let paging = paging::guess(operation);
        written.todos.extend(paging.todo.clone());
        self.paging = Some(paging.shown);
        given.push((
            "page_token",
            "data.context.pagination_info.next_page_token".to_owned(),
        ));
        // A variable that the request never reads would only be a warning of lint's.
        if since.is_none() && updated.is_none() {
            given.retain(|(name, _)| *name != "since" && *name != "until");
        } else if until.is_none() && updated.is_none() {
            given.retain(|(name, _)| *name != "until");
        }
        written
            .steps
            .push(step(&self.request(index, operation).name, &given, "page"));
        let (fields, todos) = ticket::fields(&shape, "item", self.resource, &self.hints);
        if !todos.is_empty() {
            written.todos.push(format!("find out {}", todos.join(", ")));
        }
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

    /// What the gateway itself filters, once more: a filter that a system does not know is passed over by many.
    fn keep(
        &mut self,
        index: usize,
        operation: &Operation,
        updated: Option<&[String]>,
        person: Option<&[String]>,
    ) {
        let mut parts = Vec::new();
        if let Some(path) = updated {
            let at = access("item", path);
            parts.push(format!(
                "(since == NULL OR {at}.$PARSE_TIME() >= since.$PARSE_TIME().$INTEGER())"
            ));
            parts.push(format!(
                "(until == NULL OR {at}.$PARSE_TIME() <= until.$PARSE_TIME())"
            ));
        }
        if let Some(path) = person {
            let at = access("item", path);
            parts.push(format!(
                "(requester == NULL OR {at}.$LOWERCASE() == requester.$LOWERCASE())"
            ));
        }
        if parts.is_empty() {
            return;
        }
        let request = self.request(index, operation);
        let text = parts.join(" AND ");
        match request.paginate.iter_mut().find(|entry| entry.key == "keep") {
            Some(keep) => {
                let longer = matches!(&keep.value, Yaml::Text(known) if known.len() < text.len());
                if longer {
                    keep.value = Yaml::text(text);
                }
            }
            None => request.paginate.push(entry("keep", Yaml::text(text))),
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
