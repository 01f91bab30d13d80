//! Where in its files an integration says something.

use std::path::Path;

use mapping::{Node, Place};

use crate::failure::Failure;

/// The files of an integration.
pub(crate) struct Places {
    documents: Vec<Node>,
}

impl Places {
    /// Reads the files of an integration.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) fn of(path: &Path) -> Result<Self, Failure> {
        let files = integration::read_files(path).map_err(|problem| Failure::from(*problem))?;
        let documents = files.into_iter().map(|(name, text)| mapping::parse(name, text));
        Ok(Self {
            documents: documents.collect::<Result<_, _>>()?,
        })
    }

    /// Where the value under these keys is written, one key below the other; where the last ones are not there, what is
    /// above them.
    pub(crate) fn nearest(&self, keys: &[&str]) -> Option<&Place> {
        (1..=keys.len())
            .rev()
            .find_map(|length| self.exact(keys.get(..length)?))
    }

    /// Where the value under these keys is written.
    pub(crate) fn exact(&self, keys: &[&str]) -> Option<&Place> {
        let (last, above) = keys.split_last()?;
        self.documents.iter().find_map(|document| {
            let parent = above.iter().try_fold(document, |node, key| node.get(key))?;
            let entry = parent.entries().iter().find(|(key, _)| key.name == *last)?;
            Some(&entry.0.place)
        })
    }
}

/// `file:line`.
pub(crate) fn line(place: &Place) -> String {
    let (line, _) = place.line_column();
    format!("{}:{line}", place.source.name)
}
