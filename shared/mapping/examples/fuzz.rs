//! Looks for inputs that break the language: random documents, expressions, mappings and templates, built by
//! grammar and by mutation of the known cases and of the documentation's examples.
//!
//! ```sh
//! cargo run --release -p mapping --example fuzz -- --seconds 600 --seed 1
//! ```
//!
//! A finding is a panic, an execution of more than a second, a result beyond its limits, a function whose two
//! spellings differ, a result that changes when only what the mapping says it reads is left in the input, a JSON text
//! that gives another result when it is read only as far as the mapping uses it, or two evaluations that differ. Each is printed with what reproduces it and makes the exit code 1. The input under
//! test is also kept in a file, for the one finding that nothing in this process could print: a stack overflow.

#![allow(clippy::print_stdout, reason = "a command whose output is its report")]

#[path = "fuzz/generate.rs"]
mod generate;
#[path = "fuzz/mutate.rs"]
mod mutate;
#[path = "fuzz/prune.rs"]
mod prune;
#[path = "fuzz/spell.rs"]
mod spell;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use mapping::{Diagnostic, Environment, HtmlEscape, Mapping, Template};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use generate::Generator;
use mutate::Corpus;

/// What a tokio worker and a test have; recursion must fit into it.
const STACK: usize = 2 << 20;
const SLOW: Duration = Duration::from_secs(1);
const HANGS: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let seconds = option("--seconds").unwrap_or(60);
    let seed = option("--seed").unwrap_or(1);
    let current = Arc::new(Current::new());
    println!(
        "seed {seed}, {seconds} s; the input under test is in {}",
        current.path.display()
    );

    let shown = Arc::clone(&current);
    std::panic::set_hook(Box::new(move |panic| {
        println!("FINDING: {panic}\n{}", shown.text());
        std::process::exit(1);
    }));
    let watched = Arc::clone(&current);
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            if watched.started().elapsed() > HANGS {
                println!(
                    "FINDING: runs for more than {} s\n{}",
                    HANGS.as_secs(),
                    watched.text()
                );
                std::process::exit(1);
            }
        }
    });
    let worker = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || Fuzzer::new(seed, current).run(Duration::from_secs(seconds)));
    match worker.map(std::thread::JoinHandle::join) {
        Ok(Ok(0)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn option(name: &str) -> Option<u64> {
    std::env::args()
        .skip_while(|argument| argument != name)
        .nth(1)?
        .parse()
        .ok()
}

/// The input under test, for whoever has to report it.
struct Current {
    path: std::path::PathBuf,
    file: Option<File>,
    state: Mutex<(Instant, String)>,
}

impl Current {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("mapping-fuzz-{}.txt", std::process::id()));
        let file = File::create(&path).ok();
        Current {
            path,
            file,
            state: Mutex::new((Instant::now(), String::new())),
        }
    }

    fn set(&self, text: String) {
        if let Some(file) = &self.file {
            // One write; what is left of a longer input lies behind the end mark.
            let _ = file.write_all_at(format!("{text}\n<end>\n").as_bytes(), 0);
        }
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = (Instant::now(), text);
    }

    fn text(&self) -> String {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .1
            .clone()
    }

    fn started(&self) -> Instant {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0
    }
}

struct Fuzzer {
    random: StdRng,
    corpus: Corpus,
    generator: Generator,
    environment: Environment,
    current: Arc<Current>,
    findings: u64,
    /// How many of the executions got as far as a value.
    values: u64,
}

impl Fuzzer {
    fn new(seed: u64, current: Arc<Current>) -> Self {
        let mut environment =
            Environment::at(Timestamp::from_second(1_714_564_800).unwrap_or(Timestamp::UNIX_EPOCH));
        environment.limits.steps = 20_000;
        environment.limits.output_bytes = 64 << 10;
        environment.limits.regex_bytes = 64 << 10;
        environment.limits.depth = 64;
        let corpus = Corpus::load();
        println!(
            "corpus: {} expressions, {} documents, {} inputs",
            corpus.expressions.len(),
            corpus.documents.len(),
            corpus.inputs.len()
        );
        Fuzzer {
            random: StdRng::seed_from_u64(seed),
            corpus,
            generator: Generator::new(),
            environment,
            current,
            findings: 0,
            values: 0,
        }
    }

    fn run(mut self, time: Duration) -> u64 {
        let start = Instant::now();
        let mut executions = 0u64;
        let mut report = Duration::from_secs(60);
        while start.elapsed() < time && self.findings < 20 {
            for _ in 0..64 {
                self.execute();
                executions += 1;
            }
            if start.elapsed() > report {
                println!("{executions} executions, {} findings", self.findings);
                report += Duration::from_secs(60);
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{executions} executions in {seconds:.0} s, {:.0} a second, {} gave a value; {} findings",
            executions as f64 / seconds,
            self.values,
            self.findings
        );
        self.findings
    }

    fn execute(&mut self) {
        let started = Instant::now();
        match self.random.random_range(0..100) {
            0..20 => self.document(),
            20..50 => self.expression(),
            50..70 => self.mapping(),
            70..82 => self.template(),
            82..95 => self.spellings(),
            _ => self.html(),
        }
        let elapsed = started.elapsed();
        if elapsed > SLOW {
            self.finding(&format!("took {} ms", elapsed.as_millis()));
        }
    }

    fn finding(&mut self, what: &str) {
        self.findings += 1;
        println!("FINDING: {what}\n{}", self.current.text());
    }

    fn input(&mut self) -> Value {
        if self.random.random_ratio(1, 4) {
            return self.corpus.input(&mut self.random);
        }
        self.generator.input(&mut self.random)
    }

    /// A YAML or JSON text, then the mapping in it.
    fn document(&mut self) {
        let text = self.corpus.document(&mut self.random);
        let input = self.input();
        self.current.set(format!("document:\n{text}\ninput: {input}"));
        match mapping::parse("fuzz.yaml", text) {
            Err(diagnostic) => show(&diagnostic),
            Ok(node) => {
                let _ = node.to_value();
                if let Err(diagnostic) = Template::compile(&node) {
                    show(&diagnostic);
                }
                self.evaluate(Mapping::compile(&node), &input);
            }
        }
    }

    fn expression(&mut self) {
        let text = if self.random.random_bool(0.6) {
            let depth = self.random.random_range(1..6);
            self.generator.expression(&mut self.random, depth)
        } else {
            self.corpus.expression(&mut self.random)
        };
        let input = self.input();
        self.current.set(format!("expression: {text}\ninput: {input}"));
        self.evaluate(Mapping::compile_text(&text), &input);
    }

    fn mapping(&mut self) {
        let depth = self.random.random_range(1..5);
        let value = self.generator.mapping(&mut self.random, depth);
        let input = self.input();
        self.current.set(format!("mapping: {value}\ninput: {input}"));
        self.evaluate(Mapping::compile_value(&value), &input);
    }

    fn evaluate(&mut self, mapping: Result<Mapping, Vec<Diagnostic>>, input: &Value) {
        let mapping = match mapping {
            Ok(mapping) => mapping,
            Err(diagnostics) => {
                if diagnostics.is_empty() {
                    self.finding("refused without a reason");
                }
                // Thousands of mistakes are found in one line of many thousand characters; showing all is slow.
                return diagnostics.iter().take(50).for_each(show);
            }
        };
        let result = self.outcome(&mapping, input);
        if result != self.outcome(&mapping, input) {
            self.finding("two evaluations differ");
        }
        self.as_text(&mapping, input);
        let pruned = prune::to_reads(input, mapping.reads());
        // Less input means less work, so a limit may hold in one run and not in the other.
        let other = self.outcome(&mapping, &pruned);
        if result != other && !is_limit(&result) {
            self.finding(&format!(
                "reads more than it says: {result:?}, and with {pruned} {other:?}"
            ));
        }
    }

    /// A text of which only the parts are read that the mapping uses gives what it gives when all of it is read.
    fn as_text(&mut self, mapping: &Mapping, input: &Value) {
        let mut text = spell::json(input, &mut self.random);
        if self.random.random_ratio(1, 4) {
            text = spell::damage(&text, &mut self.random);
        }
        let in_part = mapping.evaluate_json(&text, &self.environment);
        let mut written = Vec::new();
        let as_written = mapping.write_json(&text, &self.environment, &mut written);
        let Ok(whole) = serde_json::from_str::<Value>(&text) else {
            let grammar = serde_json::from_str::<IgnoredAny>(&text).is_err();
            if grammar && in_part.is_ok() {
                self.finding(&format!("takes what is not JSON: {text}"));
            }
            return;
        };
        let whole = mapping.evaluate(&whole, &self.environment);
        let in_part = in_part.map_err(|error| error.to_string());
        if whole.as_ref().map_err(ToString::to_string) != in_part.as_ref().map_err(Clone::clone) {
            self.finding(&format!("read in part {in_part:?}, read whole {whole:?}: {text}"));
        }
        let as_written = as_written.map_err(|error| error.to_string()).and_then(|()| {
            serde_json::from_slice::<Value>(&written).map_err(|error| format!("wrote no JSON: {error}"))
        });
        if as_written != in_part {
            self.finding(&format!("written {as_written:?}, as a value {in_part:?}: {text}"));
        }
    }

    /// The value, or the code of the error.
    fn outcome(&mut self, mapping: &Mapping, input: &Value) -> Result<Value, String> {
        match mapping.evaluate(input, &self.environment) {
            Ok(value) => {
                self.values += 1;
                let size = value.to_string().len();
                if size > self.environment.limits.output_bytes {
                    self.finding(&format!("a result of {size} bytes"));
                }
                Ok(value)
            }
            Err(error) => {
                show(&error.to_diagnostic());
                Err(error.code().to_owned())
            }
        }
    }

    fn template(&mut self) {
        let text = if self.random.random_bool(0.5) {
            self.generator.template(&mut self.random, 4)
        } else {
            self.corpus.template(&mut self.random)
        };
        let input = self.input();
        self.current.set(format!("template: {text}\ninput: {input}"));
        match Template::parse(&text) {
            Err(diagnostic) => show(&diagnostic),
            Ok(template) => {
                let _ = template.required_reads();
                let render = |input: &Value| {
                    template
                        .render(input, &mut HtmlEscape, &self.environment)
                        .map_err(|error| error.code().to_owned())
                };
                let result = render(&input);
                let pruned = prune::to_reads(&input, template.reads());
                let other = render(&pruned);
                match &result {
                    Ok(out) if out.len() > self.environment.limits.output_bytes => {
                        let size = out.len();
                        self.finding(&format!("a text of {size} bytes"));
                    }
                    Ok(_) => self.values += 1,
                    Err(_) => {}
                }
                let limited = result.as_ref().is_err_and(|code| code.starts_with("TG031"));
                if result != other && !limited {
                    self.finding(&format!(
                        "reads more than it says: {result:?}, and with {pruned} {other:?}"
                    ));
                }
            }
        }
    }

    /// `$F(x, a)` and `x.$F(a)` are the same.
    fn spellings(&mut self) {
        let (function, method) = self.generator.spellings(&mut self.random);
        let input = self.input();
        self.current
            .set(format!("expressions: {function}\nand: {method}\ninput: {input}"));
        match (Mapping::compile_text(&function), Mapping::compile_text(&method)) {
            (Ok(function), Ok(method)) => {
                let one = self.outcome(&function, &input);
                let other = self.outcome(&method, &input);
                if one != other {
                    self.finding(&format!("two spellings: {one:?} and {other:?}"));
                }
            }
            (Err(one), Err(other)) if one.len() == other.len() => {}
            (one, other) => {
                let (one, other) = (one.err(), other.err());
                self.finding(&format!("two spellings: {one:?} and {other:?}"));
            }
        }
    }

    fn html(&mut self) {
        let html = self.generator.html(&mut self.random);
        self.current.set(format!("html: {html}"));
        let mapping = Mapping::compile_value(&json!({"STRIP_HTML()": "html"}));
        if let Ok(mapping) = mapping {
            let input = json!({ "html": html });
            if let Ok(Value::String(text)) = self.outcome(&mapping, &input)
                && (text.ends_with('\n') || text.len() > html.len())
            {
                self.finding(&format!("text of HTML: {text:?}"));
            }
        }
    }
}

fn is_limit(result: &Result<Value, String>) -> bool {
    result.as_ref().is_err_and(|code| code.starts_with("TG031"))
}

/// What a person or a program is shown must be possible to show.
fn show(diagnostic: &Diagnostic) {
    let _ = diagnostic.render(false);
    let _ = diagnostic.to_json();
}
