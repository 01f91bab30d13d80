//! Files that only their owner may read.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// Opens a file for writing, and makes it where there is none; what is in it stays.
pub(super) fn private_file(path: &Path) -> io::Result<File> {
    private().create(true).truncate(false).open(path)
}

/// Puts a file with `text` and a line end in the place of the one at `path`, as a whole or not at all.
pub(super) fn replace_private_file(path: &Path, text: &str) -> io::Result<()> {
    // Nobody can have made a file or a link of this name beforehand, and what is there is not opened: the text would
    // go where that leads, with the mode that it has.
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(format!(".{:032x}.new", rand::random::<u128>()));
    let mut file = private().create_new(true).open(&fresh)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.write_all(b"\n"))
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&fresh, path));
    if written.is_err() {
        // The first failure is the one to tell.
        let _ = std::fs::remove_file(&fresh);
    }
    written
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::replace_private_file;

    #[test]
    fn a_file_that_cannot_be_replaced_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.json");
        std::fs::create_dir(&path).unwrap();
        assert!(replace_private_file(&path, "{}").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
