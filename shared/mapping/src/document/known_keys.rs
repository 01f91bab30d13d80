use std::collections::HashSet;

use super::{Key, Node};

/// How many keys are looked through before a set of them takes less time.
const SEARCHED: usize = 16;

/// The keys that an object under construction has.
#[derive(Default)]
pub(super) struct KnownKeys(HashSet<String>);

impl KnownKeys {
    /// Adds the key that follows those of the entries; false if it is among them.
    pub(super) fn add(&mut self, entries: &[(Key, Node)], name: &str) -> bool {
        if entries.len() < SEARCHED {
            return entries.iter().all(|(key, _)| key.name != name);
        }
        if self.0.is_empty() {
            self.0.extend(entries.iter().map(|(key, _)| key.name.clone()));
        }
        self.0.insert(name.to_owned())
    }
}
