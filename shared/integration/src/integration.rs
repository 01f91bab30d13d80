//! A loaded integration: everything resolved and compiled, ready to be installed and run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mapping::{Mapping, Place};
use regex::Regex;
use serde_json::Value;
use upstream::{BodyReads, FailWhen, HttpAction};

use crate::check::shown;
use crate::compile;
use crate::contract::TasAction;
use crate::install::ConnectorPlan;
use crate::polling::Polling;
use crate::ticketing::Ticketing;

/// An integration without a mistake. It knows how each ticket action is done; what an installation fills
/// in (addresses, keys, choices) comes with [`Integration::install`].
#[derive(Debug)]
pub struct Integration {
    /// Its name in paths, logs and secret names.
    pub name: String,
    /// One line for people.
    pub description: Option<String>,
    /// What an installation fills in, in the order of the YAML.
    pub settings: Vec<SettingDeclaration>,
    /// The requests it can make, by name.
    pub http_actions: BTreeMap<String, Arc<HttpAction>>,
    /// The ticket actions it can do.
    pub actions: BTreeMap<TasAction, CompoundAction>,
    /// How a ticket is found whose creation ended in doubt; `Installation::safe_create` says whether it is used.
    pub(crate) safe_create: Option<SafeCreate>,
    /// What `ticket-gateway describe` runs; it has no context.
    pub describe: Option<CompoundAction>,
    /// Conditions on ticket actions.
    pub capabilities: BTreeMap<TasAction, Capability>,
    /// Destinations, states and identity.
    pub ticketing: Ticketing,
    /// How it is polled, where the YAML says anything about that.
    pub polling: Option<Polling>,
    pub(crate) connector: ConnectorPlan,
}

/// One thing an installation fills in.
#[derive(Debug, Clone)]
pub struct SettingDeclaration {
    /// Its name: `settings.<name>` in mappings, `--set NAME.<name>=...` on the command line.
    pub name: String,
    /// What it can hold.
    pub kind: SettingKind,
    /// What a text has to look like as a whole.
    pub(crate) pattern: Option<Pattern>,
    /// Whether an installation must give it.
    pub required: bool,
    /// What it is when an installation does not give it; null where there is none.
    pub default: Value,
    /// What it is for, for the person who installs.
    pub description: Option<String>,
}

/// A regular expression for the whole of a text.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    /// As it is written.
    pub(crate) text: String,
    pub(crate) whole: Regex,
}

impl Pattern {
    /// Compiles it, or says what is wrong with it.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        // What is no expression by itself may become one between these brackets.
        compile::pattern(text)?;
        Ok(Self {
            text: text.to_owned(),
            whole: compile::pattern(&format!(r"\A(?:{text})\z"))?,
        })
    }

    /// Whether a text is of this form; otherwise what was expected and what was found.
    pub(crate) fn check(&self, value: &Value) -> Result<(), String> {
        let fits = value.as_str().is_none_or(|text| self.whole.is_match(text));
        if fits {
            Ok(())
        } else {
            let found = shown(value);
            Err(format!("text that matches `{}`, found {found}", self.text))
        }
    }
}

/// What a setting can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingKind {
    /// Any text.
    Text,
    /// An `http://` or `https://` address.
    Url,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// One of these words.
    Enum(Vec<String>),
    /// A list of anything.
    List,
    /// An object of anything.
    Object,
}

/// A condition on a ticket action.
#[derive(Debug, Clone)]
pub struct Capability {
    /// The action is possible only where this holds; it depends on nothing but the settings. `None`: never
    /// possible.
    pub when: Option<Mapping>,
    /// What a caller is told when it is not possible.
    pub reason: String,
}

/// A secret that the connector's authentication reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretUse {
    /// Its key in the integration's secrets.
    pub name: String,
    /// Whether the connector works without it (a fallback key).
    pub optional: bool,
}

/// How one ticket action is done: calls in order, then an answer.
#[derive(Debug)]
pub struct CompoundAction {
    /// Checked before the first step, so that a call that cannot succeed is never begun; sees `data.context`.
    pub fail_when: Vec<FailWhen>,
    /// The calls, in order.
    pub steps: Vec<Step>,
    /// What is answered.
    pub ret: Return,
    /// Of a list of tickets: those whose `updated_at` lies outside of the asked range are dropped.
    pub refilter: bool,
    /// Where it stands in the YAML.
    pub place: Place,
}

impl CompoundAction {
    /// Every mapping that sees the data bank.
    pub fn mappings(&self) -> impl Iterator<Item = &Mapping> {
        let steps = self.steps.iter().flat_map(Step::mappings);
        let judged = of_rules(&self.fail_when).chain(of_rules(&self.ret.fail_when));
        steps.chain(judged).chain([&self.ret.output_mapper])
    }
}

/// How a ticket is found whose creation ended in doubt: it carries `meta_info.marker`, and is looked for by that.
#[derive(Debug)]
pub struct SafeCreate {
    /// Used only where this holds; it depends on nothing but the settings. `None`: always.
    pub(crate) when: Option<Mapping>,
    /// How long the ticketing system is given before the ticket is looked for.
    pub settle: Duration,
    /// How often the ticket is created at most in one call, the first time included.
    pub attempts: u32,
    /// Gives the ticket with the marker, a list of them, or null. Sees `data.context` of the creation.
    pub search: CompoundAction,
}

/// One call of an HTTP action.
#[derive(Debug)]
pub struct Step {
    /// The HTTP action's name.
    pub action_name: String,
    /// The HTTP action.
    pub http_action: Arc<HttpAction>,
    /// Gives the object whose keys are the HTTP action's variables. Sees the data bank.
    pub input_args: Mapping,
    /// The result becomes `data.<output_key>`; `_` throws it away.
    pub output_key: String,
    /// The step is skipped, and its result null, unless this holds. Sees the data bank.
    pub when: Option<Mapping>,
    /// Checked before the step, whether or not it is skipped; sees the data bank. The `check` blocks before it.
    pub fail_first: Vec<FailWhen>,
    /// Checked after the step; sees the data bank with the step's result in it, and for a step with `for_each` the
    /// element, whose own result is there then.
    pub fail_when: Vec<FailWhen>,
    /// Once for each element of a list. Then `input_args`, `when` and `fail_when` see `item` and `index` too.
    pub for_each: Option<ForEach>,
    /// What is done again where the request is refused because something changed meanwhile.
    pub retry_from: Option<RetryFrom>,
    /// What of the HTTP action's answers anything looks at.
    pub reads: BodyReads,
}

impl Step {
    fn mappings(&self) -> impl Iterator<Item = &Mapping> {
        let items = self.for_each.iter().map(|for_each| &for_each.items);
        let rules = of_rules(&self.fail_first).chain(of_rules(&self.fail_when));
        items.chain(rules).chain(&self.when).chain([&self.input_args])
    }
}

fn of_rules(rules: &[FailWhen]) -> impl Iterator<Item = &Mapping> {
    rules
        .iter()
        .flat_map(|rule| std::iter::once(&rule.condition).chain(&rule.message))
}

/// A step for each element of a list.
#[derive(Debug)]
pub struct ForEach {
    /// Gives the list. Sees the data bank.
    pub items: Mapping,
    /// Most elements.
    pub max_items: usize,
    /// How many calls go on at the same time; 1 where they change something.
    pub at_once: usize,
}

/// Read again and retry.
#[derive(Debug)]
pub struct RetryFrom {
    /// The number of the step to begin again with, from 0.
    pub step: usize,
    /// The statuses that say so.
    pub on_status: Vec<u16>,
    /// How often.
    pub times: u32,
}

/// The end of a compound action.
#[derive(Debug)]
pub struct Return {
    /// Gives the answer. Sees the data bank.
    pub output_mapper: Mapping,
    /// Checked before the answer is built; sees the data bank.
    pub fail_when: Vec<FailWhen>,
}

impl Integration {
    /// The compound action of a ticket action, where the integration defines it.
    pub fn action(&self, action: TasAction) -> Option<&CompoundAction> {
        self.actions.get(&action)
    }
}
