//! An integration that is being written.

use super::yaml::{Entry, Yaml, document, entry, remarked};

/// The parts of the file, in its order.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) name: String,
    /// What is said at the top of the file.
    pub(crate) about: Vec<String>,
    pub(crate) description: String,
    pub(crate) settings: Vec<Entry>,
    pub(crate) connector: Vec<Entry>,
    pub(crate) http_actions: Vec<Entry>,
    pub(crate) actions: Vec<Entry>,
    pub(crate) capabilities: Vec<Entry>,
    pub(crate) states: Vec<Entry>,
    /// What is said about the states.
    pub(crate) about_states: Vec<String>,
    pub(crate) polled: bool,
}

impl Draft {
    /// The text of `integration.yaml`.
    pub(crate) fn text(&self) -> String {
        let mut entries = vec![
            remarked(self.about.clone(), "name", Yaml::text(&self.name)),
            entry("description", Yaml::text(&self.description)),
        ];
        let mut part = |key: &str, above: &[String], content: &[Entry]| {
            if !content.is_empty() {
                entries.push(remarked(above.to_vec(), key, Yaml::Map(content.to_vec())));
            }
        };
        part("settings", &[], &self.settings);
        part("connector", &[], &self.connector);
        part("http_actions", &[], &self.http_actions);
        part("actions", &[], &self.actions);
        part(
            "capabilities",
            &[
                "What the system cannot do, or what is not written yet, answers 422 with this reason."
                    .to_owned(),
            ],
            &self.capabilities,
        );
        if self.states.is_empty() {
            part("ticketing", &self.about_states, &[]);
        } else {
            let states = remarked(
                self.about_states.clone(),
                "states",
                Yaml::Map(self.states.clone()),
            );
            part("ticketing", &[], &[states]);
        }
        for (key, value) in [("http_actions", &self.http_actions), ("actions", &self.actions)] {
            if value.is_empty() {
                entries.push(entry(key, Yaml::Map(Vec::new())));
            }
        }
        if !self.polled {
            entries.push(remarked(
                vec![
                    "The poller asks with query_tickets_by_time_range; take this out once it is there."
                        .to_owned(),
                ],
                "polling",
                Yaml::map([("enabled", Yaml::Plain("false".to_owned()))]),
            ));
        }
        // A line between the parts.
        let parts: Vec<String> = entries
            .iter()
            .map(|entry| document(std::slice::from_ref(entry)))
            .collect();
        let mut text = String::new();
        for (index, part) in parts.iter().enumerate() {
            if index > 1 {
                text.push('\n');
            }
            text.push_str(part);
        }
        if self.states.is_empty() {
            text.push('\n');
            for line in &self.about_states {
                text.push_str(&format!("# {line}\n"));
            }
        }
        text
    }
}
