//! The command line as a whole; each command's own arguments are in its module.

use clap::{Parser, Subcommand};

use crate::commands::{
    call, completions, describe, diff, doctor, events, explain, init, keys, lint, map, openapi, poll, push,
    record, rollback, sandbox, schema, secret, test, up, versions, webhooks,
};

/// One HTTP API for twelve ticket actions, in front of any ticketing system that an integration describes.
#[derive(Debug, Parser)]
#[command(
    name = "ticket-gateway",
    version,
    max_term_width = 100,
    after_help = "Start here: `ticket-gateway up` serves the API against a sandbox and prints three curl lines.\n\
                  Exit codes: 0 done, 1 failed, 2 wrong command line."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Up(up::Arguments),
    Call(call::Arguments),
    Describe(describe::Arguments),
    Lint(lint::Arguments),
    Init(init::Arguments),
    Doctor(doctor::Arguments),
    Explain(explain::Arguments),
    Map(map::Arguments),
    Test(test::Arguments),
    Record(record::Arguments),
    Push(push::Arguments),
    Versions(versions::Arguments),
    Diff(diff::Arguments),
    Rollback(rollback::Arguments),
    Keys(keys::Arguments),
    Events(events::Arguments),
    Poll(poll::Arguments),
    Webhooks(webhooks::Arguments),
    Secret(secret::Arguments),
    Sandbox(sandbox::Arguments),
    Schema(schema::Arguments),
    Openapi(openapi::Arguments),
    Completions(completions::Arguments),
}
