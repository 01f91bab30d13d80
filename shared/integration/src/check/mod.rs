//! What can be known only by looking at several places of an integration together.

mod compound;
mod connector;
mod credentials;
mod dropped;
mod http_action;
mod output;
mod paginate;
mod polling;
mod reads;
mod repeats;
mod safe_create;
mod session;
mod settings;
mod states;
mod ticketing;
mod variables;

pub(crate) use connector::address_mistake;
pub(crate) use settings::shown;

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::adding::adding;
use crate::model::Document;
use crate::model::http_action::HttpAction;
use crate::model::settings::Setting;
use crate::read::{Entries, Report};

/// What the checks look names up in.
pub(crate) struct World<'d> {
    pub(crate) document: &'d Document,
    /// The declared settings; those that could not be read count too.
    settings: Vec<&'d str>,
    /// The settings that something reads. `None` once everything may be read.
    settings_read: RefCell<Option<BTreeSet<String>>>,
    /// The HTTP actions that a ticket action adds something with.
    adding: BTreeSet<&'d str>,
}

impl<'d> World<'d> {
    fn new(document: &'d Document) -> Self {
        let settings = document.settings.iter().flat_map(|settings| &settings.entries);
        Self {
            document,
            settings: settings.map(|(key, _)| key.name.as_str()).collect(),
            settings_read: RefCell::new(Some(BTreeSet::new())),
            adding: adding(document),
        }
    }

    fn setting(&self, name: &str) -> Option<&'d Setting> {
        let mut settings = self.document.settings.as_ref()?.entries.iter();
        settings.find(|(key, _)| key.name == name)?.1.as_ref()
    }

    /// Something reads this setting.
    fn note_read(&self, setting: &str) {
        if let Some(read) = self.settings_read.borrow_mut().as_mut() {
            read.insert(setting.to_owned());
        }
    }

    /// The names of the HTTP actions; those that could not be read count too.
    fn http_action_names(&self) -> Vec<&'d str> {
        let actions = self
            .document
            .http_actions
            .get()
            .into_iter()
            .flat_map(|actions| &actions.entries);
        actions.map(|(key, _)| key.name.as_str()).collect()
    }

    fn http_action(&self, name: &str) -> Option<&'d HttpAction> {
        let mut actions = self.document.http_actions.get()?.entries.iter();
        actions.find(|(key, _)| key.name == name)?.1.as_ref()
    }
}

/// Reports every mistake that concerns more than one place.
pub(crate) fn check(document: &Document, report: &mut Report) {
    let world = World::new(document);
    settings::check(document, report);
    connector::check(&world, report);
    for (key, action) in document.http_actions.get().into_iter().flat_map(Entries::read) {
        http_action::check(action, world.adding.contains(key.name.as_str()), report);
    }
    compound::check(&world, report);
    variables::check(&world, report);
    dropped::check(&world, report);
    ticketing::check(&world, report);
    states::check(&world, report);
    polling::check(&world, report);
    settings::check_use(&world, report);
}
