//! A DynamoDB table with the keys `pk` and `sk`, both text, and the items in it.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};

use super::connection::Connection;
use super::failure::explain;
use super::pause::pause;
use crate::error::StorageError;

/// The attributes of an item.
pub(super) type Item = HashMap<String, AttributeValue>;

/// Name of the partition key.
pub(super) const PK: &str = "pk";
/// Name of the sort key.
pub(super) const SK: &str = "sk";
/// Name of the attribute that DynamoDB deletes items by: seconds since 1970.
pub(super) const EXPIRES_AT: &str = "expires_at";

/// Items that DynamoDB reads at once.
const BATCH: usize = 100;
/// Batches in a row of which nothing was read, until it is given up.
const ATTEMPTS: u32 = 8;

/// A table and the client it is reached by.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) client: Client,
    pub(super) name: String,
}

impl Table {
    pub(super) fn new(connection: &Connection, name: impl Into<String>) -> Self {
        Self {
            client: connection.dynamo().clone(),
            name: name.into(),
        }
    }

    /// The item, as it is now and not as it was a moment ago.
    pub(super) async fn get(&self, doing: &str, pk: &str, sk: &str) -> Result<Option<Item>, StorageError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .key(PK, text(pk))
            .key(SK, text(sk))
            .consistent_read(true)
            .send()
            .await;
        Ok(answer.map_err(|error| self.explain(doing, &error))?.item)
    }

    /// The items of these keys that are there, as they are now, in any order.
    pub(super) async fn get_all(
        &self,
        doing: &str,
        keys: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Vec<Item>, StorageError> {
        // DynamoDB refuses a batch that names an item twice.
        let mut keys: Vec<(String, String)> = keys.into_iter().collect();
        keys.sort_unstable();
        keys.dedup();
        let mut found = Vec::with_capacity(keys.len());
        for batch in keys.chunks(BATCH) {
            let keys = batch
                .iter()
                .map(|(pk, sk)| Item::from([(PK.to_owned(), text(pk)), (SK.to_owned(), text(sk))]));
            let mut left = keys.collect::<Vec<Item>>();
            let mut idle = 0;
            while !left.is_empty() {
                let asked = left.len();
                let wanted = KeysAndAttributes::builder()
                    .set_keys(Some(left))
                    .consistent_read(true)
                    .build()
                    .map_err(|error| StorageError::failed(doing, error))?;
                let answer = self
                    .client
                    .batch_get_item()
                    .request_items(&self.name, wanted)
                    .send()
                    .await
                    .map_err(|error| self.explain(doing, &error))?;
                found.extend(
                    answer
                        .responses
                        .and_then(|mut tables| tables.remove(&self.name))
                        .unwrap_or_default(),
                );
                left = answer
                    .unprocessed_keys
                    .and_then(|mut tables| tables.remove(&self.name))
                    .map_or_else(Vec::new, |rest| rest.keys);
                // Some are left over where all would be more than 16 MB; none was read where the table is too busy.
                if left.len() < asked {
                    idle = 0;
                    continue;
                }
                idle += 1;
                if idle == ATTEMPTS {
                    let why = "DynamoDB is too busy to read the items";
                    return Err(StorageError::unavailable(doing, why));
                }
                pause(idle).await;
            }
        }
        Ok(found)
    }

    /// All items under `pk`, in the order of their sort keys; with a prefix, those whose sort key begins with it.
    pub(super) async fn all(
        &self,
        doing: &str,
        pk: &str,
        prefix: Option<&str>,
    ) -> Result<Vec<Item>, StorageError> {
        let query = self.client.query().table_name(&self.name).consistent_read(true);
        let query = match prefix {
            Some(prefix) => query
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":prefix", text(prefix)),
            None => query.key_condition_expression("pk = :pk"),
        };
        let mut items = query
            .expression_attribute_values(":pk", text(pk))
            .into_paginator()
            .items()
            .send();
        let mut all = Vec::new();
        while let Some(item) = items.next().await {
            all.push(item.map_err(|error| self.explain(doing, &error))?);
        }
        Ok(all)
    }

    /// An error of the SDK, with this table's name where it is the table that is missing.
    pub(super) fn explain<E>(&self, doing: &str, error: &SdkError<E>) -> StorageError
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
        if code == Some("ResourceNotFoundException") {
            return StorageError::configuration(format!(
                "{doing}: there is no DynamoDB table `{}` in this account and region; deploy the stack first, or \
                 name the table that it made",
                self.name
            ));
        }
        explain(doing, error)
    }

    /// Reads the attributes of an item of this table.
    pub(super) fn read<'a>(&'a self, item: &'a Item) -> Reader<'a> {
        Reader {
            table: &self.name,
            item,
        }
    }
}

/// Takes an item apart, and says which it is where that fails.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    table: &'a str,
    item: &'a Item,
}

impl<'a> Reader<'a> {
    pub(super) fn has(&self, attribute: &str) -> bool {
        self.item.contains_key(attribute)
    }

    pub(super) fn text(&self, attribute: &str) -> Result<&'a str, StorageError> {
        let value = self.item.get(attribute).and_then(|value| value.as_s().ok());
        value
            .map(String::as_str)
            .ok_or_else(|| self.is_not_ours(attribute))
    }

    pub(super) fn number(&self, attribute: &str) -> Result<u64, StorageError> {
        let value = self.item.get(attribute).and_then(|value| value.as_n().ok());
        value
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| self.is_not_ours(attribute))
    }

    pub(super) fn bytes(&self, attribute: &str) -> Result<&'a [u8], StorageError> {
        let value = self.item.get(attribute).and_then(|value| value.as_b().ok());
        value
            .map(AsRef::as_ref)
            .ok_or_else(|| self.is_not_ours(attribute))
    }

    /// The item is damaged, or somebody else's.
    pub(super) fn is_not_ours(&self, attribute: &str) -> StorageError {
        let key = |name| {
            self.item
                .get(name)
                .and_then(|value| value.as_s().ok())
                .map_or("?", String::as_str)
        };
        StorageError::configuration(format!(
            "the item {}/{} in the table `{}` is not one of ours: its `{attribute}` is missing or not what it should be",
            key(PK),
            key(SK),
            self.table
        ))
    }
}

/// An attribute of text.
pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// An attribute of a number.
pub(super) fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// An attribute of bytes.
pub(super) fn bytes(value: impl Into<Vec<u8>>) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

/// A text from outside as a part of a key. DynamoDB takes 1 to 1,024 bytes as a sort key; what is empty or longer is
/// known by its hash.
pub(super) fn key_text(given: &str) -> String {
    if (1..=900).contains(&given.len()) {
        given.to_owned()
    } else {
        format!("#{}", crate::hash::sha256(given))
    }
}
