//! Lays out the answer of an integration's `describe` for a person.

use serde_json::{Map, Value};

/// Space between two columns.
const GAP: &str = "  ";

/// Every entry of an object under its name: a list of objects as a table, anything else as plain lines.
pub(crate) fn sections(description: &Map<String, Value>) -> String {
    let shown: Vec<String> = description
        .iter()
        .map(|(name, content)| format!("{}\n{}", heading(name), section(content)))
        .collect();
    shown.join("\n")
}

/// A list of objects as a table.
pub(crate) fn rows(rows: &[Map<String, Value>]) -> String {
    if rows.is_empty() {
        return format!("{GAP}none\n");
    }
    table(&rows.iter().collect::<Vec<_>>())
}

/// `custom_fields` is a key in YAML and `Custom fields` to a person.
fn heading(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn section(content: &Value) -> String {
    match content {
        Value::Array(rows) if rows.is_empty() => format!("{GAP}none\n"),
        Value::Array(rows) if rows.iter().all(Value::is_object) => {
            table(&rows.iter().filter_map(Value::as_object).collect::<Vec<_>>())
        }
        Value::Array(items) => items
            .iter()
            .map(|item| format!("{GAP}{}\n", cell(item)))
            .collect(),
        Value::Object(row) => row
            .iter()
            .map(|(key, value)| format!("{GAP}{key}: {}\n", cell(value)))
            .collect(),
        Value::Null => format!("{GAP}none\n"),
        other => format!("{GAP}{}\n", cell(other)),
    }
}

/// Columns in the order in which the rows first name them; a cell may take several lines.
fn table(rows: &[&Map<String, Value>]) -> String {
    let mut columns: Vec<&str> = Vec::new();
    for row in rows {
        for column in row.keys() {
            if !columns.contains(&column.as_str()) {
                columns.push(column);
            }
        }
    }

    let mut lines: Vec<Vec<String>> = vec![columns.iter().map(|column| column.to_uppercase()).collect()];
    for row in rows {
        let cells: Vec<Vec<String>> = columns
            .iter()
            .map(|column| row.get(*column).map_or_else(Vec::new, cell_lines))
            .collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
        lines.extend((0..height).map(|line| {
            cells
                .iter()
                .map(|cell| cell.get(line).cloned().unwrap_or_default())
                .collect::<Vec<_>>()
        }));
    }

    let widths: Vec<usize> = (0..columns.len())
        .map(|column| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells.map(|text| text.chars().count()).max().unwrap_or(0)
        })
        .collect();
    lines
        .iter()
        .map(|line| format!("{GAP}{}\n", aligned(line, &widths)))
        .collect()
}

fn aligned(line: &[String], widths: &[usize]) -> String {
    let cells: Vec<String> = line
        .iter()
        .zip(widths)
        .map(|(text, width)| format!("{text:<width$}"))
        .collect();
    cells.join(GAP).trim_end().to_owned()
}

/// A list of objects, such as the options of a field, takes a line each.
fn cell_lines(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) if items.iter().any(Value::is_object) => items.iter().map(cell).collect(),
        other => vec![cell(other)],
    }
}

/// One value on one line; control characters would let a ticketing system draw on the person's terminal.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        Value::Object(entries) => entries.values().map(cell).collect::<Vec<_>>().join(GAP),
        other => other.to_string(),
    };
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(description: &Value) -> String {
        sections(description.as_object().expect("an object"))
    }

    #[test]
    fn a_list_of_objects_is_a_table_with_a_column_for_every_key_of_any_row() {
        let text = shown(&json!({"custom_fields": [
            {"id": "f1", "name": "Site", "options": ["Lisbon", "Porto"]},
            {"id": "f22", "name": "Floor", "required": true},
        ]}));
        assert_eq!(
            text,
            "Custom fields\n  ID   NAME   OPTIONS        REQUIRED\n  f1   Site   Lisbon, Porto\n  f22  Floor                 true\n"
        );
    }

    #[test]
    fn options_with_ids_take_a_line_each() {
        let text = shown(&json!({"custom_fields": [
            {"title": "Site", "options": [{"key": "1", "text": "Lisbon"}, {"key": "2", "text": "Porto"}], "type": "list"},
            {"title": "Floor", "options": null, "type": "text"},
        ]}));
        assert_eq!(
            text,
            "Custom fields\n  TITLE  OPTIONS    TYPE\n  Site   1  Lisbon  list\n         2  Porto\n  Floor             text\n"
        );
    }

    #[test]
    fn sections_are_apart_and_an_empty_one_says_none() {
        assert_eq!(
            shown(&json!({"tags": [], "assignees": ["Ana"]})),
            "Tags\n  none\n\nAssignees\n  Ana\n"
        );
    }

    #[test]
    fn an_upstream_cannot_send_escape_sequences_to_the_terminal() {
        assert!(!shown(&json!({"tags": [{"name": "\u{1b}[2Jgone\n"}]})).contains('\u{1b}'));
    }
}
