//! A stand-in for a live system, and its connector as it is shipped, or with something wrong in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use sandbox::{gorgias, teamswork};
use tokio::runtime::Runtime;

use crate::fixtures::Folder;
use crate::process::{Ended, argument, command};

/// The keys of the stand-ins, which must never be seen.
pub(crate) const KEY: &str = "canary-d0ct/+r key";

enum Running {
    TeamsWork(teamswork::Running),
    Gorgias(gorgias::Running),
}

/// A stand-in with every quirk on and no rate limit.
pub(crate) struct System {
    running: Option<Running>,
    runtime: Runtime,
    name: &'static str,
    settings: Vec<String>,
}

impl System {
    pub(crate) fn teamswork() -> Self {
        let runtime = Runtime::new().unwrap();
        let options = teamswork::Options {
            primary_key: KEY.to_owned(),
            quirks: teamswork::Quirk::all().iter().copied().collect(),
            rate_limit: None,
            seed_tickets: 20,
            ..teamswork::Options::default()
        };
        let running = runtime.block_on(teamswork::start(options)).unwrap();
        let settings = [
            &format!("base_url={}", running.url()),
            "service_user_id=00000000-0000-4000-8000-000000000001",
            "service_user_name=Gateway",
            "service_user_email=gateway@example.com",
            "internal_comments=true",
            "attachments=true",
        ]
        .map(str::to_owned);
        Self {
            runtime,
            name: "teamswork",
            settings: settings.into(),
            running: Some(Running::TeamsWork(running)),
        }
    }

    pub(crate) fn gorgias() -> Self {
        let runtime = Runtime::new().unwrap();
        let options = gorgias::Options {
            api_key: KEY.to_owned(),
            quirks: gorgias::Quirk::all().iter().copied().collect(),
            rate_limit: None,
            seed_tickets: 20,
            ..gorgias::Options::default()
        };
        let running = runtime.block_on(gorgias::start(options)).unwrap();
        let settings = [
            &format!("base_url={}", running.url()),
            "domain=sandbox",
            "email=support@example.com",
            // One of the quirks: this account takes no `internal-note`.
            "note_via=api",
        ]
        .map(str::to_owned);
        Self {
            runtime,
            name: "gorgias",
            settings: settings.into(),
            running: Some(Running::Gorgias(running)),
        }
    }

    /// The folder of the shipped connector.
    pub(crate) fn connector(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../connectors")
            .join(self.name)
    }

    /// A copy of the connector in which the first `line`, spaces around it aside, is another one; and its number.
    pub(crate) fn broken(&self, line: &str, instead: &str) -> (Folder, usize) {
        let text = std::fs::read_to_string(self.connector().join("integration.yaml")).unwrap();
        let number = text.lines().position(|known| known.trim() == line).unwrap();
        let lines = text.lines().enumerate().map(|(at, known)| match at == number {
            true => known.replace(line, instead),
            false => known.to_owned(),
        });
        (Folder::with(&lines.collect::<Vec<_>>().join("\n")), number + 1)
    }

    /// A command on an integration, with the settings and this key.
    pub(crate) fn command(&self, before: &str, integration: &Path, after: &[&str], key: &str) -> Command {
        let mut command = command(&[before, argument(integration)]);
        command.args(after).arg("--allow-private-upstreams");
        for setting in &self.settings {
            command.args(["--set", &format!("{}.{setting}", self.name)]);
        }
        let variable = format!("TICKET_GATEWAY_SECRET_{}_API_KEY", self.name.to_uppercase());
        command.env(variable, key);
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, before: &str, integration: &Path, after: &[&str], key: &str) -> Ended {
        let mut command = self.command(before, integration, after, key);
        let ended: Ended = command.output().unwrap().into();
        for secret in [KEY, "d0ct%2F%2Br", "d0ct/+r"] {
            assert!(
                !ended.stdout.contains(secret) && !ended.stderr.contains(secret),
                "{ended:?}"
            );
        }
        ended
    }

    /// The id of a ticket that is there.
    pub(crate) fn a_ticket(&self) -> String {
        match &self.running {
            Some(Running::TeamsWork(running)) => running.tickets()[0]["id"].as_str().unwrap().to_owned(),
            _ => panic!("only of TeamsWork"),
        }
    }

    /// How many tickets there are.
    pub(crate) fn tickets(&self) -> usize {
        match &self.running {
            Some(Running::TeamsWork(running)) => running.tickets().len(),
            _ => panic!("only of TeamsWork"),
        }
    }
}

impl Drop for System {
    fn drop(&mut self) {
        match self.running.take() {
            Some(Running::TeamsWork(running)) => self.runtime.block_on(running.stop()),
            Some(Running::Gorgias(running)) => self.runtime.block_on(running.stop()),
            None => {}
        }
    }
}
