//! `actions`, `describe` and `capabilities`: what is done for each ticket action.

use std::borrow::Cow;

use mapping::{Content, Key, Node, Place};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::http_action::FailWhen;
use crate::contract::TasAction;
use crate::read::{
    Count, Decode, Expression, Field, Fields, Flag, Ignored, Items, Keys, Name, OneOrMany, OutputForm,
    Report, Required, Seconds, Text, object, suggestion,
};
use crate::rules;

/// Entries keyed by ticket action.
pub(crate) struct ByAction<T> {
    pub(crate) entries: Vec<(TasAction, Key, Option<T>)>,
}

impl<T: Decode> Decode for ByAction<T> {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let Content::Object(entries) = &node.content else {
            report.wrong_type(node, "an object with ticket actions as keys");
            return None;
        };
        let mut known = Vec::new();
        for (key, value) in entries {
            let action = ticket_action(&key.name, &key.place, report);
            let value = T::decode(value, report);
            if let Some(action) = action {
                known.push((action, key.clone(), value));
            }
        }
        Some(Self { entries: known })
    }
}

/// The ticket action of this key; reports where there is none.
pub(crate) fn ticket_action(key: &str, place: &Place, report: &mut Report) -> Option<TasAction> {
    let action = TasAction::from_key(key);
    if action.is_none() {
        let known = TasAction::ALL.map(TasAction::key);
        report.unknown_word(
            &rules::UNKNOWN_ACTION,
            place,
            format!("`{key}` is no ticket action"),
            key,
            &known,
        );
    }
    action
}

impl<T> ByAction<T> {
    pub(crate) fn has(&self, action: TasAction) -> bool {
        self.entries.iter().any(|(known, _, _)| *known == action)
    }

    pub(crate) fn read(&self) -> impl Iterator<Item = (TasAction, &Key, &T)> {
        self.entries
            .iter()
            .filter_map(|(action, key, value)| Some((*action, key, value.as_ref()?)))
    }
}

impl<T: JsonSchema> JsonSchema for ByAction<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("ByActionOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>().to_value();
        let properties: serde_json::Map<String, serde_json::Value> = TasAction::ALL
            .into_iter()
            .map(|action| {
                let mut property = value.clone();
                if let Some(property) = property.as_object_mut() {
                    property.insert("description".into(), action.summary().into());
                }
                (action.key().to_owned(), property)
            })
            .collect();
        json_schema!({"type": "object", "properties": properties, "additionalProperties": false})
    }
}

object! {
    /// A compound action: calls in order, then an answer.
    struct Compound, "a compound action" {
        /// `action` blocks in order; the last block is `return`, unless `return` stands beside `steps`.
        steps: Option<Items<Block>>,
        /// What is answered.
        r#return: Option<Return>,
        /// Checked before the first step; sees `data.context`.
        fail_when: Option<OneOrMany<FailWhen>>,
        /// In lists of tickets only: those whose `updated_at` lies outside of the asked range are dropped from the answer.
        refilter: Option<Flag>,
        /// In `create_ticket` only: how a ticket is found whose creation ended in doubt.
        safe_create: Option<Box<SafeCreate>>,
    }
}

/// How a ticket is found whose creation ended in doubt: numbers, and a compound action that looks for it.
pub(crate) struct SafeCreate {
    pub(crate) when: Option<Expression>,
    pub(crate) settle_seconds: Option<SettleSeconds>,
    pub(crate) attempts: Option<Attempts>,
    /// `steps`, `return` and `fail_when`.
    pub(crate) search: Compound,
}

/// Up to ten seconds: whoever created the ticket is waiting.
type SettleSeconds = Seconds<0, 10_000>;
type Attempts = Count<1, 5>;

impl Decode for Box<SafeCreate> {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let mut fields = Fields::of(node, "safe_create", report)?;
        let safe_create = SafeCreate {
            when: Field::read(&mut fields, "when", report),
            settle_seconds: Field::read(&mut fields, "settle_seconds", report),
            attempts: Field::read(&mut fields, "attempts", report),
            search: Compound {
                steps: Field::read(&mut fields, "steps", report),
                r#return: Field::read(&mut fields, "return", report),
                fail_when: Field::read(&mut fields, "fail_when", report),
                refilter: None,
                safe_create: None,
                place: node.place.clone(),
                keys: Keys::of(node),
            },
        };
        fields.finish(report);
        Some(Box::new(safe_create))
    }
}

impl JsonSchema for SafeCreate {
    fn schema_name() -> Cow<'static, str> {
        "SafeCreate".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let when = generator.subschema_for::<Expression>();
        let settle_seconds = generator.subschema_for::<SettleSeconds>();
        let attempts = generator.subschema_for::<Attempts>();
        let steps = generator.subschema_for::<Items<Block>>();
        let answer = generator.subschema_for::<Return>();
        let fail_when = generator.subschema_for::<OneOrMany<FailWhen>>();
        let described = |schema: Schema, description: &str| {
            let mut schema = schema.to_value();
            if let Some(schema) = schema.as_object_mut() {
                schema.insert("description".into(), description.into());
            }
            schema
        };
        json_schema!({
            "description": "How a ticket is found whose creation ended in doubt: a search for `meta_info.marker`.",
            "type": "object",
            "properties": {
                "when": described(when, "An expression over `settings`; without it, always. Where it does not hold, a creation in doubt is an error as any other."),
                "settle_seconds": described(settle_seconds, "How long the ticketing system is given before the ticket is looked for; the second look waits twice as long. 1 by default."),
                "attempts": described(attempts, "How often the ticket is created at most in one call, the first time included. 2 by default."),
                "steps": described(steps, "The search: `action` blocks that change nothing; the last block is `return`, unless `return` stands beside `steps`."),
                "return": described(answer, "Gives the ticket with the marker, a list of them, or null where there is none."),
                "fail_when": described(fail_when, "Checked before the first step; sees `data.context`."),
            },
            "additionalProperties": false,
        })
    }
}

/// One item of `steps`.
pub(crate) enum Block {
    Action(Box<Step>),
    Return(Return, Place),
    Check(Check),
    /// Something that is not allowed, or could not be read; reported already.
    Unusable,
}

/// What the general grammar of compound actions knows besides, and what to do instead.
const FOREIGN_BLOCKS: &[(&str, &str)] = &[
    (
        "script",
        "write the computation as a mapping: DSL functions, `EVAL()`, `MAP()`",
    ),
    (
        "switch",
        "put `when` on the steps that are conditional, and `CONDITIONAL()` in the mapping",
    ),
    (
        "for",
        "put `for_each` on the `action` that is called for each item; a computation is `MAP()` in the mapping",
    ),
    ("parallel", "write the steps one after the other"),
    (
        "raise",
        "use `fail_when` with a `message` and a `code`; between two steps it stands in a `check` block",
    ),
    (
        "try_catch",
        "use `fallback` in the HTTP action for an answer that may be refused",
    ),
    ("notify", "remove it; the gateway sends no messages"),
];

impl Decode for Block {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let Content::Object(entries) = &node.content else {
            report.wrong_type(node, "a block, `action:` or `return:`");
            return Some(Self::Unusable);
        };
        let mut blocks = Vec::new();
        for (key, value) in entries {
            match key.name.as_str() {
                "action" => blocks.push((
                    key,
                    Step::decode(value, report).map(|step| Self::Action(Box::new(step))),
                )),
                "return" => {
                    let block = Return::decode(value, report);
                    blocks.push((key, block.map(|block| Self::Return(block, key.place.clone()))));
                }
                "check" => blocks.push((key, Check::decode(value, report).map(Self::Check))),
                other => report_foreign(other, key, report),
            }
        }
        if let [_, (second, _), ..] = blocks.as_slice() {
            let message = "one block holds one of `action`, `return` and `check`";
            let help = "begin each block with its own `-`";
            report.push(rules::NOT_TOGETHER.at(&second.place, message).help(help));
            return Some(Self::Unusable);
        }
        if entries.is_empty() {
            report.add(
                &rules::MISSING_KEY,
                &node.place,
                "a block needs `action` or `return`",
            );
        }
        Some(
            blocks
                .into_iter()
                .find_map(|(_, block)| block)
                .unwrap_or(Self::Unusable),
        )
    }
}

fn report_foreign(name: &str, key: &Key, report: &mut Report) {
    if let Some((_, instead)) = FOREIGN_BLOCKS.iter().find(|(block, _)| *block == name) {
        let message = format!("a ticket gateway allows only `action` and `return` blocks, not `{name}`");
        report.push(rules::BLOCK_NOT_ALLOWED.at(&key.place, message).help(*instead));
        return;
    }
    let help = match name {
        "action_name" | "input_args" | "output_key" | "output_mapper" => {
            format!("indent `{name}` further than the `action:` or `return:` it belongs to")
        }
        _ => suggestion(name, &["action", "return"]),
    };
    let message = format!("a block is `action` or `return`, not `{name}`");
    report.push(rules::UNKNOWN_KEY.at(&key.place, message).help(help));
}

impl JsonSchema for Block {
    fn schema_name() -> Cow<'static, str> {
        "Block".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let action = generator.subschema_for::<Step>();
        let answer = generator.subschema_for::<Return>();
        let check = generator.subschema_for::<Check>();
        json_schema!({
            "description": "A call (`action`), the answer (`return`), or a condition between two calls (`check`).",
            "type": "object",
            "properties": {"action": action, "return": answer, "check": check},
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        })
    }
}

object! {
    /// A call of an HTTP action.
    struct Step, "an action" {
        /// The name of the HTTP action.
        action_name: Required<Text>,
        /// The HTTP action's variables, each an expression over `data`, `meta_info` and `settings`.
        input_args: Option<Expression>,
        /// The result becomes `data.<output_key>`; `_` throws it away.
        output_key: Required<Name<OutputForm>>,
        /// The step is skipped, and its result null, unless this holds.
        when: Option<Expression>,
        /// Checked after the step; sees its result. Not asked where the step was skipped.
        fail_when: Option<OneOrMany<FailWhen>>,
        /// Gives a list: the HTTP action is called for each element, which `when`, `input_args` and `fail_when` see as
        /// `item`, and its place from 0 as `index`. The result is the list of results in order.
        for_each: Option<Expression>,
        /// `for_each`: most elements (100 by default); more are an error before the first call.
        max_items: Option<Count<1, 1000>>,
        /// `for_each`: how many calls go on at the same time (4 by default). Changes are made one after the other.
        at_once: Option<Count<1, 16>>,
        /// Where the request is refused because something changed meanwhile, the steps from an earlier one are done again.
        retry_from: Option<Box<RetryFrom>>,
        /// Accepted, and has no effect.
        delay_config: Option<Ignored>,
        /// Accepted, and has no effect.
        progress_updates: Option<Ignored>,
    }
}

object! {
    /// Read again and retry.
    struct RetryFrom, "retry_from" {
        /// The `output_key` of the step to begin again with.
        step: Required<Text>,
        /// The statuses that say so (412 by default).
        on_status: Option<OneOrMany<Count<400, 499>>>,
        /// How often (2 by default).
        times: Option<Count<1, 5>>,
    }
}

impl Decode for Box<RetryFrom> {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        RetryFrom::decode(node, report).map(Box::new)
    }
}

object! {
    /// A condition between two steps. It sends nothing, and is asked whether or not the steps before it were skipped.
    struct Check, "a check" {
        /// Sees `data` with the results so far.
        fail_when: Required<OneOrMany<FailWhen>>,
    }
}

object! {
    /// The answer.
    struct Return, "return" {
        /// A mapping that gives the answer.
        output_mapper: Required<Expression>,
        /// Checked before the answer is built.
        fail_when: Option<OneOrMany<FailWhen>>,
    }
}

object! {
    /// A condition on a ticket action.
    struct Capability, "a capability" {
        /// An expression over `settings`; the action is possible only where it holds. Without it, never.
        when: Option<Expression>,
        /// What a caller is told when it is not possible.
        reason: Required<Text>,
    }
}
