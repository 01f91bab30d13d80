//! How a command ends when it does not end well.

use std::io;
use std::process::ExitCode;

use mapping::Diagnostic;
use storage::StorageError;

use crate::output::Output;

/// Why a command stopped. [`Failure::report`] says it to the person and picks the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    help: Option<String>,
}

#[derive(Debug)]
enum Kind {
    /// The command line itself is wrong: exit code 2.
    Usage(String),
    /// The work could not be done: exit code 1.
    Failed(String),
    /// Mistakes in a file, each with its place: exit code 1.
    Diagnostics(Vec<Diagnostic>),
    /// The output already says everything: exit code 1.
    Said,
    /// Whoever read our output has gone, as in `ticket-gateway schema | head`: not our failure.
    ReaderGone,
}

impl Failure {
    /// The command line is wrong in a way that clap cannot see.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Usage(message.into()),
            help: None,
        }
    }

    /// The work could not be done.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Failed(message.into()),
            help: None,
        }
    }

    /// Mistakes in a file.
    pub(crate) fn diagnostics(diagnostics: Vec<Diagnostic>) -> Self {
        Self {
            kind: Kind::Diagnostics(diagnostics),
            help: None,
        }
    }

    /// The output already says what is wrong; only the exit code is left to give.
    pub(crate) fn said() -> Self {
        Self {
            kind: Kind::Said,
            help: None,
        }
    }

    /// Adds how to put it right.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Tells the person on stderr; gives the exit code.
    pub(crate) fn report(self, output: &mut Output) -> ExitCode {
        let code = match self.kind {
            Kind::Usage(message) => {
                output.error(&message);
                2
            }
            Kind::Failed(message) => {
                output.error(&message);
                1
            }
            Kind::Diagnostics(diagnostics) => {
                output.diagnostics(&diagnostics);
                1
            }
            Kind::Said => 1,
            Kind::ReaderGone => 0,
        };
        if let Some(help) = self.help {
            output.help(&help);
        }
        ExitCode::from(code)
    }
}

/// Only writing to stdout uses `?` on a bare I/O error; reading a file names the file in a message of its
/// own.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self {
                kind: Kind::ReaderGone,
                help: None,
            };
        }
        Self::failed(format!("the output could not be written: {error}"))
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        let failure = Self::failed(error.to_string());
        if error.is_locked() {
            failure.help("stop the other process, or name another file with --state FILE")
        } else if error.is_unavailable() {
            failure.help("try again in a moment")
        } else {
            failure
        }
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::diagnostics(vec![diagnostic])
    }
}
