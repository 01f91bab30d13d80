//! Says what is amiss with what was read, and where that may come from.

use actions::TasAction;
use integration::Step;
use serde_json::Value;

use super::clock::Off;
use super::texts::{Amiss, Kind};
use super::{Trip, clock};
use crate::commands::doctor::check::Check;
use crate::commands::doctor::fields::at;
use crate::live::cause::{self, Cause};
use crate::live::places::line;
use crate::live::runs::Run;

impl Trip<'_> {
    /// The title and the description of a ticket where they are not those that were sent.
    pub(super) fn texts_amiss(&self, ticket: &Value, before: &str) -> Vec<Amiss> {
        let of = |name: &str| {
            let sent = at(&self.payload, name).as_str()?;
            Amiss::of_text(
                format!("{before}{name}"),
                &format!("`{name}`"),
                sent,
                at(ticket, name),
            )
        };
        ["short_description", "description"]
            .into_iter()
            .filter_map(of)
            .collect()
    }

    /// Tells of a time of the new ticket that is not the present.
    pub(super) fn tell_time(&self, check: &mut Check, ticket: &Value, name: &str, runs: &[Run<'_>]) {
        let off = clock::off(ticket, name, self.made, "the ticket");
        self.tell_off(check, off, &format!("raw_ticket.{name}"), runs);
    }

    /// Tells of a time that is off; `path` is where the output mapper makes it.
    pub(super) fn tell_off(&self, check: &mut Check, off: Option<Off>, path: &str, runs: &[Run<'_>]) {
        let Some(off) = off else { return };
        if !off.is_zone {
            check.notes.push(off.said);
            return;
        }
        let mut causes = cause::of_field(runs, path);
        let place = self.live.places.nearest(&["connector", "dates"]).map(line);
        let text = "the time zone of `connector.dates`, or of what makes the field".to_owned();
        causes.insert(0, Cause { place, text });
        check.find(off.said, causes);
    }

    /// Tells of what is amiss in the ticket that was read, and where that may come from: from the output, or from what
    /// `action` sent.
    pub(super) fn tell(
        &self,
        check: &mut Check,
        action: TasAction,
        amiss: Amiss,
        runs: &[Run<'_>],
        maker: &Option<String>,
    ) {
        let path = match amiss.field.starts_with("raw_tickets[") {
            true => amiss.field,
            false => format!("raw_ticket.{}", amiss.field),
        };
        let mut causes = cause::of_field(runs, &path);
        let place = self.live.places.nearest(&["actions", action.key()]).map(line);
        let place = maker.clone().or(place);
        let mut read = |text: String| {
            for cause in &mut causes {
                cause.text = format!("makes `{path}`: {text}");
            }
        };
        let sent = |text: &str| Cause {
            place: place.clone(),
            text: text.to_owned(),
        };
        match amiss.unlike.kind {
            Kind::Harmless => {
                check.notes.push(amiss.unlike.said);
                return;
            }
            Kind::IsHtml(times) => {
                let times = match times {
                    1 => "once".to_owned(),
                    2 => "twice".to_owned(),
                    times => format!("{times} times"),
                };
                read(format!(
                    "STRIP_HTML() is missing: {times} more gives what was sent"
                ));
                causes.push(sent(
                    "or what is sent here is escaped, and the system takes plain text",
                ));
            }
            Kind::TakenForHtml => {
                read("or STRIP_HTML() is used once too often".to_owned());
                let text = "what is sent here is not escaped, and the system takes HTML: in a template `{{x}}` escapes, `{{{x}}}` does not";
                causes.insert(0, sent(text));
            }
            Kind::Otherwise => {
                causes.push(sent(&format!(
                    "or {action} does not send it as the system wants it"
                )));
            }
        }
        check.find(amiss.unlike.said, causes);
    }

    /// Where what a step sends is put together.
    pub(super) fn maker_in(&self, step: &Step) -> Option<String> {
        let arguments = step.input_args.place();
        if arguments.text().contains("RENDER") {
            return Some(line(arguments));
        }
        let keys = ["http_actions", &step.action_name, "body"];
        self.live.places.nearest(&keys).map(line)
    }
}
