//! Checks of `connector`.

use mapping::{Template, TimeForm};
use url::Url;

use super::World;
use super::credentials::{check_headers, check_pattern};
use super::http_action::check_header_name;
use super::reads::{Scope, check_declared, check_reads};
use crate::integration::SettingKind;
use crate::model::connector::{
    ApiKeyAuth, Auth, Authentication, BySettingAuth, ClientCredentialsAuth, Dates, KeyPlace, RateLimit,
    RefreshTokenAuth, ReservedPart,
};
use crate::model::http_action::{Cell, all};
use crate::read::{Entries, Report, TemplateText, is_set};
use crate::rules;

pub(crate) fn check(world: &World<'_>, report: &mut Report) {
    let Some(connector) = world.document.connector.get() else {
        return;
    };
    let only_settings = Scope {
        what: "the connector",
        ..Scope::default()
    };
    let check_template = |template: &Template, scope: &Scope<'_>, report: &mut Report| {
        check_reads(Cell::Template(template), scope, world, report);
    };
    if let Some(base_url) = connector.base_url.get() {
        check_template(&base_url.0, &only_settings, report);
        check_always_there(&base_url.0, world, report);
        check_address(&base_url.0, report);
    }
    for cell in check_headers(connector.headers.as_ref(), report) {
        let scope = Scope {
            meta_info: true,
            ..only_settings
        };
        check_reads(cell, &scope, world, report);
    }
    let after_an_answer = Scope {
        what: "`fail_when` of the connector",
        meta_info: true,
        response: true,
        ..Scope::default()
    };
    for rule in all(&connector.fail_when) {
        for expression in [rule.condition(), rule.message()].into_iter().flatten() {
            check_reads(Cell::Mapping(expression), &after_an_answer, world, report);
        }
    }
    if let Some(limit) = &connector.rate_limit {
        check_rate_limit(limit, world, report);
    }
    if let Some(dates) = &connector.dates {
        check_dates(dates, world, report);
    }
    if let Some(Authentication::BySetting(choice)) = &connector.auth {
        check_choice(choice, world, report);
    }
    // What a chosen way reads is seen to when it is chosen.
    if let Some(Authentication::One(
        Auth::ClientCredentials(ClientCredentialsAuth { token_url, .. })
        | Auth::RefreshToken(RefreshTokenAuth { token_url, .. }),
    )) = &connector.auth
        && let Some(token_url) = token_url.get()
    {
        check_always_there(&token_url.0, world, report);
    }
    for auth in connector.auth.iter().flat_map(Authentication::kinds) {
        check_auth(auth, world, report);
    }
}

/// Whether every installation has one of the ways of `auth`.
fn check_choice(choice: &BySettingAuth, world: &World<'_>, report: &mut Report) {
    let Some(setting) = choice.setting.get() else {
        return;
    };
    let name = setting.value.as_str();
    check_declared(name, &setting.place, world, report);
    // One that there is not, or that could not be read, is reported already.
    let Some(declared) = world.setting(name) else {
        return;
    };
    let Some(SettingKind::Enum(words)) = declared.kind() else {
        let message = format!("the setting `{name}` is not of type enum");
        report.add(&rules::AUTH_CHOICE, &setting.place, message);
        return;
    };
    if may_be_missing(name, world) {
        let message = format!("the setting `{name}` may be left out, and nothing is chosen then");
        let help = "make it `required`, or give it a `default`";
        report.push(rules::AUTH_CHOICE.at(&setting.place, message).help(help));
    }
    let Some(of) = choice.of.get() else { return };
    let ways: Vec<&str> = of.entries.iter().map(|(word, _)| word.name.as_str()).collect();
    for word in words.iter().filter(|word| !ways.contains(&word.as_str())) {
        let place = choice.keys.place("of").unwrap_or(&choice.place);
        let message = format!("`of` says nothing for `{word}`, which the setting `{name}` may be");
        report.add(&rules::AUTH_CHOICE, place, message);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    for (word, _) in &of.entries {
        if !words.contains(&word.name.as_str()) {
            let message = format!("the setting `{name}` is never `{}`", word.name);
            report.unknown_word(&rules::AUTH_CHOICE, &word.place, message, &word.name, &words);
        }
    }
}

fn check_auth(auth: &Auth, world: &World<'_>, report: &mut Report) {
    let only_settings = Scope {
        what: "the connector",
        ..Scope::default()
    };
    let check_template = |template: &Template, report: &mut Report| {
        check_reads(Cell::Template(template), &only_settings, world, report);
    };
    match auth {
        Auth::Basic(basic) => {
            if let Some(username) = basic.username.get() {
                check_template(&username.0, report);
            }
        }
        Auth::BasicKey(basic) => {
            if let Some(password) = &basic.password {
                check_template(&password.0, report);
            }
        }
        Auth::ApiKey(key) => check_api_key(key, report),
        Auth::ClientCredentials(client) => {
            let parts = [
                client.token_url.get(),
                client.client_id.get(),
                client.scope.as_ref(),
            ];
            let extra = client
                .extra
                .iter()
                .flat_map(Entries::read)
                .map(|(_, value)| value);
            for TemplateText(template) in parts.into_iter().flatten().chain(extra) {
                check_template(template, report);
            }
            if let Some(token_url) = client.token_url.get() {
                check_address(&token_url.0, report);
            }
        }
        Auth::RefreshToken(client) => {
            let parts = [
                client.token_url.get(),
                client.client_id.get(),
                client.scope.as_ref(),
            ];
            let extra = client
                .extra
                .iter()
                .flat_map(Entries::read)
                .map(|(_, value)| value);
            for TemplateText(template) in parts.into_iter().flatten().chain(extra) {
                check_template(template, report);
            }
            if let Some(token_url) = client.token_url.get() {
                check_address(&token_url.0, report);
            }
            if let Some((first, second)) = client.secret.get().zip(client.refresh_secret.get())
                && first.value == second.value
            {
                let message = "`refresh_secret` is the same as `secret`, the client's";
                report.add(&rules::NOT_TOGETHER, &second.place, message);
            }
        }
        Auth::Session(session) => super::session::check(session, world, report),
        Auth::None(_) | Auth::Bearer(_) => {}
    }
}

fn check_dates(dates: &Dates, world: &World<'_>, report: &mut Report) {
    let mut zone = "UTC";
    if let Some(TemplateText(template)) = &dates.zone {
        let only_settings = Scope {
            what: "the connector",
            ..Scope::default()
        };
        check_reads(Cell::Template(template), &only_settings, world, report);
        if template.is_constant() {
            zone = template.source();
            if let Err(mistake) = TimeForm::new("%s", zone) {
                report.add(&rules::BAD_DATES, template.place(), mistake);
                return;
            }
        }
    }
    if let Some(format) = dates.format.get()
        && let Err(mistake) = TimeForm::new(&format.value, zone)
    {
        report.add(&rules::BAD_DATES, &format.place, mistake);
    }
}

fn check_rate_limit(limit: &RateLimit, world: &World<'_>, report: &mut Report) {
    for (key, other) in [
        ("requests", "per_seconds"),
        ("per_seconds", "requests"),
        ("reserved_for_actions", "requests"),
    ] {
        if let (Some(place), None) = (limit.keys.place(key), limit.keys.place(other)) {
            let message = format!("`{key}` says nothing without `{other}`");
            report.add(&rules::MISSING_KEY, place, message);
        }
    }
    if let (Some(requests), Some(reserved)) = (limit.requests, &limit.reserved_for_actions)
        && matches!(reserved.part, ReservedPart::Requests(reserved) if reserved >= requests.0)
    {
        let message = format!("of {} requests this leaves none to polling", requests.0);
        report.add(&rules::OUT_OF_RANGE, &reserved.place, message);
    }
    let after_an_answer = Scope {
        what: "the rate limit",
        response: true,
        ..Scope::default()
    };
    for expression in [&limit.remaining, &limit.resets_in_seconds].into_iter().flatten() {
        check_reads(Cell::Mapping(expression), &after_an_answer, world, report);
    }
}

/// The settings that an address is made of are there in every installation.
fn check_always_there(template: &Template, world: &World<'_>, report: &mut Report) {
    for read in template.required_reads() {
        let mut keys = read.keys();
        if keys.next() == Some("settings")
            && let Some(name) = keys.next().filter(|name| may_be_missing(name, world))
        {
            let message = format!("the setting `{name}` may be left out, and there is then no address");
            let help = "make it `required`, or give it a `default`";
            report.push(rules::BAD_BASE_URL.at(&read.place, message).help(help));
        }
    }
}

/// An address whose text is known, or the fixed beginning of one.
fn check_address(template: &Template, report: &mut Report) {
    let text = template.source();
    let mistake = if template.is_constant() {
        Url::parse(text)
            .map_err(|error| match error {
                url::ParseError::RelativeUrlWithoutBase => "it begins with https://".to_owned(),
                error => error.to_string(),
            })
            .and_then(|url| address_mistake(&url))
            .err()
    } else if text.starts_with("{{") || text.starts_with("https://") || text.starts_with("http://") {
        None
    } else {
        Some("it begins with neither `http://`, `https://` nor a setting".to_owned())
    };
    if let Some(mistake) = mistake {
        report.add(
            &rules::BAD_BASE_URL,
            template.place(),
            format!("this is no usable address: {mistake}"),
        );
    }
}

fn may_be_missing(setting: &str, world: &World<'_>) -> bool {
    let mut settings = world.document.settings.iter().flat_map(Entries::read);
    settings.any(|(key, it)| key.name == setting && !is_set(it.required) && it.default.is_none())
}

/// Why an address cannot be a base address.
pub(crate) fn address_mistake(url: &Url) -> Result<(), String> {
    if !matches!(url.scheme(), "http" | "https") {
        Err(format!("its scheme is `{}`, not `http` or `https`", url.scheme()))
    } else if !url.has_host() {
        Err("it has no host".to_owned())
    } else if url.query().is_some() || url.fragment().is_some() {
        Err("it has a query string or a fragment".to_owned())
    } else if !url.username().is_empty() || url.password().is_some() {
        Err("it carries a user or a password; use `auth`".to_owned())
    } else {
        Ok(())
    }
}

fn check_api_key(key: &ApiKeyAuth, report: &mut Report) {
    let header = key.r#in.get() == Some(&KeyPlace::Header);
    if let (true, Some(name)) = (header, key.name.get()) {
        check_header_name(&name.value, &name.place, report);
    }
    if let Some((first, second)) = key.secret.get().zip(key.fallback_secret.as_ref())
        && first.value == second.value
    {
        report.add(
            &rules::NOT_TOGETHER,
            &second.place,
            "`fallback_secret` is the same as `secret`",
        );
    }
    let Some(pattern) = &key.pattern else { return };
    if key.r#in.get() == Some(&KeyPlace::Query) {
        report.add(
            &rules::NOT_TOGETHER,
            &pattern.place,
            "a key in the query has no `pattern`",
        );
    } else if check_pattern(pattern, "key", report) && pattern.value.trim().eq_ignore_ascii_case("Basic %s") {
        let message = "the secret goes after `Basic` as it is, so it has to be the Base64 of `name:password`";
        let help = "use {kind: basic, username: ..., secret: ...}, or {kind: basic, username_secret: ..., password: X} \
                    where the key is the user name";
        report.push(rules::BASIC_BY_HAND.at(&pattern.place, message).help(help));
    }
}
