//! Where the command writes: results on stdout, everything said to a person on stderr.

use std::io::{self, IsTerminal as _, Write};

use clap::builder::styling::{AnsiColor, Style};
use mapping::Diagnostic;
use serde_json::Value;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const ADDED: Style = AnsiColor::Green.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();
const PLACE: Style = AnsiColor::Cyan.on_default();
const HELP: Style = AnsiColor::Cyan.on_default().bold();

/// The two streams of the process, and whether each may carry colour.
///
/// Results go through functions that return an error, because a lost result is a failure; what is said on
/// stderr cannot be reported anywhere else, so those functions return nothing.
pub(crate) struct Output {
    stdout: Box<dyn Write>,
    stderr: Box<dyn Write>,
    pretty: bool,
    color: bool,
    /// Colour on stdout.
    color_of_results: bool,
}

impl Output {
    /// The process's own streams.
    pub(crate) fn of_process() -> Self {
        Self {
            pretty: io::stdout().is_terminal(),
            color: color_on_stderr(),
            color_of_results: color_on(&io::stdout()),
            stdout: Box::new(io::stdout()),
            stderr: Box::new(io::stderr()),
        }
    }

    /// One JSON document on stdout: indented on a terminal or when asked, on one line otherwise.
    pub(crate) fn json(&mut self, value: &Value, pretty: bool) -> io::Result<()> {
        let text = if pretty || self.pretty {
            format!("{value:#}")
        } else {
            value.to_string()
        };
        self.line(&text)
    }

    /// One line, or several, of result on stdout.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.stdout, "{text}")?;
        self.stdout.flush()
    }

    /// Text as it is on stdout.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        self.stdout.write_all(text.as_bytes())?;
        self.stdout.flush()
    }

    /// A unified diff on stdout.
    pub(crate) fn diff(&mut self, diff: &str) -> io::Result<()> {
        if !self.color_of_results {
            return self.text(diff);
        }
        for line in diff.lines() {
            let style = match line.as_bytes().first() {
                Some(b'+') => ADDED,
                Some(b'-') => REMOVED,
                Some(b'@') => PLACE,
                _ => Style::new(),
            };
            writeln!(self.stdout, "{style}{line}{style:#}")?;
        }
        self.stdout.flush()
    }

    /// A remark to the person on stderr.
    pub(crate) fn remark(&mut self, text: &str) {
        let _ = writeln!(self.stderr, "{text}");
    }

    /// `error: ...` on stderr.
    pub(crate) fn error(&mut self, message: &str) {
        self.labelled("error", ERROR, message);
    }

    /// `warning: ...` on stderr.
    pub(crate) fn warning(&mut self, message: &str) {
        self.labelled("warning", WARNING, message);
    }

    /// `help: ...` on stderr.
    pub(crate) fn help(&mut self, message: &str) {
        self.labelled("help", HELP, message);
    }

    /// Mistakes in files, each with its place, on stderr.
    pub(crate) fn diagnostics(&mut self, diagnostics: &[Diagnostic]) {
        for diagnostic in diagnostics {
            let rendered = diagnostic.render(self.color);
            let _ = writeln!(self.stderr, "{}\n", rendered.trim_end());
        }
    }

    fn labelled(&mut self, label: &str, style: Style, message: &str) {
        let _ = if self.color {
            writeln!(self.stderr, "{style}{label}{style:#}: {message}")
        } else {
            writeln!(self.stderr, "{label}: {message}")
        };
    }
}

/// Whether stderr may carry colour.
pub(crate) fn color_on_stderr() -> bool {
    color_on(&io::stderr())
}

/// Colour: only for a person at a terminal who has not said no (<https://no-color.org>).
fn color_on(stream: &impl io::IsTerminal) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    stream.is_terminal() && !refused && !dumb
}
