//! Runs the built command, and ends only what it started.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The one JSON document on stdout.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The command, with nothing of the machine's own settings.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ticket-gateway"));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for variable in ["RUST_LOG", "NO_COLOR", "COLUMNS", "HOME", "XDG_STATE_HOME"] {
        command.env_remove(variable);
    }
    for (variable, _) in std::env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("AWS_") || name.starts_with("TICKET_GATEWAY_") {
            command.env_remove(&variable);
        }
    }
    command
}

/// Runs the command to its end.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    command(arguments).output().unwrap().into()
}

/// Runs the command to its end with text on standard input.
pub(crate) fn run_with_input(arguments: &[&str], input: &str) -> Ended {
    let mut child = command(arguments).stdin(Stdio::piped()).spawn().unwrap();
    // A command that fails early does not read it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap().into()
}

/// A server that was started; killed when the test ends without having stopped it.
pub(crate) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// Lines, read all the while: a full pipe would stop the server.
    stderr: Receiver<String>,
    said: String,
}

impl Server {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let errors = BufReader::new(child.stderr.take().unwrap());
        let (sender, stderr) = channel();
        std::thread::spawn(move || {
            for line in errors.lines() {
                // The test may have ended.
                let _ = sender.send(line.unwrap());
            }
        });
        Self {
            child,
            stdout,
            stderr,
            said: String::new(),
        }
    }

    /// Reads what the server prints up to and with the first line that holds `end`.
    pub(crate) fn printed_until(&mut self, mut end: impl FnMut(&str) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.stdout.read_line(&mut line).unwrap() == 0 {
                panic!("the server ended after {lines:?}: {}", self.errors());
            }
            lines.push(line.trim_end().to_owned());
            if end(&line) {
                return lines;
            }
        }
    }

    /// Waits until a line on stderr holds `end`.
    pub(crate) fn said_until(&mut self, end: &str) {
        while !self.said.contains(end) {
            let line = self.stderr.recv_timeout(Duration::from_secs(20)).unwrap();
            self.said.push_str(&line);
            self.said.push('\n');
        }
    }

    /// Presses Ctrl-C, without waiting for what it does.
    pub(crate) fn interrupt(&self) {
        self.signal("-INT");
    }

    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits for the end.
    pub(crate) fn wait(mut self) -> Ended {
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).unwrap();
        let code = self.child.wait().unwrap().code();
        Ended {
            code,
            stdout,
            stderr: self.errors(),
        }
    }

    /// Presses Ctrl-C and waits for the end.
    pub(crate) fn stop(self) -> Ended {
        self.interrupt();
        self.wait()
    }

    /// Everything on stderr, once the server has ended.
    fn errors(&mut self) -> String {
        for line in self.stderr.iter() {
            self.said.push_str(&line);
            self.said.push('\n');
        }
        std::mem::take(&mut self.said)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone when the test stopped it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a shell script to its end.
pub(crate) fn shell(script: &str) -> Ended {
    Command::new("sh")
        .args(["-c", script])
        .stdin(Stdio::null())
        .output()
        .unwrap()
        .into()
}

/// A path as an argument.
pub(crate) fn argument(path: &Path) -> &str {
    path.to_str().unwrap()
}
