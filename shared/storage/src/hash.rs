//! SHA-256, as the stores write it.

use sha2::{Digest, Sha256};

/// SHA-256 of a text, in hexadecimal.
pub(crate) fn sha256(text: &str) -> String {
    hexadecimal(&Sha256::digest(text))
}

/// Bytes as hexadecimal digits in lower case.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
