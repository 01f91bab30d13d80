//! A file of `curl` lines, read as a shell and `curl` read them.

use super::secret::Found;
use crate::failure::Failure;

/// What one line asks for.
#[derive(Debug, Default)]
pub(super) struct Request {
    /// The line of the file that it begins on.
    pub(super) line: usize,
    pub(super) method: String,
    /// `https://desk.example.com`; `None` where a variable of the shell stands for it.
    pub(super) origin: Option<String>,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    /// What `-u`, or a user in the URL, says of how the request is signed.
    pub(super) user: Option<Found>,
    pub(super) data: Data,
    /// Options that do not carry over.
    pub(super) remarks: Vec<String>,
}

/// What is sent in the body.
#[derive(Debug, Default)]
pub(super) enum Data {
    #[default]
    None,
    Text(String),
    /// A file's bytes.
    File,
    /// The parts of a form.
    Parts(Vec<Part>),
}

/// One part of a form.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) is_file: bool,
    /// Its `;type=`.
    pub(super) content_type: Option<String>,
}

impl Part {
    /// `name=content;type=application/json`, as `-F` takes it; `--form-string` takes all of it as text.
    fn of(text: &str, is_plain: bool) -> Self {
        let (name, content) = text.split_once('=').unwrap_or((text, ""));
        let content_type = content
            .split(';')
            .skip(1)
            .find_map(|said| said.trim().strip_prefix("type="))
            .filter(|kind| !is_plain && kind.contains('/'))
            .map(|kind| kind.trim().to_owned());
        Self {
            name: name.to_owned(),
            is_file: !is_plain && content.starts_with(['@', '<']),
            content_type,
        }
    }
}

impl Request {
    pub(super) fn content_type(&self) -> Option<&str> {
        self.headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
            .map(|(_, value)| value.split(';').next().unwrap_or(value).trim())
    }

    /// The path without what is an id, for the name.
    pub(super) fn path_words(&self) -> String {
        let segments: Vec<&str> = self
            .path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect();
        let before = std::iter::once("").chain(segments.iter().copied());
        let words: Vec<&str> = before
            .zip(&segments)
            .filter(|(before, segment)| !super::is_id(before, segment))
            .map(|(_, segment)| *segment)
            .collect();
        format!("/{}", words.join("/").replace(".json", ""))
    }
}

/// Options with a value that say nothing about the request.
const IGNORED_WITH_VALUE: &[&str] = &[
    "-o",
    "--output",
    "-A",
    "--user-agent",
    "-e",
    "--referer",
    "-c",
    "--cookie-jar",
    "-m",
    "--max-time",
    "--connect-timeout",
    "-w",
    "--write-out",
    "--cacert",
    "--capath",
    "--retry",
    "--retry-delay",
    "--retry-max-time",
    "--resolve",
    "--interface",
    "-D",
    "--dump-header",
    "--limit-rate",
    "-y",
    "-Y",
    "-C",
    "--max-redirs",
    "--noproxy",
    "--ciphers",
    "--tls-max",
    "-K",
    "--config",
    "--connect-to",
    "--dns-servers",
    "-P",
    "-Q",
    "-t",
    "-z",
    "-r",
    "--range",
    "--stderr",
    "--trace",
    "--trace-ascii",
];
/// Options with a value that cannot be said in an integration.
const UNKNOWN_WITH_VALUE: &[&str] = &[
    "-E",
    "--cert",
    "--key",
    "-x",
    "--proxy",
    "-b",
    "--cookie",
    "--aws-sigv4",
    "--proxy-user",
    "-U",
    "--oauth2-bearer",
];

/// Every `curl` of the file. Empty lines and comments are passed over.
pub(super) fn read(name: &str, text: &str) -> Result<Vec<Request>, Failure> {
    let mut requests = Vec::new();
    let mut waiting = String::new();
    let mut begun = 0;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_end_matches('\r');
        if waiting.is_empty() {
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            begun = index + 1;
        }
        waiting.push_str(line);
        waiting.push('\n');
        // A quote that is open, or a backslash at the end: the line goes on.
        let goes_on = line.ends_with('\\') && !line.ends_with("\\\\");
        if goes_on {
            // Where no quote is open the shell takes both away; here they would make an empty word.
            let so_far = waiting.trim_end_matches('\n').trim_end_matches('\\');
            if shlex::split(&plain_quotes(so_far)).is_some() {
                waiting.truncate(so_far.len());
                waiting.push(' ');
            }
            continue;
        }
        if let Some(words) = shlex::split(&plain_quotes(&waiting)) {
            requests.extend(commands(name, begun, &words)?);
            waiting.clear();
        }
    }
    if !waiting.trim().is_empty() {
        let Some(words) = shlex::split(&plain_quotes(waiting.trim_end().trim_end_matches('\\'))) else {
            return Err(Failure::failed(format!(
                "{name}, line {begun}: a quote is opened and not closed"
            )));
        };
        requests.extend(commands(name, begun, &words)?);
    }
    Ok(requests)
}

/// `$'...'` of bash, which browsers write where a text has a quote in it, as a plain quoted text.
fn plain_quotes(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("$'") {
        // Between other quotes it is no quote of its own.
        let open = before.matches('"').count() % 2 == 1;
        plain.push_str(before);
        if open {
            plain.push_str("$'");
            rest = after;
            continue;
        }
        let mut inner = String::new();
        let mut letters = after.char_indices();
        let mut end = after.len();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\'' => {
                    end = at + 1;
                    break;
                }
                '\\' => match letters.next().map(|(_, next)| next) {
                    Some('n') => inner.push('\n'),
                    Some('t') => inner.push('\t'),
                    Some('r') => inner.push('\r'),
                    Some('u') => {
                        let code: String = letters.by_ref().take(4).map(|(_, digit)| digit).collect();
                        let letter = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
                        inner.push(letter.unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    Some(next) => inner.push(next),
                    None => {}
                },
                letter => inner.push(letter),
            }
        }
        plain.push('\'');
        plain.push_str(&inner.replace('\'', "'\\''"));
        plain.push('\'');
        rest = after.get(end..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

/// The commands of one line: `curl ... | jq`, `curl ... ; curl ...`.
fn commands(name: &str, line: usize, words: &[String]) -> Result<Vec<Request>, Failure> {
    let mut requests = Vec::new();
    for words in words.split(|word| ["|", ";", "&&", "||"].contains(&word.as_str())) {
        // `TOKEN=x curl ...`, `time curl ...`
        let Some(at) = words
            .iter()
            .position(|word| word == "curl" || word.ends_with("/curl"))
        else {
            continue;
        };
        let arguments = words.get(at + 1..).unwrap_or_default();
        requests.push(request(name, line, arguments)?);
    }
    Ok(requests)
}

#[derive(Default)]
struct Options {
    method: Option<String>,
    url: Option<String>,
    data: Vec<String>,
    file: bool,
    parts: Vec<Part>,
    in_query: bool,
    head: bool,
    upload: bool,
}

fn request(name: &str, line: usize, arguments: &[String]) -> Result<Request, Failure> {
    let mut request = Request {
        line,
        ..Request::default()
    };
    let mut options = Options::default();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let (option, attached) = divided(argument);
        let mut value = || {
            attached
                .clone()
                .or_else(|| arguments.next().cloned())
                .unwrap_or_default()
        };
        match option.as_str() {
            "-X" | "--request" => options.method = Some(value().to_uppercase()),
            "-H" | "--header" => {
                let header = value();
                if let Some((name, value)) = header.split_once(':') {
                    request
                        .headers
                        .push((name.trim().to_owned(), value.trim().to_owned()));
                }
            }
            "-d" | "--data" | "--data-ascii" | "--data-binary" => {
                let text = value();
                options.file |= text.starts_with('@');
                options.data.push(text);
            }
            "--data-raw" => options.data.push(value()),
            "--json" => {
                options.data.push(value());
                request
                    .headers
                    .push(("Content-Type".to_owned(), "application/json".to_owned()));
            }
            "--data-urlencode" => options.data.push(url_encoded(&value())),
            "-F" | "--form" | "--form-string" => {
                options.parts.push(Part::of(&value(), option == "--form-string"));
            }
            "-u" | "--user" => {
                request.user = Some(Found::of_user(&value()));
            }
            "-T" | "--upload-file" => {
                let _ = value();
                options.upload = true;
            }
            "--url" => options.url = Some(value()),
            "-G" | "--get" => options.in_query = true,
            "-I" | "--head" => options.head = true,
            "--oauth2-bearer" => {
                let _ = value();
                request
                    .headers
                    .push(("Authorization".to_owned(), "Bearer x".to_owned()));
            }
            "-b" | "--cookie" => {
                let _ = value();
                request.headers.push(("Cookie".to_owned(), String::new()));
            }
            known if IGNORED_WITH_VALUE.contains(&known) => {
                let _ = value();
            }
            known if UNKNOWN_WITH_VALUE.contains(&known) => {
                let _ = value();
                request.remarks.push(format!(
                    "{known} cannot be said in an integration and was left out"
                ));
            }
            other if other.starts_with('-') && other.len() > 1 => {}
            _ => {
                if options.url.is_none() {
                    options.url = Some(argument.clone());
                }
            }
        }
    }
    complete(name, request, options)
}

/// An option and the value that is written into the same word: `-XPOST`, `-sSXPOST`.
fn divided(argument: &str) -> (String, Option<String>) {
    if argument.starts_with("--") || !argument.starts_with('-') {
        return (argument.to_owned(), None);
    }
    let takes_value = "XHdFuoAecmwDbETxUKCQtzrPyY";
    for (at, letter) in argument.char_indices().skip(1) {
        if takes_value.contains(letter) {
            let rest = argument.get(at + letter.len_utf8()..).unwrap_or_default();
            return (format!("-{letter}"), (!rest.is_empty()).then(|| rest.to_owned()));
        }
        if letter == 'G' || letter == 'I' {
            return (format!("-{letter}"), None);
        }
    }
    (argument.to_owned(), None)
}

fn complete(name: &str, mut request: Request, options: Options) -> Result<Request, Failure> {
    let line = request.line;
    let Some(url) = options.url else {
        return Err(Failure::failed(format!("{name}, line {line}: there is no URL"))
            .help("a URL with `&` in it stands between quotes"));
    };
    address(&mut request, &url);
    let has_body = !options.data.is_empty() || !options.parts.is_empty();
    if options.in_query {
        for pair in options.data.join("&").split('&').filter(|pair| !pair.is_empty()) {
            request.query.push(pair_of(pair));
        }
    } else if !options.parts.is_empty() {
        request.data = Data::Parts(options.parts);
    } else if options.upload || (options.file && options.data.len() == 1) {
        request.data = Data::File;
    } else if !options.data.is_empty() {
        request.data = Data::Text(options.data.join("&"));
    }
    let default = if options.head {
        "HEAD"
    } else if options.upload {
        "PUT"
    } else if has_body && !options.in_query {
        "POST"
    } else {
        "GET"
    };
    request.method = options.method.unwrap_or_else(|| default.to_owned());
    if !["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].contains(&request.method.as_str()) {
        return Err(Failure::failed(format!(
            "{name}, line {line}: the method {} is none of GET, HEAD, POST, PUT, PATCH and DELETE",
            request.method
        )));
    }
    if ["GET", "HEAD"].contains(&request.method.as_str()) && !matches!(request.data, Data::None) {
        request.remarks.push("the body of a GET was left out".to_owned());
        request.data = Data::None;
    }
    Ok(request)
}

/// Divides a URL. Of a user and password in it only the kind is kept.
fn address(request: &mut Request, url: &str) {
    // Between quotes a shell leaves `\[` and `\&` as they are; no URL has a backslash.
    let url = url.replace('\\', "");
    let url = url.split('#').next().unwrap_or(&url);
    let (before, query) = url.split_once('?').unwrap_or((url, ""));
    request.query = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(pair_of)
        .collect();
    let (scheme, rest) = match before.split_once("://") {
        Some((scheme, rest)) => (scheme.to_lowercase(), rest),
        None => (String::new(), before),
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = match host.rsplit_once('@') {
        Some((user, host)) => {
            request.user = Some(Found::of_user(&url_decoded(user)));
            host
        }
        None => host,
    };
    request.path = format!("/{path}");
    let real = !host.is_empty()
        && host
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || ".-:[]".contains(letter));
    // curl takes http where no scheme stands; nobody means that.
    let scheme = if scheme == "http" { "http" } else { "https" };
    request.origin = real.then(|| format!("{scheme}://{}", host.to_lowercase()));
}

fn pair_of(pair: &str) -> (String, String) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    (url_decoded(name), url_decoded(value))
}

/// Percent-encoding taken off; `+` is a space.
pub(super) fn url_decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced)
        .decode_utf8_lossy()
        .into_owned()
}

/// `name=content` of `--data-urlencode`, with the content encoded.
fn url_encoded(text: &str) -> String {
    let (name, content) = text.split_once('=').unwrap_or(("", text));
    let content = percent_encoding::utf8_percent_encode(content, percent_encoding::NON_ALPHANUMERIC);
    if name.is_empty() {
        content.to_string()
    } else {
        format!("{name}={content}")
    }
}

/// Headers that a browser or `curl` sends of itself.
pub(super) fn is_a_client_s(name: &str) -> bool {
    name.starts_with("sec-")
        || name.starts_with("x-amz-")
        || [
            "host",
            "user-agent",
            "content-length",
            "connection",
            "accept-encoding",
            "accept-language",
            "origin",
            "referer",
            "dnt",
            "pragma",
            "cache-control",
            "priority",
            "upgrade-insecure-requests",
            "transfer-encoding",
            "te",
            "expect",
            "x-requested-with",
        ]
        .contains(&name)
}
