//! Integrations in DynamoDB.
//!
//! | `pk` | `sk` | attributes |
//! |---|---|---|
//! | `ACTIVE` | `<name>` | `version`; `streams`: JSON, if something of it is polled |
//! | `INTEGRATION#<name>` | `VERSION#<12 digits>` | `note`, `created_at`, `created_by`, `digest`, `bytes`, `chunks`; `streams` |
//! | `INTEGRATION#<name>#<12 digits>` | `CHUNK#<3 digits>` | `data`: a part of the compressed JSON; `chunks` |
//!
//! A version and its chunks are written in one transaction, and never again.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};

use super::chunks::{self, CHUNK};
use super::connection::Connection;
use super::pause::pause;
use super::table::{Item, PK, SK, Table, bytes, number, text};
use super::transaction::{CONDITION_FAILED, IN_THE_WAY, Transacted, incomplete, transact};
use crate::error::StorageError;
use crate::integrations::{IntegrationStore, IntegrationVersion, NewVersion, ScheduledStream, VersionInfo};

const ACTIVE: &str = "ACTIVE";
const STREAMS: &str = "streams";
/// So many writers may take the next number before us.
const ATTEMPTS: u32 = 20;

/// Versions of integrations in a DynamoDB table.
#[derive(Debug, Clone)]
pub struct DynamoIntegrations {
    table: Table,
}

impl DynamoIntegrations {
    /// Keeps them in `table`.
    pub fn new(connection: &Connection, table: impl Into<String>) -> Self {
        Self {
            table: Table::new(connection, table),
        }
    }

    /// The highest number so far, 0 where there is none.
    async fn last(&self, doing: &str, name: &str) -> Result<u64, StorageError> {
        let answer = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", text(versions_of(name)))
            .expression_attribute_values(":prefix", text("VERSION#"))
            .scan_index_forward(false)
            .limit(1)
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| self.table.explain(doing, &error))?;
        answer.items().first().map_or(Ok(0), |item| self.number_of(item))
    }

    /// The number in the sort key of a version.
    fn number_of(&self, item: &Item) -> Result<u64, StorageError> {
        let row = self.table.read(item);
        let digits = row
            .text(SK)?
            .strip_prefix("VERSION#")
            .and_then(|digits| digits.parse().ok());
        digits.ok_or_else(|| row.is_not_ours(SK))
    }

    fn info(&self, item: &Item) -> Result<VersionInfo, StorageError> {
        let row = self.table.read(item);
        let field = |attribute| row.text(attribute).map(str::to_owned);
        Ok(VersionInfo {
            version: self.number_of(item)?,
            note: field("note")?,
            created_at: field("created_at")?,
            created_by: field("created_by")?,
            digest: field("digest")?,
        })
    }

    /// Writes all of it or nothing; or says, item by item, why not.
    async fn write(
        &self,
        doing: &str,
        items: Vec<TransactWriteItem>,
    ) -> Result<Result<(), Vec<CancellationReason>>, StorageError> {
        match transact(&self.table, doing, items).await? {
            Transacted::Written => Ok(Ok(())),
            Transacted::Refused(reasons) => Ok(Err(reasons)),
            Transacted::InTheWay => Err(StorageError::unavailable(doing, IN_THE_WAY)),
        }
    }

    fn put(&self, item: Item) -> Result<TransactWriteItem, StorageError> {
        let put = Put::builder()
            .table_name(&self.table.name)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .build();
        Ok(TransactWriteItem::builder().put(put.map_err(incomplete)?).build())
    }
}

#[async_trait]
impl IntegrationStore for DynamoIntegrations {
    async fn add(&self, name: &str, content: NewVersion) -> Result<u64, StorageError> {
        let doing = format!("cannot store a version of `{name}`");
        check(name)?;
        let packed = chunks::pack(&format!("the new version of `{name}`"), &content)?;
        let pieces: Vec<&[u8]> = packed.chunks(CHUNK).collect();
        let streams = streams_text(&content.streams);
        for attempt in 0..ATTEMPTS {
            let version = self.last(&doing, name).await? + 1;
            let mut head = Item::from([
                (PK.to_owned(), text(versions_of(name))),
                (SK.to_owned(), text(head_of(version))),
                ("note".to_owned(), text(&content.note)),
                ("created_at".to_owned(), text(&content.created_at)),
                ("created_by".to_owned(), text(&content.created_by)),
                ("digest".to_owned(), text(content.digest())),
                ("bytes".to_owned(), number(packed.len() as u64)),
                ("chunks".to_owned(), number(pieces.len() as u64)),
            ]);
            head.extend(streams.clone().map(|streams| (STREAMS.to_owned(), text(streams))));
            let mut items = vec![self.put(head)?];
            for (index, piece) in pieces.iter().enumerate() {
                items.push(self.put(Item::from([
                    (PK.to_owned(), text(chunks_of(name, version))),
                    (SK.to_owned(), text(format!("CHUNK#{index:03}"))),
                    ("data".to_owned(), bytes(*piece)),
                    ("chunks".to_owned(), number(pieces.len() as u64)),
                ]))?);
            }
            if self.write(&doing, items).await?.is_ok() {
                return Ok(version);
            }
            // Somebody else took the number.
            pause(attempt).await;
        }
        let message = format!("{doing}: others store versions of it all the time; try again");
        Err(StorageError::unavailable(message, "no free number was found"))
    }

    async fn version(&self, name: &str, version: u64) -> Result<Option<IntegrationVersion>, StorageError> {
        let doing = format!("cannot read version {version} of `{name}`");
        let pieces = self.table.all(&doing, &chunks_of(name, version), None).await?;
        let Some(first) = pieces.first() else {
            return Ok(None);
        };
        let row = self.table.read(first);
        if row.number("chunks")? != pieces.len() as u64 {
            return Err(row.is_not_ours("chunks"));
        }
        let mut packed = Vec::new();
        for piece in &pieces {
            packed.extend_from_slice(self.table.read(piece).bytes("data")?);
        }
        let content = chunks::unpack(&packed).ok_or_else(|| row.is_not_ours("data"))?;
        Ok(Some(IntegrationVersion {
            name: name.to_owned(),
            version,
            content,
        }))
    }

    async fn versions(&self, name: &str) -> Result<Vec<VersionInfo>, StorageError> {
        let doing = format!("cannot list the versions of `{name}`");
        let heads = self.table.all(&doing, &versions_of(name), None).await?;
        heads.iter().map(|head| self.info(head)).collect()
    }

    async fn active(&self, name: &str) -> Result<Option<u64>, StorageError> {
        let doing = format!("cannot read the active version of `{name}`");
        let found = self.table.get(&doing, ACTIVE, name).await?;
        found
            .map(|item| self.table.read(&item).number("version"))
            .transpose()
    }

    async fn all_active(&self) -> Result<Vec<(String, u64)>, StorageError> {
        let mut all = Vec::new();
        for item in self
            .table
            .all("cannot list the active integrations", ACTIVE, None)
            .await?
        {
            let row = self.table.read(&item);
            all.push((row.text(SK)?.to_owned(), row.number("version")?));
        }
        Ok(all)
    }

    async fn scheduled(&self) -> Result<Vec<(String, Vec<ScheduledStream>)>, StorageError> {
        let mut all = Vec::new();
        for item in self.table.all("cannot list what is polled", ACTIVE, None).await? {
            let row = self.table.read(&item);
            if item.contains_key(STREAMS) {
                let streams = serde_json::from_str(row.text(STREAMS)?);
                all.push((
                    row.text(SK)?.to_owned(),
                    streams.map_err(|_| row.is_not_ours(STREAMS))?,
                ));
            }
        }
        Ok(all)
    }

    async fn activate(
        &self,
        name: &str,
        version: Option<u64>,
        expected: Option<u64>,
    ) -> Result<(), StorageError> {
        check(name)?;
        let doing = format!("cannot activate a version of `{name}`");
        let condition = match expected {
            Some(_) => "version = :expected",
            None => "attribute_not_exists(pk)",
        };
        let values = expected.map(|expected| Item::from([(":expected".to_owned(), number(expected))]));
        let key = Item::from([(PK.to_owned(), text(ACTIVE)), (SK.to_owned(), text(name))]);
        let old = ReturnValuesOnConditionCheckFailure::AllOld;
        let pointer = if let Some(version) = version {
            let mut item = key;
            item.insert("version".to_owned(), number(version));
            let head = self
                .table
                .get(&doing, &versions_of(name), &head_of(version))
                .await?;
            let streams = head.and_then(|mut head| head.remove_entry(STREAMS));
            item.extend(streams);
            let put = Put::builder()
                .table_name(&self.table.name)
                .set_item(Some(item))
                .condition_expression(condition)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(old);
            TransactWriteItem::builder().put(put.build().map_err(incomplete)?)
        } else {
            let delete = Delete::builder()
                .table_name(&self.table.name)
                .set_key(Some(key))
                .condition_expression(condition)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(old);
            TransactWriteItem::builder().delete(delete.build().map_err(incomplete)?)
        };
        let mut items = vec![pointer.build()];
        if let Some(version) = version {
            let check = ConditionCheck::builder()
                .table_name(&self.table.name)
                .key(PK, text(versions_of(name)))
                .key(SK, text(head_of(version)))
                .condition_expression("attribute_exists(pk)");
            let check = check.build().map_err(incomplete)?;
            items.push(TransactWriteItem::builder().condition_check(check).build());
        }
        let Err(reasons) = self.write(&doing, items).await? else {
            return Ok(());
        };
        let pointer = reasons
            .first()
            .filter(|reason| reason.code() == Some(CONDITION_FAILED));
        if let Some(reason) = pointer {
            let now = reason
                .item()
                .map(|item| self.table.read(item).number("version"))
                .transpose()?;
            let shown = |version: Option<u64>| version.map_or("none".to_owned(), |it| it.to_string());
            return Err(StorageError::conflict(format!(
                "the active version of `{name}` is {}, not {}",
                shown(now),
                shown(expected)
            )));
        }
        let version = version.unwrap_or_default();
        Err(StorageError::not_found(format!(
            "`{name}` has no version {version}"
        )))
    }
}

/// None where nothing is polled: most readers of the pointer do not need it.
fn streams_text(streams: &[ScheduledStream]) -> Option<String> {
    let text = serde_json::to_string(streams).ok();
    text.filter(|_| !streams.is_empty())
}

fn versions_of(name: &str) -> String {
    format!("INTEGRATION#{name}")
}

fn chunks_of(name: &str, version: u64) -> String {
    format!("INTEGRATION#{name}#{version:012}")
}

fn head_of(version: u64) -> String {
    format!("VERSION#{version:012}")
}

/// A name with `#` in it could pass for another integration's chunk.
fn check(name: &str) -> Result<(), StorageError> {
    if name.is_empty() || name.contains('#') {
        let message = format!("`{name}` cannot be the name of an integration");
        return Err(StorageError::configuration(message));
    }
    Ok(())
}
