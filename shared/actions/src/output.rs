//! The answer of an action from what its `output_mapper` gave, in either of the contract's two shapes:
//! under the key (`{"raw_ticket": {...}}`) or bare.

use integration::Installation;
use integration::contract::TasAction;
use serde_json::{Map, Value, json};

use crate::check::MAX_PROBLEMS;
use crate::error::{ApiError, ErrorCode, FieldProblem};
use crate::page_token::Query;
use crate::range::Range;
use crate::ticket::TicketSchema;

/// What an answer is built from.
#[derive(Clone, Copy)]
pub(crate) struct Output<'o> {
    pub(crate) action: TasAction,
    pub(crate) installation: &'o Installation,
    pub(crate) schema: &'o TicketSchema,
    /// Fields of the input that the ticketing system need not repeat: `comment`, `file_name`, `content_type`.
    pub(crate) given: &'o Map<String, Value>,
    /// What the page tokens of a list belong to.
    pub(crate) query: Option<&'o Query<'o>>,
    /// The range outside of which tickets are dropped from a list.
    pub(crate) range: Option<&'o Range>,
}

/// What an `output_mapper` gave for a list.
pub(crate) struct List {
    pub(crate) rows: Vec<Value>,
    /// None on the last page.
    pub(crate) token: Option<Value>,
}

impl Output<'_> {
    /// The API's answer.
    pub(crate) fn answer(&self, mapped: Value) -> Result<Value, ApiError> {
        match self.action.output_key() {
            "raw_tickets" => self.tickets(mapped),
            "comment" => self.comment(mapped),
            "attachment" => self.attachment(mapped),
            _ => self.ticket(mapped),
        }
    }

    fn ticket(&self, mapped: Value) -> Result<Value, ApiError> {
        let mut ticket = unwrapped(mapped, "raw_ticket", |_| true);
        if ticket.is_null() && self.action == TasAction::QueryTicketById {
            return Err(ApiError::new(
                ErrorCode::NotFound,
                "the ticketing system has no ticket with this id",
            ));
        }
        self.unusable(&self.schema.ticket(&mut ticket, "raw_ticket", self.installation))?;
        Ok(under("raw_ticket", ticket))
    }

    fn tickets(&self, mapped: Value) -> Result<Value, ApiError> {
        let List {
            rows: mut tickets,
            token: own_token,
        } = self.list(mapped)?;
        let mut problems = Vec::new();
        for (index, ticket) in tickets.iter_mut().enumerate() {
            problems.extend(
                self.schema
                    .ticket(ticket, &format!("raw_tickets[{index}]"), self.installation),
            );
            if problems.len() >= MAX_PROBLEMS {
                break;
            }
        }
        self.unusable(&problems)?;
        if let Some(range) = self.range {
            tickets.retain(|ticket| range.has(ticket));
        }
        let token = self.next_page(own_token)?;
        let mut answer = under("raw_tickets", tickets.into());
        if let Some(fields) = answer.as_object_mut() {
            fields.insert("pagination_info".to_owned(), json!({"next_page_token": token}));
        }
        Ok(answer)
    }

    /// The rows of a list, and the integration's own token of the next page.
    pub(crate) fn list(&self, mapped: Value) -> Result<List, ApiError> {
        let (tickets, token) = match mapped {
            Value::Object(mut fields) => {
                let own = fields
                    .get_mut("pagination_info")
                    .and_then(|info| info.get_mut("next_page_token"))
                    .map(Value::take);
                // Under another key there would be no tickets to see, and no mistake either.
                let tickets = fields.remove("raw_tickets").unwrap_or(Value::Object(fields));
                (tickets, own)
            }
            bare => (bare, None),
        };
        let rows = match tickets {
            Value::Array(tickets) => tickets,
            // A mapping over a missing list gives null: there are no tickets.
            Value::Null => Vec::new(),
            other => {
                let message = format!("expected a list, found {}", crate::check::found(&other));
                self.unusable(&[FieldProblem::new("raw_tickets", message)])?;
                Vec::new()
            }
        };
        let token = token.filter(|own| !is_end(own));
        Ok(List { rows, token })
    }

    /// The caller's token of the next page, around the integration's own.
    pub(crate) fn next_page(&self, own: Option<Value>) -> Result<Option<String>, ApiError> {
        match (own, self.query) {
            (Some(own), Some(query)) if query.came_with.as_ref() == Some(&own) => {
                let message = "the next page is the one that was asked for: paging does not get on; look at how the \
                               integration uses `data.context.pagination_info.next_page_token`";
                Err(ApiError::new(ErrorCode::ExternalRestError, message))
            }
            (Some(own), Some(query)) => Ok(Some(query.wrap(own))),
            _ => Ok(None),
        }
    }

    fn comment(&self, mapped: Value) -> Result<Value, ApiError> {
        let mut comment = self.object(mapped, "comment")?;
        fill(&mut comment, "body", self.given.get("comment").cloned());
        fill(
            &mut comment,
            "is_public",
            Some(json!(self.action == TasAction::AddPublicComment)),
        );
        let mut comment = Value::Object(comment);
        self.unusable(&self.schema.comment(&mut comment, "comment", self.installation))?;
        Ok(under("comment", comment))
    }

    fn attachment(&self, mapped: Value) -> Result<Value, ApiError> {
        let mut attachment = self.object(mapped, "attachment")?;
        for key in ["file_name", "content_type"] {
            fill(&mut attachment, key, self.given.get(key).cloned());
        }
        let mut attachment = Value::Object(attachment);
        self.unusable(
            &self
                .schema
                .attachment(&mut attachment, "attachment", self.installation),
        )?;
        Ok(under("attachment", attachment))
    }

    /// The object under `key`, or the bare one. Many systems answer such a call with nothing: then it is empty.
    fn object(&self, mapped: Value, key: &str) -> Result<Map<String, Value>, ApiError> {
        match unwrapped(mapped, key, |inner| inner.is_object() || inner.is_null()) {
            Value::Object(fields) => Ok(fields),
            Value::Null => Ok(Map::new()),
            other => {
                let message = format!("expected an object, found {}", crate::check::found(&other));
                self.unusable(&[FieldProblem::new(key, message)])
                    .map(|()| Map::new())
            }
        }
    }

    fn unusable(&self, problems: &[FieldProblem]) -> Result<(), ApiError> {
        if problems.is_empty() {
            return Ok(());
        }
        let problems = problems.get(..MAX_PROBLEMS).unwrap_or(problems);
        let told: Vec<String> = problems
            .iter()
            .map(|problem| format!("{}: {}", problem.field, problem.message))
            .collect();
        let fields: Vec<Value> = problems
            .iter()
            .map(|problem| json!({"field": problem.field, "message": problem.message}))
            .collect();
        let message = format!(
            "what the ticketing system answered, mapped by the integration, is not a valid {}: {}",
            self.action.output_key(),
            told.join("; "),
        );
        Err(ApiError::new(ErrorCode::ExternalRestError, message).detail("fields", fields))
    }
}

/// An object with one field. `json!` would copy the value.
fn under(key: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(key.to_owned(), value)]))
}

/// What stands under `key`, where the value is an object that has it and the inner value `fits`; otherwise
/// the value itself.
fn unwrapped(mapped: Value, key: &str, fits: impl Fn(&Value) -> bool) -> Value {
    match mapped {
        Value::Object(mut fields) if fields.get(key).is_some_and(fits) => {
            fields.remove(key).unwrap_or_default()
        }
        other => other,
    }
}

fn fill(fields: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    if fields.get(key).is_none_or(Value::is_null)
        && let Some(value) = value
    {
        fields.insert(key.to_owned(), value);
    }
}

/// A connector says that there is no next page with null, false or empty text.
fn is_end(token: &Value) -> bool {
    match token {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}
