//! Keeps passwords out of what is shown: known passwords wherever they occur, and any others at their place in a
//! connection string.

use std::ops::Range;
use std::sync::{PoisonError, RwLock};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The replacement of a secret.
const REDACTED: &str = "***";
/// Shorter secrets are not searched for on their own: that would redact half of every sentence.
const SHORTEST: usize = 4;
/// Options of a connection string that are secrets.
const SECRET_OPTIONS: [&str; 3] =
    ["tlscertificatekeyfilepassword", "proxypassword", "authmechanismproperties"];
/// Options whose values may contain an `@`: names, and paths of files.
const OPTIONS_WITH_AT: [&str; 8] = [
    "appname",
    "authmechanismproperties",
    "authsource",
    "proxypassword",
    "proxyusername",
    "tlscafile",
    "tlscertificatekeyfile",
    "tlscertificatekeyfilepassword",
];
/// What a URI need not escape.
pub(crate) const UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Whether the value of an option of a connection string is a secret.
#[must_use]
pub fn is_secret_option(name: &str) -> bool {
    SECRET_OPTIONS.contains(&name.to_ascii_lowercase().as_str())
}

/// Spellings of the secrets of all sources in use, once per source. They are global because the driver's errors do
/// not say to which source they belong, and a panic belongs to none.
static KNOWN: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// The secrets of one source. They are redacted in every text while this guard lives.
pub(crate) struct SecretGuard(Vec<String>);

impl SecretGuard {
    /// Registers the secrets of a connection string, and a password that is stored separately.
    pub(crate) fn of(uri: &str, password: Option<&str>) -> Self {
        let mut secrets = secrets_of(uri);
        secrets.extend(password.map(str::to_owned));
        let mut spellings: Vec<String> = secrets.iter().flat_map(|secret| spellings(secret)).collect();
        spellings.retain(|spelling| spelling.chars().count() >= SHORTEST);
        spellings.sort();
        spellings.dedup();
        KNOWN.write().unwrap_or_else(PoisonError::into_inner).extend(spellings.iter().cloned());
        Self(spellings)
    }
}

impl Drop for SecretGuard {
    fn drop(&mut self) {
        let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
        for spelling in &self.0 {
            if let Some(place) = known.iter().position(|one| one == spelling) {
                known.swap_remove(place);
            }
        }
    }
}

/// Redacts the secrets of the sources in use in a text, and whatever is at the place of a secret in a connection
/// string.
#[must_use]
pub fn redact(text: &str) -> String {
    let mut known = KNOWN.read().unwrap_or_else(PoisonError::into_inner).clone();
    // The longest first: one password may begin with a different one.
    known.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
    let text = known.iter().fold(text.to_owned(), |text, spelling| without(&text, spelling));

    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        out.push_str(head);
        // The end of the connection string is a guess. A password may contain an unescaped slash, so the last `@`
        // before that end counts.
        let end = tail.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(tail.len());
        out.push_str(&without_secrets(&tail[..end]));
        rest = &tail[end..];
    }
    out.push_str(rest);
    out
}

/// Redacts a secret in a text, ignoring case: the driver writes the values of some options in lower case.
fn without(text: &str, secret: &str) -> String {
    let (lower, sought) = (text.to_ascii_lowercase(), secret.to_ascii_lowercase());
    let mut out = String::with_capacity(text.len());
    let mut kept = 0;
    for (at, _) in lower.match_indices(&sought) {
        out.push_str(&text[kept..at]);
        out.push_str(REDACTED);
        kept = at + sought.len();
    }
    out.push_str(&text[kept..]);
    out
}

/// A connection string as it may be shown. If it is not clear what is secret, more is redacted.
#[must_use]
pub fn shown(uri: &str) -> String {
    match uri.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", without_secrets(rest)),
        None => REDACTED.to_owned(),
    }
}

/// Whether a connection string contains a secret, such as a password.
#[must_use]
pub fn holds_secret(uri: &str) -> bool {
    uri.split_once("://").is_some_and(|(_, rest)| without_secrets(rest) != rest)
}

/// Redacts the secrets in what follows the scheme.
fn without_secrets(rest: &str) -> String {
    let mut out = rest.to_owned();
    // From the end, so that the earlier positions stay valid.
    for place in option_places(rest).into_iter().rev() {
        out.replace_range(place, REDACTED);
    }
    if let Some(end) = user_end(&out)
        && let Some((user, _)) = out[..end].split_once(':')
    {
        return format!("{user}:{REDACTED}{}", &out[end..]);
    }
    out
}

/// Where the user and the password end: at the last `@`, since a password may contain an unescaped slash or question
/// mark. An `@` belongs to an option only if the connection string is well-formed under that reading.
pub(crate) fn user_end(rest: &str) -> Option<usize> {
    let last = rest.rfind('@')?;
    let Some((before, options)) = rest.split_once('?').filter(|(before, _)| before.len() < last) else {
        return Some(last);
    };
    let may_have_one =
        |option: &str| !option.contains('@') || may_contain_at(option.split('=').next().unwrap_or_default());
    if is_sound(before) && options.split('&').all(may_have_one) { before.rfind('@') } else { Some(last) }
}

/// Whether the value of an option may contain an unescaped `@`.
pub(crate) fn may_contain_at(name: &str) -> bool {
    OPTIONS_WITH_AT.contains(&name.to_ascii_lowercase().as_str())
}

/// Whether the part before the options consists of an optional user, hosts with or without ports, and at most a
/// database.
fn is_sound(before: &str) -> bool {
    let (authority, database) = before.split_once('/').unwrap_or((before, ""));
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let is_host = |host: &str| {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
            _ => (host, None),
        };
        let is_name = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            Some(address) => address.chars().all(|c| c.is_ascii_hexdigit() || ":.%".contains(c)),
            None => name.chars().all(|c| c.is_alphanumeric() || "-._%".contains(c)),
        };
        is_name && !name.is_empty() && port.is_none_or(|port| port.parse::<u16>().is_ok())
    };
    hosts.split(',').all(is_host) && !database.contains(['@', ':', '/'])
}

/// Where there may be a password in what follows the scheme. Without an `@`, whatever follows the first colon is
/// taken for one, unless it is a port.
pub(crate) fn password_place(rest: &str) -> Option<Range<usize>> {
    let end = match user_end(rest) {
        Some(end) => end,
        None if is_sound(rest.split('?').next().unwrap_or_default()) => return None,
        None => rest.len(),
    };
    rest[..end].find(':').map(|colon| colon + 1..end)
}

/// Whether what looks like an option may be part of a password that contains a question mark.
pub(crate) fn may_hold_password(rest: &str, option: &str) -> bool {
    let Some(password) = password_place(rest).map(|place| &rest[place]) else { return false };
    let Some((_, options)) = password.split_once('?') else { return false };
    options.split('&').any(|part| !part.is_empty() && option.starts_with(part))
}

/// An option as it may be shown: without its value if that is a secret, and no longer than a line.
pub(crate) fn shown_option(option: &str) -> String {
    const LONGEST: usize = 80;
    let (name, value) = option.split_once('=').unwrap_or((option, ""));
    if is_secret_option(name) && !value.is_empty() {
        return format!("{name}={REDACTED}");
    }
    match option.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &option[..end]),
        None => option.to_owned(),
    }
}

/// The secrets that a connection string may contain, as they are written. With more than one `@` it is not clear
/// where the password ends, so each of them is taken for its end.
fn secrets_of(uri: &str) -> Vec<String> {
    let Some((_, rest)) = uri.split_once("://") else { return Vec::new() };
    let mut found: Vec<String> =
        option_places(rest).into_iter().map(|place| rest[place].to_owned()).collect();
    if let Some((_, after)) = rest.split_once(':').filter(|_| password_place(rest).is_some()) {
        found.extend(after.match_indices('@').map(|(end, _)| after[..end].to_owned()));
    }
    found
}

/// The positions of the values of secret options.
fn option_places(rest: &str) -> Vec<Range<usize>> {
    let starts = rest.match_indices(['?', '&']).map(|(at, _)| at + 1);
    starts
        .filter_map(|start| {
            let end = rest[start..].find('&').map_or(rest.len(), |end| start + end);
            let (name, value) = rest[start..end].split_once('=')?;
            let is_secret = is_secret_option(name);
            (is_secret && !value.is_empty()).then_some(end - value.len()..end)
        })
        .collect()
}

/// The ways in which a secret may be written: as it is, percent-encoded in several ways, and quoted.
fn spellings(secret: &str) -> Vec<String> {
    let plain = percent_decode_str(secret).decode_utf8_lossy().into_owned();
    let mut all = vec![secret.to_owned()];
    for text in [secret, plain.as_str()] {
        for set in [NON_ALPHANUMERIC, UNRESERVED] {
            let escaped = utf8_percent_encode(text, set).to_string();
            all.extend([lower_escapes(&escaped), escaped]);
        }
        all.push(text.escape_debug().to_string());
        let json = serde_json::Value::from(text).to_string();
        all.push(json[1..json.len() - 1].to_owned());
    }
    all.push(plain);
    all
}

/// Writes percent escapes in lower case: `%2f` for `%2F`.
fn lower_escapes(escaped: &str) -> String {
    let mut parts = escaped.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // Two hex digits follow every `%`, since a `%` in the text itself is escaped.
        let (digits, rest) = part.split_at(2);
        out.push('%');
        out.push_str(&digits.to_ascii_lowercase());
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_never_survives() {
        let shown = redact("cannot reach mongodb://ann:s3/cr@t@db1:27017,db2/x?tls=true now");
        assert_eq!(shown, "cannot reach mongodb://ann:***@db1:27017,db2/x?tls=true now");
        assert_eq!(redact("mongodb://db1/x"), "mongodb://db1/x");
        assert_eq!(
            redact("mongodb://db1/?proxyPassword=s3cret&tls=true and more"),
            "mongodb://db1/?proxyPassword=***&tls=true and more"
        );
    }

    #[test]
    fn a_known_secret_is_blotted_out_wherever_it_stands() {
        let secret = "kn0wn \"s/crét@1";
        let texts = [
            secret.to_owned(),
            format!("mongodb://ann:{secret}@db1/"),
            format!("{secret:?}"),
            format!("{:?}", format!("{secret:?}")).replace("\\\\\\\"", "\\\""),
            serde_json::Value::from(secret).to_string(),
            "kn0wn%20%22s%2Fcr%C3%A9t%401".to_owned(),
            "kn0wn%20%22s%2fcr%c3%a9t%401".to_owned(),
        ];
        let escaped = "mongodb://ann:kn0wn%20%22s%2Fcr%C3%A9t%401@db1/?appName=a@b";
        for (uri, password) in [
            ("mongodb://ann@db1/", Some(secret)),
            (escaped, None),
            (&*format!("mongodb://ann:{secret}@db1/"), None),
            (&*format!("mongodb://db1/?tlsCertificateKeyFilePassword={secret}"), None),
        ] {
            let kept = SecretGuard::of(uri, password);
            for text in &texts {
                let shown = redact(&format!("before {text} after"));
                assert!(!shown.contains("kn0wn") && !shown.contains("cr"), "{uri}: {shown}");
                assert!(shown.starts_with("before ") && shown.ends_with(" after"), "{shown}");
            }
            drop(kept);
            assert!(redact(secret).contains("kn0wn"), "it is forgotten with its source");
        }
    }

    #[test]
    fn the_secret_of_one_source_outlives_another_with_the_same() {
        let first = SecretGuard::of("mongodb://ann:tw1ce-used@db1/", None);
        let second = SecretGuard::of("mongodb://ann:tw1ce-used@db2/", None);
        drop(first);
        assert_eq!(redact("it is tw1ce-used here"), "it is *** here");
        drop(second);
        assert_eq!(redact("it is tw1ce-used here"), "it is tw1ce-used here");
    }

    #[test]
    fn a_connection_string_with_a_secret_is_known() {
        for (uri, holds) in [
            ("mongodb://ann:s3cret@db1/", true),
            ("mongodb://ann:s3/cret@db1/", true),
            ("mongodb://db1/?proxyPassword=x", true),
            ("mongodb://ann@db1:27017/?tls=true", false),
            ("mongodb://db1:27017,db2:27018/", false),
            ("mongodb://db1:27017/?appName=desk@london", false),
            ("mongodb://ann:s3cret?appName=x@db1/", true),
        ] {
            assert_eq!(holds_secret(uri), holds, "{uri}");
        }
    }

    #[test]
    fn a_short_password_leaves_sentences_readable() {
        let _kept = SecretGuard::of("mongodb://ann:a@db1/", Some("b"));
        assert_eq!(redact("cannot reach mongodb://ann:a@db1/"), "cannot reach mongodb://ann:***@db1/");
    }

    #[test]
    fn a_connection_string_is_shown_without_its_secrets() {
        let cases = [
            ("mongodb://ann:a b\"c/d?e@f@db1/x?tls=true", "mongodb://ann:***@db1/x?tls=true"),
            ("mongodb+srv://ann@cluster/", "mongodb+srv://ann@cluster/"),
            ("mongodb://db1/?tls=true&PROXYPASSWORD=a b", "mongodb://db1/?tls=true&PROXYPASSWORD=***"),
            ("ann:s3cret@db1", "***"),
            ("mongodb://db1:27017/?appName=a@b&tls=true", "mongodb://db1:27017/?appName=a@b&tls=true"),
            ("mongodb://ann:s3cret@[::1]:27017/?appName=a@b", "mongodb://ann:***@[::1]:27017/?appName=a@b"),
            ("mongodb://ann:12?x=3@db1/", "mongodb://ann:***@db1/"),
        ];
        for (uri, expected) in cases {
            assert_eq!(shown(uri), expected, "{uri}");
        }
    }
}
