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
/// Nothing of ours is larger when it is unpacked; a damaged item must not fill the memory.
const MOST_UNPACKED: u64 = 256 * 1024 * 1024;

/// The value as compressed JSON. `what` begins the message where it is too large: "version 7 of `x`".
pub(super) fn pack(what: &str, value: &impl Serialize) -> Result<Vec<u8>, StorageError> {
    let cannot = |error: std::io::Error| StorageError::failed(format!("cannot compress {what}"), error);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    serde_json::to_writer(&mut encoder, value).map_err(|error| cannot(error.into()))?;
    encoder.flush().map_err(cannot)?;
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
