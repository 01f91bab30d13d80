//! `test`: plays the cases of integrations.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actions::TasAction;
use clap::Args;
use integration::Integration;
use mapping::{Diagnostic, Node};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::cases::case::Case;
use crate::cases::judge::{self, Finding};
use crate::cases::leaks::{self, Secrets};
use crate::cases::play::Played;
use crate::cases::player::Player;
use crate::cases::{folder, play, read, update};
use crate::documents;
use crate::failure::Failure;
use crate::install;
use crate::live::Live;
use crate::live::cause::{self, Cause};
use crate::live::runs::runs;
use crate::output::Output;
use crate::serve::logging::{self, LogFormat};

/// Play the cases of integrations, without any ticketing system.
///
/// A case is a YAML file in the folder `tests` beside the integration: an action and its context, the requests that the
/// integration sends for it, what they are answered with, and the output or the error that comes of it. The action runs
/// as in production, with every attempt, page and token; waits take no time. A request that the case does not expect,
/// one that is not sent, and another output fail the case, and are shown as a diff. A case that holds a secret, or what
/// looks like one, is refused. The exit code is 1 when a case failed.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway test connectors/teamswork
  ticket-gateway test connectors/* --filter create_ticket
  ticket-gateway test connectors/teamswork --update      (after a look at what it would change: without --update)

`ticket-gateway record` makes a case from a real call; `ticket-gateway schema --case` prints the JSON Schema of a case.")]
pub(crate) struct Arguments {
    /// Integrations: a folder or one YAML file each
    #[arg(required = true, value_name = "INTEGRATION_DIR")]
    integrations: Vec<PathBuf>,

    /// Play only cases with this text in the file's name, the case's name or the action
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,

    /// Write what came of a case into its `expect` where only that differs; says what it changed
    #[arg(long)]
    update: bool,

    /// Print [{integration, cases: [{file, name, action, result, findings}], passed, failed, actions_without_case}] on
    /// stdout instead
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    // What an action logs of its failures is what many cases are about.
    logging::start(LogFormat::Text, "off");
    let runtime = play::runtime()?;
    let mut suites = Vec::new();
    for path in &arguments.integrations {
        suites.push(Suite::play(path, arguments, &runtime, output)?);
    }
    if arguments.json {
        let suites = suites.iter().map(Suite::to_json).collect();
        output.json(&Value::Array(suites), false)?;
    } else {
        for suite in &suites {
            suite.summarize(output)?;
        }
    }
    let played: usize = suites.iter().map(|suite| suite.tried.len()).sum();
    if let (0, Some(filter)) = (played, &arguments.filter) {
        return Err(Failure::failed(format!(
            "no case has `{filter}` in its file, name or action"
        )));
    }
    let failed = suites.iter().any(|suite| suite.count(Verdict::Failed) > 0);
    if failed { Err(Failure::said()) } else { Ok(()) }
}

/// The cases of one integration.
struct Suite {
    path: PathBuf,
    integration: Arc<Integration>,
    tried: Vec<Tried>,
    /// Whether some cases were left out.
    filtered: bool,
}

/// One case that was played, or could not be.
struct Tried {
    file: String,
    /// What is known of it where the file could be read.
    case: Option<(String, TasAction)>,
    verdict: Verdict,
    findings: Vec<Finding>,
    mistakes: Vec<Diagnostic>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Passed,
    Failed,
    Updated,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Failed => "failed",
            Verdict::Updated => "updated",
        }
    }
}

impl Suite {
    fn play(
        path: &Path,
        arguments: &Arguments,
        runtime: &Runtime,
        output: &mut Output,
    ) -> Result<Self, Failure> {
        let integration = Arc::new(install::load(path, output)?);
        let files = folder::case_files(path)?;
        if files.is_empty() {
            let folder = folder::folder(path);
            let message = format!(
                "`{}` has no cases: there is no YAML file in {}",
                integration.name,
                folder.display()
            );
            let help = "make one from a real call with `ticket-gateway record`, or write one by hand: docs/proving.md";
            return Err(Failure::failed(message).help(help));
        }
        let mut suite = Self {
            path: path.to_owned(),
            integration,
            tried: Vec::new(),
            filtered: false,
        };
        for file in files {
            let tried = suite.case(&file, arguments, runtime)?;
            let Some(tried) = tried else {
                suite.filtered = true;
                continue;
            };
            if !arguments.json {
                tried.tell(output)?;
            }
            suite.tried.push(tried);
        }
        Ok(suite)
    }

    /// Plays one file; none where the filter leaves it out.
    fn case(&self, path: &Path, arguments: &Arguments, runtime: &Runtime) -> Result<Option<Tried>, Failure> {
        let file = path.display().to_string();
        let chosen = |texts: &[&str]| match &arguments.filter {
            None => true,
            Some(filter) => texts.iter().any(|text| text.contains(filter.as_str())),
        };
        let mut tried = Tried {
            file,
            case: None,
            verdict: Verdict::Failed,
            findings: Vec::new(),
            mistakes: Vec::new(),
        };
        let node = match documents::read_document(path)? {
            Ok(node) => node,
            Err(mistake) => {
                tried.mistakes.push(mistake);
                return Ok(chosen(&[&tried.file]).then_some(tried));
            }
        };
        let case = match read::case(&node, arguments.update) {
            Ok(case) => case,
            Err(mistakes) => {
                tried.mistakes = mistakes;
                return Ok(chosen(&[&tried.file]).then_some(tried));
            }
        };
        if !chosen(&[&tried.file, &case.name, case.action.key()]) {
            return Ok(None);
        }
        tried.case = Some((case.name.clone(), case.action));
        tried.mistakes = self.leaks(&node, &case);
        if !tried.mistakes.is_empty() {
            return Ok(Some(tried));
        }
        let played = match runtime.block_on(play::play(&self.integration, &case))? {
            Ok(played) => played,
            Err(problems) => {
                let problems = problems.into_iter();
                tried.findings.extend(
                    problems.map(|message| Finding::new(case.settings_place.clone(), message, String::new())),
                );
                return Ok(Some(tried));
            }
        };
        tried.findings = judge::findings(&case, &played);
        let only_its_end = played.surprise.is_none() && played.unplayed.is_empty();
        let differs = case.expect.is_none() || !tried.findings.is_empty();
        if arguments.update && only_its_end && differs {
            tried.update(path, &self.integration, &node, &judge::expectation(&played.end))?;
        } else if let Some(first) = tried.findings.first_mut() {
            first.causes = runtime.block_on(self.causes(&case, &played))?;
        } else {
            tried.verdict = Verdict::Passed;
        }
        Ok(Some(tried))
    }

    /// What in the integration is likely behind a difference. The case is played again, and watched.
    async fn causes(&self, case: &Case, played: &Played) -> Result<Vec<Cause>, Failure> {
        let Ok(installation) = self.integration.install(case.settings.clone()) else {
            return Ok(Vec::new());
        };
        let base = installation.connector.base_url.clone();
        let player = Arc::new(Player::new(case.exchanges.clone(), case.in_any_order, base));
        let live = Live::over_case(&self.path, installation, case, &player).await?;
        let context = case.context.clone();
        let request = play::request(case);
        let ended = live
            .gateway
            .perform(&live.name, case.action, context, &request)
            .await;
        let runs = runs(&live, case.action, live.tape.take());
        Ok(match (&played.surprise, &ended) {
            (Some(_), _) => cause::of_request(&live, &runs),
            (None, Err(error)) => cause::of_error(&live, case.action, error, &runs),
            (None, Ok(_)) => {
                let fields = judge::other_fields(case, played);
                cause::of_fields(&runs, fields.iter().map(String::as_str))
            }
        })
    }

    fn leaks(&self, node: &Node, case: &Case) -> Vec<Diagnostic> {
        leaks::find(node, &Secrets::of_case(&self.integration, case))
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.tried.iter().filter(|tried| tried.verdict == verdict).count()
    }

    /// The actions of the integration that no case is about.
    fn without_case(&self) -> Vec<&'static str> {
        let with: BTreeSet<TasAction> = self
            .tried
            .iter()
            .filter_map(|tried| Some(tried.case.as_ref()?.1))
            .collect();
        let own = self.integration.actions.keys();
        own.filter(|action| !with.contains(action))
            .map(|action| action.key())
            .collect()
    }

    fn summarize(&self, output: &mut Output) -> Result<(), Failure> {
        let mut counts = vec![format!("{} passed", self.count(Verdict::Passed))];
        for (verdict, count) in
            [Verdict::Failed, Verdict::Updated].map(|verdict| (verdict, self.count(verdict)))
        {
            if count > 0 {
                counts.push(format!("{count} {}", verdict.word()));
            }
        }
        let name = &self.integration.name;
        output.line(&format!(
            "{name}: {} of {}",
            counts.join(", "),
            counted(self.tried.len())
        ))?;
        let without = self.without_case();
        if !self.filtered && !without.is_empty() {
            output.line(&format!("{name}: no case for {}", without.join(", ")))?;
        }
        Ok(())
    }

    fn to_json(&self) -> Value {
        json!({
            "integration": self.integration.name,
            "cases": self.tried.iter().map(Tried::to_json).collect::<Vec<_>>(),
            "passed": self.count(Verdict::Passed),
            "failed": self.count(Verdict::Failed),
            "updated": self.count(Verdict::Updated),
            "actions_without_case": if self.filtered { Value::Null } else { self.without_case().into() },
        })
    }
}

impl Tried {
    /// Writes what came of the case into its file, unless that would put a secret there.
    fn update(
        &mut self,
        path: &Path,
        integration: &Arc<Integration>,
        node: &Node,
        expectation: &Value,
    ) -> Result<(), Failure> {
        let Some(text) = update::with_expectation(node, expectation) else {
            let mistake = Diagnostic::error(
                read::MISTAKE,
                "`expect` does not begin a line, so it cannot be updated",
            );
            self.mistakes.push(
                mistake
                    .at(&node.place)
                    .help("write the case as a block, with `expect:` at the start of a line"),
            );
            return Ok(());
        };
        let written = mapping::parse(self.file.clone(), text.clone())?;
        let case = read::case(&written, false).map_err(Failure::diagnostics)?;
        self.mistakes = leaks::find(&written, &Secrets::of_case(integration, &case));
        if self.mistakes.is_empty() {
            std::fs::write(path, text)
                .map_err(|error| Failure::failed(format!("cannot write {}: {error}", self.file)))?;
            self.verdict = Verdict::Updated;
        }
        Ok(())
    }

    fn tell(&self, output: &mut Output) -> Result<(), Failure> {
        let word = match self.verdict {
            Verdict::Passed => "ok     ",
            Verdict::Failed => "FAILED ",
            Verdict::Updated => "UPDATED",
        };
        let name = self.case.as_ref().map_or("it cannot be read", |(name, _)| name);
        output.line(&format!("{word} {}: {name}", self.file))?;
        output.diagnostics(&self.mistakes);
        for finding in &self.findings {
            output.line(&format!("{}: {}", finding.place, finding.message))?;
            output.diff(&finding.diff)?;
            for cause in &finding.causes {
                output.line(&format!("  likely cause  {}", cause.told()))?;
            }
        }
        Ok(())
    }

    fn to_json(&self) -> Value {
        json!({
            "file": self.file,
            "name": self.case.as_ref().map(|(name, _)| name),
            "action": self.case.as_ref().map(|(_, action)| action.key()),
            "result": self.verdict.word(),
            "findings": self.findings.iter().map(Finding::to_json)
                .chain(self.mistakes.iter().map(Diagnostic::to_json)).collect::<Vec<_>>(),
        })
    }
}

fn counted(cases: usize) -> String {
    if cases == 1 {
        "1 case".to_owned()
    } else {
        format!("{cases} cases")
    }
}
