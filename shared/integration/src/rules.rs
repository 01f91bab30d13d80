//! Every mistake that `lint` knows, with its code, what it means and how to mend it. This table is the only
//! source of codes in this crate, and `docs/lint.md` is written from it.

use mapping::{Diagnostic, Place, Severity};

/// One kind of mistake.
#[derive(Debug)]
pub struct Rule {
    /// The stable code, such as `TG0201`. A code is never given a second meaning.
    pub code: &'static str,
    /// Whether the integration is refused or only remarked on.
    pub severity: Severity,
    /// The mistake in a few words.
    pub title: &'static str,
    /// What it means, for someone who meets it the first time.
    pub meaning: &'static str,
    /// How to mend it.
    pub fix: &'static str,
}

impl Rule {
    /// A finding at a place in the YAML.
    pub(crate) fn at(&self, place: &Place, message: impl Into<String>) -> Diagnostic {
        self.nowhere(message).at(place)
    }

    /// A finding that has no place, such as a file that cannot be read.
    pub(crate) fn nowhere(&self, message: impl Into<String>) -> Diagnostic {
        match self.severity {
            Severity::Error => Diagnostic::error(self.code, message),
            Severity::Warning => Diagnostic::warning(self.code, message),
        }
    }
}

macro_rules! rules {
    ($($NAME:ident = $code:literal $severity:ident, $title:literal, $meaning:literal, $fix:literal;)*) => {
        $(pub(crate) static $NAME: Rule = Rule {
            code: $code,
            severity: Severity::$severity,
            title: $title,
            meaning: $meaning,
            fix: $fix,
        };)*

        /// Every rule, in the order of the codes.
        pub static RULES: &[&Rule] = &[$(&$NAME),*];
    };
}

rules! {
    UNKNOWN_KEY = "TG0201" Error, "unknown key",
        "The object has no key of this name. It is most often a slip of the pen or a key that stands one level too high or too low.",
        "Correct the spelling, move the key to where it belongs, or remove it. The message lists the keys that exist there.";
    WRONG_TYPE = "TG0202" Error, "wrong type",
        "The value is of another type than the key takes, such as text where a whole number is expected. In YAML `\"10\"` is text and `10` a number.",
        "Write a value of the type the message names.";
    MISSING_KEY = "TG0203" Error, "missing key",
        "A key that must be there is not.",
        "Add the key. `docs/integration.md` says what it holds.";
    BAD_NAME = "TG0204" Error, "bad name",
        "Names become parts of paths, of secret names and of expressions, so only some characters are allowed, and a few names are taken: `context` as an `output_key`, and `settings`, `meta_info`, `response` and `item` as input arguments.",
        "Choose a name of the form the message shows.";
    UNKNOWN_WORD = "TG0205" Error, "unknown word",
        "The key takes one of a few fixed words, and this is none of them.",
        "Use one of the words the message lists.";
    OUT_OF_RANGE = "TG0206" Error, "number out of range",
        "The number is smaller or larger than makes sense: a timeout of zero, or a poll every day.",
        "Use a number within the range the message gives.";
    DEFINED_TWICE = "TG0207" Error, "defined twice",
        "Two files of the folder define the same key. The files are merged into one integration, and neither may win silently.",
        "Remove one of the two, or give one another name.";
    UNREADABLE = "TG0208" Error, "cannot be read",
        "The file or folder cannot be read, holds no YAML file, is larger than 1 MiB, or there are more than 64 files.",
        "Check the path and its permissions, or divide the integration into smaller files.";
    NOT_TOGETHER = "TG0209" Error, "keys that do not go together",
        "The keys of the object contradict each other, or a key does not apply to the chosen kind.",
        "Keep the key that says what you mean and remove the other.";
    UNKNOWN_ACTION = "TG0210" Error, "unknown ticket action",
        "The contract has twelve ticket actions, and this is none of them.",
        "Use one of the twelve keys; `docs/integration.md` lists them.";
    NO_RETURN = "TG0211" Error, "no return",
        "A compound action answers with what its `return` says. Without one there is no answer.",
        "End `steps` with `- return: {output_mapper: ...}`, or write `return:` beside `steps`.";
    AFTER_RETURN = "TG0212" Error, "return is not last",
        "`return` ends the action, so whatever stands after it would never run. There is exactly one.",
        "Move `return` to the end and keep one.";
    BLOCK_NOT_ALLOWED = "TG0213" Error, "block not allowed",
        "The ticket gateway's contract allows only `action` and `return` blocks in `steps`, and this gateway `check` besides, although compound actions elsewhere know more.",
        "Say it in a mapping (`CONDITIONAL()`, `MAP()`), or with `when` and `fail_when`; the message says which.";
    UNKNOWN_HTTP_ACTION = "TG0214" Error, "unknown HTTP action",
        "`action_name` names an HTTP action that `http_actions` does not define.",
        "Correct the name or define the HTTP action.";
    OUTPUT_KEY_TAKEN = "TG0215" Error, "output_key used twice",
        "Two steps of one action store their result under the same key, so the first result would be lost.",
        "Give one of them another `output_key`; `_` throws a result away.";
    IGNORED = "TG0216" Warning, "has no effect here",
        "The key belongs to the general grammar of compound actions and is accepted, so that existing YAML runs unchanged, but it does nothing in a ticket gateway.",
        "Remove it. For the user behind `meta_info.user`, read `data.context.requestor_info`.";
    SAFE_CREATE_ELSEWHERE = "TG0217" Error, "safe_create outside create_ticket",
        "`safe_create` says how a new ticket is found whose creation ended in doubt. No other action makes one.",
        "Move it to `actions.create_ticket`, or remove it.";
    MARKER_NOT_USED = "TG0218" Error, "marker not used",
        "`safe_create` finds a ticket by `meta_info.marker`, so the marker has to be written into the ticket when it is created, and the search has to look for it. One of the two never reads it: the search would find no ticket, and create a second one, or find somebody else's.",
        "Put `meta_info.marker` into a field, a tag or a line of text of the new ticket, and compare with it in the search, for example in `keep`.";
    SEARCH_CHANGES = "TG0219" Warning, "search that can change something",
        "A step of `safe_create` sends a request that is not a GET or HEAD and is not known to be `repeatable`. The search runs after every creation in doubt, more than once.",
        "Use a request that only reads. If this one does no harm when it is sent again, say `repeatable: true` in its HTTP action.";
    UNKNOWN_ROOT = "TG0220" Error, "unknown name",
        "An expression starts with a name that does not exist where it stands. Compound actions see `data`, `meta_info` and `settings`; other places see less or other things. A bare word is always a name: text must be quoted twice in YAML, `\"'text'\"`.",
        "Correct the name, put the missing `data.` or `data.context.` before it, or quote it if it is meant as text.";
    UNKNOWN_DATA = "TG0221" Error, "unknown name in data",
        "`data` holds `context` and the results of the steps before this one, and nothing else.",
        "Correct the name, or move the step that gives it before this one.";
    UNKNOWN_CONTEXT = "TG0222" Error, "not in this action's context",
        "Each ticket action has its own input context, and this key is not in this one's.",
        "Use one of the keys the message lists.";
    UNKNOWN_SETTING = "TG0223" Error, "setting not declared",
        "`settings.x` reads a setting that `settings` does not declare, so no installation could ever fill it in.",
        "Correct the name or declare the setting.";
    VARIABLE_NOT_GIVEN = "TG0224" Error, "variable that nothing gives",
        "The HTTP action reads a variable, and no step that calls it has it among its `input_args`. It would always be empty.",
        "Add it to the `input_args` of the steps, or remove it. An HTTP action does not see `data`; pass what it needs.";
    ARGUMENT_NOT_READ = "TG0225" Warning, "input argument not read",
        "The step gives an argument that the HTTP action never reads.",
        "Correct the name, use the variable in the HTTP action, or remove the argument.";
    HTTP_ACTION_NOT_USED = "TG0226" Warning, "HTTP action not used",
        "No step calls this HTTP action.",
        "Remove it, or call it.";
    PATH_VARIABLE_NOT_GIVEN = "TG0227" Error, "path variable not given",
        "The HTTP action needs the variable for its path, and this step does not give it. A path segment cannot be empty, so the call would always fail.",
        "Add the variable to this step's `input_args`.";
    SETTING_NOT_USED = "TG0228" Warning, "setting not used",
        "Nothing reads the setting, so whoever installs the integration fills it in for nothing.",
        "Remove the setting, or use it.";
    UNKNOWN_FIELD = "TG0229" Error, "unknown field",
        "The value is one whose keys are known, and it does not have this one: `response` has `status`, `headers` and `body`; `meta_info` has `action_instance_id`, `marker` and `request_id`, and with `connector.dates` also `dates`; the result of a paginated HTTP action has `items`, `next_page_token` and `pages`.",
        "Correct the name.";
    BAD_PATH = "TG0230" Error, "bad path",
        "The path of an HTTP action starts with `/`, and holds neither a host nor a query string nor a fragment. The host comes from the connector and cannot be changed by a request.",
        "Write the part after the host, and move `?a=b` to `query: {a: b}`.";
    BAD_BASE_URL = "TG0231" Error, "bad address",
        "An address starts with `http://` or `https://`, has a host, and carries no query string, fragment, user or password. Its templates can read only `settings`.",
        "Write an address such as `https://tickets.example.com/api`, or `\"{{settings.base_url}}\"`.";
    BODY_NOT_SENT = "TG0232" Warning, "body on a request without one",
        "A GET or HEAD request with a body is dropped or refused by many servers.",
        "Use `query`, or another method.";
    SEND_NEEDS_JSON_BODY = "TG0233" Error, "page token cannot be put in this body",
        "`send: {body: x}` sets a key of a JSON body, and the body of this HTTP action is not JSON.",
        "Make it a JSON body, or send the token in a header or in the query.";
    BAD_HEADER = "TG0234" Error, "bad header",
        "The name is not one that HTTP allows, or the header is one that the gateway sets itself.",
        "Correct the name, or remove the header. Credentials belong in `connector.auth`.";
    BAD_PATTERN = "TG0235" Error, "bad pattern",
        "`pattern` says how the key or the token stands in the header: `%s` once, where it goes.",
        "Write it like `\"Token %s\"`.";
    BODY_NOT_JSON = "TG0236" Error, "body is not JSON",
        "A body given as text is sent as JSON, and this text is not JSON.",
        "Correct the JSON, or use `body: {text: ...}` for something else.";
    FALLBACK_NEVER = "TG0237" Error, "fallback changes or catches nothing",
        "A fallback says on which answers it is tried (`on_status` or `when`) and what it does differently (`method`, `path`, `query`, `headers` or `body`).",
        "Add what is missing, or remove the fallback.";
    RISKY_REPEAT = "TG0238" Warning, "write that may be repeated",
        "The fallback is tried after an answer that does not say whether the first request was carried out, and the request is not `repeatable`. The gateway will not try it on those answers.",
        "List only statuses that mean nothing was done, such as 404 or 405, or set `repeatable: true` if doing it twice does no harm.";
    CREDENTIALS_IN_HEADER = "TG0239" Warning, "credentials among the headers",
        "The header carries credentials. Written in the YAML or kept in a setting, a secret is in every copy of it, in the log of its changes, and on every screen that shows settings.",
        "Use `connector.auth`, and for a second key `connector.headers: {App-Token: {secret: app_token}}`: they read the secret from outside, and no log or error can show it.";
    NOT_ESCAPED = "TG0240" Warning, "value that can end its quotes",
        "A query parameter is written in a query language, and a value stands between its quotes as it is. Percent-encoding does not help: the ticketing system takes it off again. A caller whose text has a quote in it gets an error, or another query.",
        "Write `{template: \"...\", escape: {\"'\": \"\\\\'\"}}` with the escapes of the query language.";
    RETRY_STEP = "TG0241" Error, "retry that begins at no step",
        "`retry_from` names the `output_key` of an earlier step of the same action. That step and those after it are done again, so they only read; the step with `retry_from` is the change.",
        "Name the step that reads what the change depends on, such as its `ETag`.";
    LOGIN_WITHOUT_SECRET = "TG0242" Error, "login without its secret",
        "The login request of a session sends the secret that `auth.secret` names. Its templates and mappings see it as `secret`, and none reads it.",
        "Put `secret` where the password belongs: `body: {json: {user: settings.user, password: secret}}`.";
    BAD_DATES = "TG0243" Error, "dates that cannot be read or written",
        "`connector.dates` has a format with `%` directives, and a zone. A time that is written so has to be readable again.",
        "Correct the format (`%Y-%m-%d %H:%M:%S`) or the zone (`Europe/Berlin`, `UTC`).";
    AUTH_CHOICE = "TG0244" Error, "authentication that no setting decides",
        "`auth` of kind `by_setting` takes the way to authenticate from a setting of type `enum`, which an installation always has: it is `required` or has a `default`. `of` has one entry for each of its words.",
        "Declare the setting (`login: {type: enum, values: [api_key, oauth2], default: api_key}`), and write one entry of `of` for each word.";
    BASIC_BY_HAND = "TG0245" Warning, "Basic credentials that are encoded by hand",
        "An API key with the pattern `Basic %s` is sent as it is, and HTTP Basic wants the Base64 of `name:password`. A key that is not encoded is refused, and one that is cannot be read by the person who rotates it.",
        "Use `kind: basic` with `username` and `secret`, or with `username_secret` and `password` where the key is the user name.";
    CONTEXT_ALWAYS_NULL = "TG0246" Warning, "null in this action",
        "The context of another action that changes a ticket has this key; in this one it is null. Nothing is said where several actions share the text by an anchor (`steps: *change`) and one of them has the key.",
        "Use one of the action's own keys; `docs/integration.md` lists them. Steps for several actions are written once, with an anchor.";
    CONTEXT_NOT_READ = "TG0247" Warning, "value of the caller that is lost",
        "A caller may send the value, no step sends it on and no `fail_when` refuses it, so it is lost although the answer says success. A value that only the answer repeats is lost, too.",
        "Send it in a step, or refuse it: `fail_when: {condition: data.context.comment, code: INPUT_VALIDATION_FAILED, message: \"'the system takes no comment with this'\"}`.";
    RAW_IN_HTML = "TG0248" Warning, "text in HTML as it is",
        "The template of a `RENDER()` holds tags, and `{{{x}}}` puts a value between them without escaping it: what a person writes becomes markup, and `a < b` loses its end.",
        "Write `{{x}}`. Where line breaks are to become `<br>`, escape first: `x.$ESCAPE_HTML().$REPLACE(\"\\n\", \"<br>\")` among `args`.";
    UNKNOWN_STATE = "TG0250" Error, "unknown internal state",
        "An external state maps to one of the five internal states, and this is none of them.",
        "Use `NEW`, `WIP`, `WAITING_FOR_USER`, `RESOLVED` or `CLOSED`.";
    STATE_NOT_REACHABLE = "TG0251" Error, "no external state to set",
        "`resolve_ticket` sets the external state of `RESOLVED` and `reopen_ticket` that of `NEW`, unless the `on` of another one names the action, and the state map has none that could be set.",
        "Map an external state to it that is not `read_only` and has no `on`. Where the action leads to a state of another meaning, name it in the `on` of that state: `open: {internal: WIP, on: [reopen_ticket]}`.";
    STATE_TWICE = "TG0252" Error, "state mapped twice",
        "States are compared without regard to case and outer space, and two entries are then the same.",
        "Keep one of them.";
    DEFAULT_DESTINATION = "TG0253" Error, "default destination unclear",
        "Where there are several destinations, exactly one is the default.",
        "Put `default: true` on exactly one.";
    BAD_ID_PATTERN = "TG0254" Error, "bad id_pattern",
        "`id_pattern` is a regular expression that a ticket id is searched for, and this is not one.",
        "Correct it. A prefix is written `\"^IT-\"`.";
    NO_STATES = "TG0255" Warning, "no state map",
        "Without `ticketing.states` no ticket has an `internal_state_code`, and the actions that set a state send the contract's own words (`RESOLVED`), which few ticketing systems understand.",
        "Add `ticketing: {states: {...}}`.";
    STATE_WORDS = "TG0256" Warning, "state that the state map does not know",
        "A mapping writes the words of states out, and they are not those of `ticketing.states`: a ticket gets a state that has no meaning there, a `LOOKUP()` by `data.context.state` has a key that never comes, or none for a state that can be set.",
        "Write the word as it stands in `ticketing.states`, or add it there.";
    WRONG_OUTPUT = "TG0260" Error, "answer without its key",
        "The `output_mapper` builds an object that has neither the key the action answers with nor the fields of a ticket.",
        "Build `{raw_ticket: ...}`, `{raw_tickets: [...]}`, `{comment: ...}` or `{attachment: ...}`, or the bare value.";
    TICKET_FIELD_MISSING = "TG0261" Error, "ticket without a required field",
        "Every ticket has `id`, `state`, `short_description` and `updated_at`; one that lacks any is refused.",
        "Map the field.";
    TICKET_FIELD_UNKNOWN = "TG0262" Warning, "not a field of a ticket",
        "The ticket schema does not know the field of a ticket, of a comment or of an attachment.",
        "Correct the name, or put the value in the ticket's `custom_data`.";
    CANNOT_POLL = "TG0270" Error, "polling without a way to poll",
        "The poller asks with `query_tickets_by_time_range`, and the integration does not define it.",
        "Define the action, or set `polling: {enabled: false}`.";
    POLL_WINDOW = "TG0271" Error, "window too short",
        "A window starts `look_back_seconds` before what is published already, and one in which nothing changed moves that on only to its own end less the look-back. A window that is shorter than twice the look-back would never get on.",
        "Make `max_window_seconds` at least twice `look_back_seconds`, or leave it out.";
    POLL_NUMBER = "TG0272" Warning, "polling number without the effect it looks for",
        "The value is allowed, but together with the others it delays events, or does nothing.",
        "Change it as the message says, or leave it out.";
    POLL_WITHOUT_DESTINATIONS = "TG0273" Error, "by_destination without destinations",
        "`polling.by_destination` makes one stream of each destination, and there are none.",
        "Declare them under `ticketing.destinations`, or leave `by_destination` out.";
    POLL_DESTINATIONS = "TG0274" Warning, "polling and destinations disagree",
        "There are several destinations. Without `polling.by_destination` the query by time range is asked once, with the default destination in its context; with it, once for each.",
        "Set `by_destination: true` where the query reads `data.context.destination`, and leave it out where the query gives the tickets of all.";
    POLL_IGNORED_FIELD = "TG0275" Warning, "ignored field that no ticket has",
        "`polling.ignored_fields` names whole fields of the normalised ticket, and this is none.",
        "Correct the name.";
    POLL_WHOLE_LIST = "TG0276" Warning, "list that a poll reads as a whole",
        "The poller reads one page at a time and goes on with the page token, so that memory stays the same and nothing is lost where time runs out. A list without `paginate.start_from` cannot be gone on with.",
        "Give the list `start_from` and pass the page token on, as the message says.";
    POLL_DESC = "TG0277" Warning, "newest first without an end",
        "With `order: desc` the poller asks for what lies before the last ticket of a page by the end of the range. A query that never reads `updated_end_ts` gives the newest page again; the poller notices and follows the pages, and each window of several pages costs more calls.",
        "Declare `order: feed`, which is read once from the newest change back to where the window begins, or pass `data.context.updated_end_ts` on.";
    BAD_DEFAULT = "TG0280" Error, "default does not fit",
        "The setting's `default` is not a value of its `type`.",
        "Correct the default or the type.";
    TOO_LARGE = "TG0281" Error, "integration too large",
        "The files are larger together than 2 MiB, more than 64, or have more than 100,000 values and keys, aliases followed. Every process that serves the integration would hold many times as much in memory.",
        "Take long tables and generated lists out, and comments and examples that are kept elsewhere.";
    BAD_SETTING_PATTERN = "TG0282" Error, "bad pattern of a setting",
        "A setting's `pattern` is a regular expression that the whole text has to match, and this is not one.",
        "Correct it. Small letters, digits and hyphens are `[a-z0-9-]+`.";
}

/// The text of `docs/lint.md`.
pub fn reference() -> String {
    let mut text = String::from(
        "# What `lint` finds\n\n\
         `ticket-gateway lint PATH` reports everything that can be known about an integration without calling \
         anything, all in one run. An **error** refuses the integration; a **warning** does not. \
         Codes `TG01xx` come from the mapping language and are described in `docs/mapping.md`.\n\n\
         This page is written from the table in `shared/integration/src/rules.rs`; a test keeps it in step.\n",
    );
    for rule in RULES {
        let severity = match rule.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        text.push_str(&format!(
            "\n## {}: {}\n\n*{severity}.* {}\n\n**Fix:** {}\n",
            rule.code, rule.title, rule.meaning, rule.fix
        ));
    }
    text
}
