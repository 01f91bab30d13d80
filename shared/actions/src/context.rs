//! `data.context`: what the mappings of an integration see of a call.

use integration::Installation;
use integration::contract::TasAction;
use mapping::Environment;
use serde_json::{Map, Value, json};

use crate::check::unknown_name;
use crate::error::{ApiError, ErrorCode, FieldProblem, evaluation};
use crate::page_token::Query;
use crate::time;

/// Which action of which integration is called.
#[derive(Clone, Copy)]
pub(crate) struct Call<'c> {
    pub(crate) action: TasAction,
    pub(crate) installation: &'c Installation,
    pub(crate) environment: &'c Environment,
}

/// A context under construction, with what is wrong with the input so far.
pub(crate) struct Context<'c> {
    pub(crate) call: Call<'c>,
    fields: Map<String, Value>,
    problems: Vec<FieldProblem>,
    query: Option<Query<'c>>,
}

impl<'c> Context<'c> {
    pub(crate) fn new(call: Call<'c>) -> Self {
        let mut fields = Map::new();
        fields.insert("requestor_info".to_owned(), Value::Null);
        fields.insert("destination".to_owned(), json!({}));
        fields.insert(
            "integration".to_owned(),
            Value::String(call.installation.integration.name.clone()),
        );
        Context {
            call,
            fields,
            problems: Vec::new(),
            query: None,
        }
    }

    pub(crate) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.fields.insert(key.to_owned(), value.into());
    }

    /// Sets a field that may be left out; null where it is.
    pub(crate) fn set_optional(&mut self, key: &str, value: Option<impl Into<Value>>) {
        self.fields
            .insert(key.to_owned(), value.map_or(Value::Null, Into::into));
    }

    pub(crate) fn problem(&mut self, field: &str, message: impl Into<String>) {
        self.problems.push(FieldProblem::new(field, message));
    }

    /// The ticket that the call is about. The gateway puts the whole ticket here before the mappings run,
    /// where they read more of it than its id.
    pub(crate) fn set_ticket(&mut self, ticket_id: &str) {
        self.set("ticket", json!({"id": ticket_id}));
    }

    /// Refuses an id that no ticket of the system can have, where the integration says how they look.
    pub(crate) fn check_ticket_id(&self, ticket_id: &str) -> Result<(), ApiError> {
        let ids = self.call.installation.integration.ticketing.ids();
        match ids.filter(|ids| !ids.pattern.is_match(ticket_id)) {
            None => Ok(()),
            Some(ids) => {
                let message = format!("the ticketing system has no such ticket: an id there is {ids}");
                Err(ApiError::new(ErrorCode::NotFound, message))
            }
        }
    }

    /// Chooses the destination: by name, else by the ticket id's pattern, else the default.
    pub(crate) fn choose_destination(&mut self, name: Option<&str>, ticket_id: Option<&str>) {
        let ticketing = &self.call.installation.integration.ticketing;
        let chosen = match name {
            Some(name) => {
                let found = ticketing.destination(name);
                if found.is_none() {
                    let known: Vec<&str> = ticketing
                        .destinations()
                        .iter()
                        .map(|known| known.name.as_str())
                        .collect();
                    self.problem("destination", unknown_name("destination", name, &known));
                }
                found
            }
            None => ticket_id
                .and_then(|ticket_id| ticketing.destination_of_ticket(ticket_id))
                .or_else(|| ticketing.default_destination()),
        };
        if let Some(destination) = chosen {
            self.set("destination", Value::Object(destination.object()));
        }
    }

    /// Takes `requestor_info` as it was sent and adds `itsm_user_id` to the requestor, where the
    /// integration says how its system knows people.
    pub(crate) fn set_requestor_info(&mut self, info: Option<Value>) -> Result<(), ApiError> {
        let Some(mut info) = info else { return Ok(()) };
        if let (Some(identity), true) = (
            self.call.installation.integration.ticketing.identity(),
            info.get("requestor").is_some_and(Value::is_object),
        ) {
            let root = json!({"requestor_info": info, "settings": self.call.installation.settings});
            let id = identity
                .evaluate(&root, self.call.environment)
                .map_err(|error| evaluation::failed(&error, "ticketing.identity"))?;
            if let (false, Some(requestor)) = (
                id.is_null(),
                info.get_mut("requestor").and_then(Value::as_object_mut),
            ) {
                requestor.insert("itsm_user_id".to_owned(), id);
            }
        }
        self.set("requestor_info", info);
        Ok(())
    }

    /// A requestor who is known by an id alone, as the path of a query gives it: in `requestor` and in
    /// `requestor_info.requestor`, because integrations read either.
    pub(crate) fn set_requestor(&mut self, id: &str) -> Result<(), ApiError> {
        let name = &self.call.installation.integration.name;
        let mut requestor = json!({"id": id});
        if let (true, Some(requestor)) = (id.contains('@'), requestor.as_object_mut()) {
            requestor.insert("email_addr".to_owned(), Value::String(id.to_owned()));
        }
        if let Some(requestor) = requestor.as_object_mut() {
            requestor.insert(
                "user_id_info".to_owned(),
                json!({"user_itsm_id_info": [{
                    "system": name.to_uppercase().replace('-', "_"),
                    "external_id": id,
                    "integration_id": name,
                }]}),
            );
        }
        self.set_requestor_info(Some(json!({"requestor": requestor})))?;
        let with_identity = self
            .fields
            .get("requestor_info")
            .and_then(|info| info.get("requestor"))
            .cloned();
        self.set_optional("requestor", with_identity);
        Ok(())
    }

    /// The time range of a query, in canonical form. Both ends must be given together.
    pub(crate) fn set_range(&mut self, start: Option<&str>, end: Option<&str>) {
        const EXPECTED: &str = "expected an RFC 3339 time with an offset, such as 2026-01-05T10:30:45Z";
        let mut parse = |field: &str, text: Option<&str>| {
            let text = text?;
            let time = time::parse_strict(text);
            if time.is_none() {
                self.problem(field, format!("{EXPECTED}, found other text"));
            }
            time
        };
        let from = parse("updated_start_ts", start);
        let to = parse("updated_end_ts", end);
        match (start, end) {
            (Some(_), None) => self.problem(
                "updated_end_ts",
                format!("{EXPECTED}, to go with updated_start_ts; found nothing"),
            ),
            (None, Some(_)) => self.problem(
                "updated_start_ts",
                format!("{EXPECTED}, to go with updated_end_ts; found nothing"),
            ),
            _ => {}
        }
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            self.problem(
                "updated_end_ts",
                "expected a time that is not before updated_start_ts",
            );
        }
        self.set_optional("updated_start_ts", from.map(time::canonical));
        self.set_optional("updated_end_ts", to.map(time::canonical));
    }

    /// The page to go on from. `page_token` belongs to the query with these parameters.
    pub(crate) fn set_page(
        &mut self,
        page_token: Option<&str>,
        requestor_id: Option<&str>,
        destination: Option<&str>,
    ) {
        let text = |key: &str| self.fields.get(key).and_then(Value::as_str).map(str::to_owned);
        let parameters = [
            ("requestor_id", requestor_id.map(str::to_owned)),
            ("updated_start_ts", text("updated_start_ts")),
            ("updated_end_ts", text("updated_end_ts")),
            ("destination", destination.map(str::to_owned)),
        ];
        let mut query = Query {
            action: self.call.action,
            integration: &self.call.installation.integration.name,
            parameters: parameters
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
            came_with: None,
        };
        let mut info = Map::new();
        match page_token.map(|token| query.unwrap(token)) {
            Some(Ok(own)) => {
                query.came_with = Some(own.clone());
                info.insert("next_page_token".to_owned(), own);
            }
            Some(Err(reason)) => self.problem("page_token", reason),
            None => {}
        }
        self.set("pagination_info", Value::Object(info));
        self.query = Some(query);
    }

    /// The context, or everything that is wrong with the input.
    pub(crate) fn finish(self) -> Result<Self, ApiError> {
        if self.problems.is_empty() {
            Ok(self)
        } else {
            Err(ApiError::invalid(&self.problems))
        }
    }

    /// The finished `data.context` and, for a list, the query its page tokens belong to.
    pub(crate) fn into_parts(self) -> (Map<String, Value>, Option<Query<'c>>) {
        (self.fields, self.query)
    }
}
