//! A DynamoDB table with the keys `pk` and `sk`, both text, and the items in it.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use super::connection::Connection;
use super::failure::explain;
use crate::error::StorageError;

/// The attributes of an item.
pub(super) type Item = HashMap<String, AttributeValue>;

/// Name of the partition key.
pub(super) const PK: &str = "pk";
/// Name of the sort key.
pub(super) const SK: &str = "sk";
/// Name of the attribute that DynamoDB deletes items by: seconds since 1970.
pub(super) const EXPIRES_AT: &str = "expires_at";

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
