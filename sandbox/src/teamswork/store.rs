//! The tickets: in memory, and written through to a file when one is given.

use std::collections::BTreeMap;
use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::model::Record;
use super::moment::Moment;
use super::{Clock, seed};

/// Ticket id to the whole record as JSON.
const TICKETS: TableDefinition<&str, &[u8]> = TableDefinition::new("tickets");

/// The first ticket's number, as far from 0 as in an installation that has been used.
const FIRST_NUMBER: u64 = 1001;

/// Why the state file could not be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error(transparent)]
    Database(#[from] redb::Error),
    #[error("a record is not readable: {0}")]
    Record(#[from] serde_json::Error),
}

pub(super) struct Store {
    /// By id; ids are spread, so this order is of no use to anyone.
    records: BTreeMap<String, Record>,
    file: Option<Database>,
    clock: Clock,
    last_change: Moment,
    next_number: u64,
}

impl Store {
    /// Opens the file if there is one, and fills an empty store with seed tickets.
    pub(super) fn open(path: Option<&Path>, seed_tickets: usize, clock: Clock) -> Result<Self, StoreError> {
        let mut store = Self {
            records: BTreeMap::new(),
            file: None,
            clock,
            last_change: Moment::START,
            next_number: FIRST_NUMBER,
        };
        if let Some(path) = path {
            let file = Database::create(path).map_err(redb::Error::from)?;
            for record in read_all(&file)? {
                store.keep(record);
            }
            store.file = Some(file);
        }
        if store.records.is_empty() && seed_tickets > 0 {
            let records = seed::records(seed_tickets, FIRST_NUMBER, store.now());
            store.write(&records)?;
            for record in records {
                store.keep(record);
            }
        }
        Ok(store)
    }

    /// Closes the file, so that another process or a new start can open it.
    pub(super) fn close(&mut self) {
        self.file = None;
    }

    pub(super) fn now(&self) -> Moment {
        Moment::of((self.clock)())
    }

    /// The time of a change: now, and later than every change before it.
    pub(super) fn change_time(&self) -> Moment {
        self.now().max(self.last_change.plus(1))
    }

    pub(super) fn get(&self, id: &str) -> Option<&Record> {
        self.records.get(id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    pub(super) fn next_number(&self) -> u64 {
        self.next_number
    }

    /// Adds or replaces a record: in the file first, so that memory never shows what a restart loses.
    pub(super) fn save(&mut self, record: Record) -> Result<(), StoreError> {
        self.write(std::slice::from_ref(&record))?;
        self.keep(record);
        Ok(())
    }

    fn keep(&mut self, record: Record) {
        self.last_change = self.last_change.max(record.ticket.last_interaction);
        self.next_number = self.next_number.max(record.ticket.number + 1);
        self.records.insert(record.ticket.id.clone(), record);
    }

    fn write(&self, records: &[Record]) -> Result<(), StoreError> {
        let Some(file) = &self.file else { return Ok(()) };
        let transaction = file.begin_write().map_err(redb::Error::from)?;
        {
            let mut table = transaction.open_table(TICKETS).map_err(redb::Error::from)?;
            for record in records {
                let bytes = serde_json::to_vec(record)?;
                table
                    .insert(record.ticket.id.as_str(), bytes.as_slice())
                    .map_err(redb::Error::from)?;
            }
        }
        transaction.commit().map_err(redb::Error::from)?;
        Ok(())
    }
}

fn read_all(file: &Database) -> Result<Vec<Record>, StoreError> {
    // Opening for writing makes the table in a fresh file.
    let transaction = file.begin_write().map_err(redb::Error::from)?;
    transaction.open_table(TICKETS).map_err(redb::Error::from)?;
    transaction.commit().map_err(redb::Error::from)?;

    let transaction = file.begin_read().map_err(redb::Error::from)?;
    let table = transaction.open_table(TICKETS).map_err(redb::Error::from)?;
    let mut records = Vec::new();
    for entry in table.iter().map_err(redb::Error::from)? {
        let (_, bytes) = entry.map_err(redb::Error::from)?;
        records.push(serde_json::from_slice(bytes.value())?);
    }
    Ok(records)
}
