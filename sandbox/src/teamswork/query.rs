//! The query parameters of the endpoints, read strictly.

use super::answers::Refusal;
use super::gate::query_pairs;
use super::model::{Priority, Record, Status, is_guid};
use super::moment::Moment;
use super::quirks::{Quirk, Quirks};
use super::view::{COLUMNS, FLAT_COLUMNS};
use super::workflow;

/// The decoded query parameters.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn parse(query: Option<&str>) -> Self {
        Self(query_pairs(query))
    }

    /// A parameter; the first if it was sent several times.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// `timezone`: whole hours from -12 to 14; 0 when not sent.
    pub(super) fn timezone(&self) -> Result<i8, Refusal> {
        let Some(text) = self.get("timezone") else {
            return Ok(0);
        };
        match text.parse::<i8>() {
            Ok(hours) if (-12..=14).contains(&hours) => Ok(hours),
            _ => Err(Refusal::invalid("timezone must be an integer from -12 to 14")),
        }
    }

    /// Whether `include` names this HTML text.
    pub(super) fn includes(&self, name: &str) -> bool {
        self.get("include")
            .is_some_and(|list| list.split(',').any(|entry| entry.trim() == name))
    }

    /// `limit`: 1 to 1000; 10 when not sent.
    pub(super) fn limit(&self) -> Result<usize, Refusal> {
        let Some(text) = self.get("limit") else {
            return Ok(10);
        };
        match text.parse() {
            Ok(limit) if (1..=1000).contains(&limit) => Ok(limit),
            _ => Err(Refusal::invalid("limit must be a number from 1 to 1000")),
        }
    }

    /// What a continuation token belongs to: everything that decides which rows come, in which order.
    pub(super) fn identity(&self) -> String {
        let mut pairs: Vec<_> = self
            .0
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "key" | "timezone"))
            .collect();
        pairs.sort();
        format!("{pairs:?}")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OrderBy {
    Status,
    Number,
    Title,
    RequestorName,
    RequestorEmail,
    AssigneeName,
    AssigneeEmail,
    ExpectedDate,
    Priority,
    Created,
    LastInteraction,
    /// By the id, which is spread: no order that means anything.
    Id,
}

impl OrderBy {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "status" => Self::Status,
            "ticketId" => Self::Number,
            "title" => Self::Title,
            "requestorName" => Self::RequestorName,
            "requestorEmail" => Self::RequestorEmail,
            "assigneeName" => Self::AssigneeName,
            "assigneeEmail" => Self::AssigneeEmail,
            "expectedDate" => Self::ExpectedDate,
            "priority" => Self::Priority,
            "createdDateTime" => Self::Created,
            "lastInteraction" => Self::LastInteraction,
            _ => return None,
        })
    }
}

/// `GET /tickets`, understood.
pub(super) struct ListQuery {
    filters: Vec<Filter>,
    pub(super) order_by: OrderBy,
    pub(super) descending: bool,
    /// The columns asked for; all when empty.
    pub(super) select: Vec<String>,
    pub(super) offset: usize,
    pub(super) limit: usize,
}

enum Filter {
    /// In title, description or number, in lower case.
    Search(String),
    Title(String),
    Status(Status),
    Resolved(bool),
    Priority(Priority),
    /// Any of these categories and texts.
    Tags(Vec<(String, String)>),
    Time {
        of: fn(&Record) -> Option<Moment>,
        from: Option<Moment>,
        to: Option<Moment>,
    },
}

impl ListQuery {
    pub(super) fn parse(parameters: &Parameters, quirks: &Quirks) -> Result<Self, Refusal> {
        let timezone = parameters.timezone()?;
        let mut filters = Vec::new();
        filters.extend(
            parameters
                .filled("search")
                .map(|text| Filter::Search(text.to_lowercase())),
        );
        filters.extend(
            parameters
                .filled("title")
                .map(|text| Filter::Title(text.to_lowercase())),
        );
        filters.extend(
            parameters
                .get("status")
                .map(|text| status(text, quirks))
                .transpose()?,
        );
        filters.extend(parameters.get("priority").map(priority).transpose()?);
        filters.extend(parameters.filled("tags").map(tags).transpose()?);
        if quirks.has(Quirk::StateFilters) {
            state_filters(parameters, &mut filters)?;
        }
        if quirks.has(Quirk::DateFilters) {
            let sign = if quirks.has(Quirk::TimezoneInverted) {
                -1
            } else {
                1
            };
            date_filters(parameters, timezone * sign, &mut filters);
        }
        let (order_by, descending) = order(parameters, quirks)?;
        Ok(Self {
            filters,
            order_by,
            descending,
            select: select(parameters, quirks)?,
            offset: offset(parameters)?,
            limit: parameters.limit()?,
        })
    }

    pub(super) fn keeps(&self, record: &Record) -> bool {
        self.filters.iter().all(|filter| filter.keeps(record))
    }
}

impl Filter {
    fn keeps(&self, record: &Record) -> bool {
        let ticket = &record.ticket;
        match self {
            Self::Search(text) => {
                ticket.title.to_lowercase().contains(text)
                    || ticket
                        .description
                        .as_ref()
                        .is_some_and(|all| all.to_lowercase().contains(text))
                    || ticket.number.to_string().contains(text)
            }
            Self::Title(text) => ticket.title.to_lowercase().contains(text),
            Self::Status(status) => ticket.status == *status,
            Self::Resolved(resolved) => ticket.status.is_resolved() == *resolved,
            Self::Priority(priority) => ticket.priority == *priority,
            Self::Tags(wanted) => wanted.iter().any(|(category, text)| {
                ticket
                    .tags
                    .iter()
                    .any(|tag| tag.category == *category && tag.text == *text)
            }),
            Self::Time { of, from, to } => of(record)
                .is_some_and(|time| from.is_none_or(|from| time >= from) && to.is_none_or(|to| time <= to)),
        }
    }
}

fn status(text: &str, quirks: &Quirks) -> Result<Filter, Refusal> {
    // The reference writes one of the values with a space in front.
    let text = text.trim();
    let pending_exists = quirks.has(Quirk::CustomWorkflow);
    let named = Status::ALL
        .into_iter()
        .find(|status| status.name() == text || workflow::label(*status, quirks) == text)
        .filter(|status| *status != Status::Pending || pending_exists);
    match named {
        Some(status) if quirks.has(Quirk::StatusFilterCoarse) => Ok(Filter::Resolved(status.is_resolved())),
        Some(status) => Ok(Filter::Status(status)),
        None => Err(Refusal::invalid(
            "status must be Open, Reopened, Started, Resolved or Closed",
        )),
    }
}

fn priority(text: &str) -> Result<Filter, Refusal> {
    Priority::from_name(text)
        .map(Filter::Priority)
        .ok_or_else(|| Refusal::invalid("priority must be Low, Medium, Important or Urgent"))
}

fn tags(text: &str) -> Result<Filter, Refusal> {
    let tag = |entry: &str| {
        let (category, text) = entry.trim().split_once('_')?;
        (is_guid(category) && !text.is_empty()).then(|| (category.to_owned(), text.to_owned()))
    };
    text.split(',')
        .map(tag)
        .collect::<Option<Vec<_>>>()
        .map(Filter::Tags)
        .ok_or_else(|| Refusal::invalid("tags must be a comma separated list of tagCategoryId_tagText"))
}

fn state_filters(parameters: &Parameters, filters: &mut Vec<Filter>) -> Result<(), Refusal> {
    match parameters.filled("isResolved") {
        None => {}
        Some("true") => filters.push(Filter::Resolved(true)),
        Some("false") => filters.push(Filter::Resolved(false)),
        Some(_) => return Err(Refusal::invalid("isResolved must be true or false")),
    }
    if let Some(id) = parameters.filled("statusId") {
        let state =
            workflow::state_of_id(id).ok_or_else(|| Refusal::invalid("statusId is not a state's id"))?;
        filters.push(Filter::Status(state));
    }
    Ok(())
}

fn date_filters(parameters: &Parameters, timezone: i8, filters: &mut Vec<Filter>) {
    let day = |name: &str| {
        parameters
            .get(name)
            .and_then(|text| Moment::parse_date(text, timezone))
    };
    let mut add = |of: fn(&Record) -> Option<Moment>, after: &str, before: &str| {
        let (from, to) = (day(after), day(before));
        if from.is_some() || to.is_some() {
            filters.push(Filter::Time { of, from, to });
        }
    };
    add(
        |record| Some(record.ticket.created_on),
        "createdAfter",
        "createdBefore",
    );
    add(
        |record| Some(record.ticket.last_updated_on),
        "lastUpdateAfter",
        "lastUpdateBefore",
    );
    add(
        |record| record.ticket.expected_date,
        "expectedDateAfter",
        "expectedDateBefore",
    );
}

fn order(parameters: &Parameters, quirks: &Quirks) -> Result<(OrderBy, bool), Refusal> {
    let order_by = match parameters.get("orderBy") {
        None => None,
        Some(name) => Some(
            OrderBy::from_name(name).ok_or_else(|| Refusal::invalid(format!("orderBy cannot be {name}")))?,
        ),
    };
    let descending = match parameters.get("order") {
        None => None,
        Some("ASC") => Some(false),
        Some("DESC") => Some(true),
        Some(_) => return Err(Refusal::invalid("order must be ASC or DESC")),
    };
    Ok(match order_by {
        Some(order_by) => (order_by, descending.unwrap_or(false)),
        None if quirks.has(Quirk::DefaultOrderRandom) => (OrderBy::Id, false),
        // "A single page in a reverse chronological stream of objects."
        None => (OrderBy::Created, descending.unwrap_or(true)),
    })
}

fn select(parameters: &Parameters, quirks: &Quirks) -> Result<Vec<String>, Refusal> {
    let Some(list) = parameters.filled("select") else {
        return Ok(Vec::new());
    };
    let known = |name: &str| {
        COLUMNS.contains(&name)
            || FLAT_COLUMNS.contains(&name)
            || (name == "ticketNo" && quirks.has(Quirk::TicketNo))
    };
    let columns: Vec<String> = list.split(',').map(|name| name.trim().to_owned()).collect();
    match columns.iter().find(|name| !known(name)) {
        None => Ok(columns),
        Some(_) if quirks.has(Quirk::SelectUnknown500) => Err(Refusal::internal("Internal server error")),
        Some(name) => Err(Refusal::invalid(format!("select has an unknown column: {name}"))),
    }
}

fn offset(parameters: &Parameters) -> Result<usize, Refusal> {
    parameters
        .get("offset")
        .map_or(Ok(0), str::parse)
        .map_err(|_| Refusal::invalid("offset must be a number from 0"))
}
