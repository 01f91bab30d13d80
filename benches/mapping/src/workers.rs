//! Engines of other languages: a process each, which waits for commands between the rounds.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::documents::{ADDRESS, STATES};
use crate::engines::jsonata_source;
use crate::job::Job;

/// What can be run where the command was started.
pub struct Others {
    folder: PathBuf,
    jsonbender: Result<PathBuf, String>,
    jsonata: Result<PathBuf, String>,
}

/// A process that runs one job over some documents.
pub struct Worker {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    folder: PathBuf,
}

impl Others {
    /// Installs the packages into a folder, unless they are there.
    pub fn install(folder: &Path) -> Others {
        fs::create_dir_all(folder).unwrap();
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("others");
        let environment = folder.join("python");
        let python = environment.join("bin/python");
        let jsonbender = run(Command::new("python3").args(["-m", "venv"]).arg(&environment)).and_then(|()| {
            let requirements = sources.join("requirements.txt");
            run(Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--requirement"])
                .arg(requirements))
        });
        let jsonata = fs::copy(sources.join("package.json"), folder.join("package.json"))
            .map_err(|error| error.to_string())
            .and_then(|_| {
                run(Command::new("npm")
                    .args(["install", "--silent", "--no-audit"])
                    .current_dir(folder))
            });
        Others {
            folder: folder.to_owned(),
            jsonbender: jsonbender.map(|()| python),
            jsonata: jsonata.map(|()| folder.join("package.json")),
        }
    }

    /// JSONBender and jsonata with a job, or why they cannot be had.
    pub fn start(&self, job: &Job, documents: &[String]) -> Vec<(&'static str, Result<Worker, String>)> {
        let (job_file, documents_file) = (self.folder.join("job.json"), self.folder.join("documents"));
        fs::write(&job_file, description(job).to_string()).unwrap();
        fs::write(
            &documents_file,
            documents
                .iter()
                .map(|text| format!("{text}\n"))
                .collect::<String>(),
        )
        .unwrap();
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("others");
        let start =
            |command: &mut Command| Worker::start(command.arg(&job_file).arg(&documents_file), &self.folder);
        vec![
            (
                "JSONBender",
                self.jsonbender
                    .clone()
                    .and_then(|python| start(Command::new(python).arg(sources.join("jsonbender_worker.py")))),
            ),
            (
                "jsonata (reference)",
                self.jsonata.clone().and_then(|package| {
                    start(
                        Command::new("node")
                            .env("BENCH_NODE_MODULES", package)
                            .arg(sources.join("jsonata_worker.mjs")),
                    )
                }),
            ),
        ]
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command
        .output()
        .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

fn description(job: &Job) -> Value {
    let (kind, fields) = match job {
        Job::Ticket => ("ticket", json!([])),
        Job::Page => ("page", json!([])),
        Job::Copy(fields) => ("copy", json!(fields)),
    };
    let states: serde_json::Map<_, _> = STATES
        .iter()
        .map(|(code, state)| ((*code).to_owned(), json!(state)))
        .collect();
    json!({"kind": kind, "fields": fields, "states": states, "address": ADDRESS, "jsonata": jsonata_source(job)})
}

impl Worker {
    fn start(command: &mut Command, folder: &Path) -> Result<Worker, String> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        let (commands, answers) = (
            process.stdin.take().unwrap(),
            BufReader::new(process.stdout.take().unwrap()),
        );
        Ok(Worker {
            process,
            commands,
            answers,
            folder: folder.to_owned(),
        })
    }

    /// Answers a command.
    pub fn ask(&mut self, command: &str) -> Result<String, String> {
        let mut answer = String::new();
        writeln!(self.commands, "{command}")
            .and_then(|()| self.answers.read_line(&mut answer))
            .map_err(|error| error.to_string())?;
        if answer.is_empty() {
            Err("the process ended".to_owned())
        } else {
            Ok(answer.trim().to_owned())
        }
    }

    /// How long a command took by the worker's own clock.
    pub fn time(&mut self, command: &str) -> Duration {
        Duration::from_nanos(self.ask(command).unwrap().parse().unwrap())
    }

    /// What the job makes of each document.
    pub fn outputs(&mut self) -> Result<Vec<String>, String> {
        let path = self.folder.join("outputs");
        self.ask(&format!("write {}", path.display()))?;
        let outputs = fs::read_to_string(path).map_err(|error| error.to_string())?;
        Ok(outputs.lines().map(str::to_owned).collect())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It ends with its input; killing it is for one that hangs.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
