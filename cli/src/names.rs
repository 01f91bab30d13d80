//! The names on a command line.

use mapping::did_you_mean;

use crate::failure::Failure;
use crate::target::Target;

const MAX_NOTE: usize = 500;

/// The name of an integration, where it has the form of one.
pub(crate) fn integration(text: &str) -> Result<String, &'static str> {
    if integration::is_name(text) {
        Ok(text.to_owned())
    } else {
        Err("expected 2 to 63 small letters, digits and hyphens, beginning with a letter")
    }
}

/// What changed and why; it goes into lists.
pub(crate) fn note(text: &str) -> Result<String, &'static str> {
    if text.chars().count() <= MAX_NOTE && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("expected one line of at most 500 characters")
    }
}

/// There is no such integration in the store.
pub(crate) async fn unknown(target: &Target, name: &str) -> Failure {
    let message = format!("no version of `{name}` was ever pushed here");
    let known = target.integrations.all_active().await.unwrap_or_default();
    let known = || known.iter().map(|(name, _)| name.as_str());
    let options = &target.options;
    let help = match did_you_mean(name, known()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known().next().is_some() => {
            format!("there are: {}", known().collect::<Vec<_>>().join(", "))
        }
        None => format!("push it: ticket-gateway push DIR --name {name}{options}"),
    };
    Failure::failed(message).help(help)
}
