//! What `init` says of its proposal.

use integration::TasAction;
use serde_json::{Map, Value, json};

use crate::tables;

/// What was proposed for one ticket action.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) action: TasAction,
    pub(crate) sure: f64,
    pub(crate) request: Option<String>,
    pub(crate) operation_id: Option<String>,
    pub(crate) because: Vec<String>,
    pub(crate) todos: Vec<String>,
}

/// The whole.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The path of a ticket.
    pub(crate) ticket: String,
    pub(crate) auth: String,
    /// The names of the secrets that an installation sets.
    pub(crate) secrets: Vec<String>,
    pub(crate) paging: Option<String>,
    pub(crate) rows: Vec<Row>,
    /// What was left out, and why.
    pub(crate) remarks: Vec<String>,
}

impl Report {
    /// As a table for a person.
    pub(crate) fn table(&self) -> String {
        let rows: Vec<Map<String, Value>> = self
            .rows
            .iter()
            .map(|row| {
                let mut cells = Map::new();
                let sure = if row.request.is_some() {
                    format!("{:.2}", row.sure)
                } else {
                    "-".to_owned()
                };
                let todos = if row.todos.is_empty() {
                    String::new()
                } else {
                    row.todos.len().to_string()
                };
                let request = row
                    .request
                    .clone()
                    .unwrap_or_else(|| format!("unsupported: {}", row.because.join("; ")));
                cells.insert("action".to_owned(), json!(row.action.key()));
                cells.insert("sure".to_owned(), json!(sure));
                cells.insert("todo".to_owned(), json!(todos));
                cells.insert("request".to_owned(), json!(request));
                cells
            })
            .collect();
        tables::rows(&rows)
    }

    /// As JSON for a program.
    pub(crate) fn json(&self, file: &str) -> Value {
        let actions: Map<String, Value> = self
            .rows
            .iter()
            .map(|row| {
                let value = json!({
                    "sure": row.sure,
                    "request": row.request,
                    "operation_id": row.operation_id,
                    "because": row.because,
                    "todo": row.todos,
                });
                (row.action.key().to_owned(), value)
            })
            .collect();
        json!({
            "file": file,
            "ticket": self.ticket,
            "auth": self.auth,
            "secrets": self.secrets,
            "paging": self.paging,
            "actions": actions,
            "remarks": self.remarks,
        })
    }
}
