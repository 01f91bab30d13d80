//! What is to be done to the documents. Every engine says it in its own language.

/// A job.
#[derive(Clone)]
pub enum Job {
    /// The normal form of a ticket, 9 fields: trimmed, looked up with a default, in lower case, joined, replaced, and
    /// a list that is filtered and mapped.
    Ticket,
    /// The same for each of the tickets under `items`.
    Page,
    /// Fields that are nothing but paths: a name, and the keys that lead there.
    Copy(Vec<(String, Vec<String>)>),
}

impl Job {
    /// The first fields of [`crate::documents::flat`] and [`crate::documents::numbers`].
    pub fn copy_of(fields: usize) -> Job {
        Job::Copy(
            (0..fields)
                .map(|field| (format!("f{field}"), vec![format!("field_{field}")]))
                .collect(),
        )
    }

    /// The text of [`crate::documents::deep`].
    pub fn copy_from_the_deep() -> Job {
        Job::Copy(vec![("found".to_owned(), vec!["down".to_owned(); 60])])
    }
}
