//! JSON that may be larger than an item: compressed, and in pieces where it has to be.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StorageError;

/// Bytes in one item. DynamoDB takes 400 KB, names and numbers included.
pub(super) const CHUNK: usize = 350_000;
/// Bytes in all. DynamoDB takes 4 MB in a transaction.
pub(super) const MOST: usize = 10 * CHUNK;
/// Bytes when it is unpacked: a small item must not fill the memory. An integration has at most 2 MiB of text.
const MOST_UNPACKED: u64 = 32 * 1024 * 1024;

/// The value as compressed JSON. `what` begins the message where it is too large: "version 7 of `x`".
pub(super) fn pack(what: &str, value: &impl Serialize) -> Result<Vec<u8>, StorageError> {
    compress(what, value, Compression::default())
}

/// As [`pack`], in a third of its time and a tenth larger: for what is written with each change of a ticket.
pub(super) fn pack_quickly(what: &str, value: &impl Serialize) -> Result<Vec<u8>, StorageError> {
    compress(what, value, Compression::fast())
}

fn compress(what: &str, value: &impl Serialize, level: Compression) -> Result<Vec<u8>, StorageError> {
    let cannot = |error: std::io::Error| StorageError::failed(format!("cannot compress {what}"), error);
    let text = serde_json::to_vec(value).map_err(|error| cannot(error.into()))?;
    if text.len() as u64 > MOST_UNPACKED {
        let (have, most) = (text.len() / 1000, MOST_UNPACKED / 1000);
        return Err(StorageError::too_large(format!(
            "{what} is too large: {have} KB, and at most {most} KB can be stored"
        )));
    }
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(&text).map_err(cannot)?;
    let packed = encoder.finish().map_err(cannot)?;
    if packed.len() > MOST {
        let (have, most) = (packed.len() / 1000, MOST / 1000);
        return Err(StorageError::too_large(format!(
            "{what} is too large: {have} KB compressed, and at most {most} KB can be stored"
        )));
    }
    Ok(packed)
}

/// What [`pack`] packed, or none where it is something else.
pub(super) fn unpack<T: DeserializeOwned>(packed: &[u8]) -> Option<T> {
    let mut text = Vec::new();
    GzDecoder::new(packed)
        .take(MOST_UNPACKED)
        .read_to_end(&mut text)
        .ok()?;
    serde_json::from_slice(&text).ok()
}
