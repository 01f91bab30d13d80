//! What one check found.

use std::time::Duration;

use serde_json::{Value, json};

use crate::live::cause::Cause;
use crate::live::shown;
use crate::live::tape::{Exchange, Tape};

/// One line of the capability table.
pub(super) struct Check {
    /// The action, or what else was tried.
    pub(super) name: String,
    pub(super) verdict: Verdict,
    /// Why it was not tried, is not proved or not supported; what is wrong otherwise.
    pub(super) reason: Option<String>,
    /// From the request to the answer of the action itself.
    pub(super) took: Duration,
    /// Requests to the ticketing system for it.
    pub(super) calls: usize,
    /// What is not as it should be, each with its likely cause.
    pub(super) findings: Vec<Finding>,
    /// What is worth knowing and no fault.
    pub(super) notes: Vec<String>,
    /// The request that matters, where something failed.
    pub(super) exchange: Option<Exchange>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Works,
    /// It was carried out, but what is read back is not what was sent.
    NotAsTold,
    /// Nothing failed, and nothing showed that it does what it should.
    NotProved,
    /// The integration says that it cannot do that.
    NotSupported,
    NotTried,
    Failed,
}

impl Verdict {
    pub(super) fn shown(self) -> &'static str {
        match self {
            Verdict::Works => "works",
            Verdict::NotAsTold => "works, but not as told",
            Verdict::NotProved => "not proved",
            Verdict::NotSupported => "not supported",
            Verdict::NotTried => "not tried",
            Verdict::Failed => "FAILED",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Verdict::Works => "works",
            Verdict::NotAsTold => "not_as_told",
            Verdict::NotProved => "not_proved",
            Verdict::NotSupported => "not_supported",
            Verdict::NotTried => "not_tried",
            Verdict::Failed => "failed",
        }
    }
}

/// Something that is wrong, and where that comes from.
pub(super) struct Finding {
    pub(super) message: String,
    pub(super) causes: Vec<Cause>,
}

impl Check {
    pub(super) fn new(name: impl Into<String>, verdict: Verdict) -> Self {
        Self {
            name: name.into(),
            verdict,
            reason: None,
            took: Duration::ZERO,
            calls: 0,
            findings: Vec::new(),
            notes: Vec::new(),
            exchange: None,
        }
    }

    pub(super) fn not_tried(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            reason: Some(reason.into()),
            ..Self::new(name, Verdict::NotTried)
        }
    }

    /// Notes something that is not as it should be.
    pub(super) fn find(&mut self, message: impl Into<String>, causes: Vec<Cause>) {
        if matches!(self.verdict, Verdict::Works | Verdict::NotProved) {
            self.verdict = Verdict::NotAsTold;
            self.reason = None;
        }
        self.findings.push(Finding {
            message: message.into(),
            causes,
        });
    }

    /// Notes why what was done shows nothing.
    pub(super) fn prove_nothing(&mut self, reason: impl Into<String>) {
        if self.verdict == Verdict::Works {
            self.verdict = Verdict::NotProved;
            self.reason = Some(reason.into());
        }
    }

    /// Why it did not come to its end.
    pub(super) fn told(&self) -> &str {
        let finding = self.findings.first().map(|finding| finding.message.as_str());
        self.reason.as_deref().or(finding).unwrap_or_default()
    }

    /// One line for the table.
    pub(super) fn result(&self) -> String {
        match (&self.reason, self.findings.first()) {
            (Some(reason), _) => format!("{}: {reason}", self.verdict.shown()),
            (None, Some(first)) if self.verdict == Verdict::NotAsTold => {
                format!("{}: {}", self.verdict.shown(), first.message)
            }
            _ => self.verdict.shown().to_owned(),
        }
    }

    pub(super) fn to_json(&self, tape: &Tape) -> Value {
        let findings: Vec<Value> = self
            .findings
            .iter()
            .map(|finding| {
                let causes = finding.causes.iter();
                let causes: Vec<Value> = causes
                    .map(|cause| json!({"place": cause.place, "text": tape.without_secrets(&cause.text)}))
                    .collect();
                json!({"message": tape.without_secrets(&finding.message), "causes": causes})
            })
            .collect();
        json!({
            "name": self.name,
            "result": self.verdict.word(),
            "reason": self.reason.as_deref().map(|reason| tape.without_secrets(reason)),
            "milliseconds": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            "calls": self.calls,
            "findings": findings,
            "notes": self.notes.iter().map(|note| tape.without_secrets(note)).collect::<Vec<_>>(),
            "exchange": self.exchange.as_ref().map(|exchange| shown::to_json(exchange, tape)),
        })
    }
}
