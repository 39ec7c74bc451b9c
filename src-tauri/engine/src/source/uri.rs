//! The text of a connection string: inserting the password, and explaining what is wrong with an unreadable string
//! without quoting any secret.

use mongodb::error::Error;
use mongodb::options::ConnectionString;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::error::reason;
use crate::failure::{Code, Failure};
use crate::secret::{may_hold_password, password_place, shown_option};

/// Inserts a password into a connection string that names a user but no password.
pub(super) fn with_password(uri: &str, password: Option<&str>) -> String {
    let Some(password) = password else { return uri.to_owned() };
    let Some(start) = uri.find("://").map(|at| at + 3) else { return uri.to_owned() };
    let end = uri[start..].find(['/', '?']).map_or(uri.len(), |at| start + at);
    let Some(sign) = uri[start..end].rfind('@').map(|at| start + at) else { return uri.to_owned() };
    if uri[start..sign].contains(':') {
        return uri.to_owned();
    }
    format!("{}:{}{}", &uri[..sign], utf8_percent_encode(password, NON_ALPHANUMERIC), &uri[sign..])
}

/// Parses a connection string. A missing password is not an error, since the user's name belongs to the identity.
/// Some authentication mechanisms cannot be parsed without a password, others not with one, so both are tried.
///
/// # Errors
/// `bad_source`, with the part that cannot be used.
pub(super) fn parse(uri: &str) -> Result<ConnectionString, Failure> {
    let parsed = ConnectionString::parse(uri);
    parsed.or_else(|error| ConnectionString::parse(with_placeholder(uri)).map_err(|_| refusal(uri, &error)))
}

fn with_placeholder(uri: &str) -> String {
    with_password(uri, Some("none"))
}

fn is_readable(uri: &str) -> bool {
    ConnectionString::parse(uri).is_ok() || ConnectionString::parse(with_placeholder(uri)).is_ok()
}

/// The failure for an option, with its value unless that is a secret.
pub(super) fn option_failure(option: &str, why: impl std::fmt::Display) -> Failure {
    let message = format!("The connection string's option {} cannot be used.", shown_option(option));
    Failure::new(Code::BadSource, message)
        .advise("Correct the option in the connection string, or leave it out.")
        .because(why)
}

/// Explains what is wrong with a connection string that the driver cannot read.
fn refusal(uri: &str, error: &Error) -> Failure {
    let Some((scheme, rest)) = uri.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) else {
        let message = "The connection string begins with neither mongodb:// nor mongodb+srv://.";
        return Failure::new(Code::BadSource, message).advise(EXAMPLES);
    };
    if let Some((before, options)) = rest.split_once('?')
        && let Some((option, why)) = culprit(&format!("{scheme}://{before}"), options, &reason(error))
        // A password that contains a question mark can be mistaken for options.
        && !may_hold_password(rest, option)
    {
        return option_failure(option, why);
    }
    let words = match without_password(&reason(error), rest) {
        Some(words) => words,
        None if rest.contains('@') => "the part after the user name cannot be read; \
             special characters in a password must be percent-encoded, such as %40 for @"
            .to_owned(),
        None => match number_in_place_of_port(rest) {
            Some(number) => format!("{number} is not a port, which is a number from 1 to 65535"),
            None => "the text after the first colon is neither a port nor a password".to_owned(),
        },
    };
    Failure::new(Code::BadSource, "The connection string cannot be read.").advise(EXAMPLES).because(words)
}

/// The number after the first colon if there is no user before it, so that it can only be a port.
fn number_in_place_of_port(rest: &str) -> Option<&str> {
    let hosts = rest.split(['/', '?', ',']).next()?;
    let (_, number) = hosts.split_once(':')?;
    (!rest.contains('@') && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        .then_some(number)
}

const EXAMPLES: &str =
    "A connection string looks like mongodb://user@host:27017/ or mongodb+srv://user@cluster.";

fn is_scheme(text: &str) -> bool {
    matches!(text, "mongodb" | "mongodb+srv")
}

/// The option that makes a connection string unreadable, and why, given the driver's reason.
fn culprit<'a>(before: &str, options: &'a str, reason_given: &str) -> Option<(&'a str, String)> {
    if !is_readable(before) {
        return None;
    }
    let all: Vec<&str> = options.split('&').collect();
    let without = |left_out: usize| {
        let kept = all.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, option)| *option);
        format!("{before}?{}", kept.collect::<Vec<_>>().join("&"))
    };
    if let Some(only) = (0..all.len()).find(|at| is_readable(&without(*at))) {
        return Some((all[only], reason_given.to_owned()));
    }
    // More than one option is wrong. The driver's reason belongs to one of them, which it usually names; an option
    // that is merely invalid on its own may need another one that is there.
    let reason_alone = |option: &str| {
        let uri = format!("mongodb://host/?{option}");
        if is_readable(&uri) { None } else { ConnectionString::parse(uri).err().map(|error| reason(&error)) }
    };
    let words = reason_given.to_lowercase();
    let is_named = |option: &str| {
        let name = option.split('=').next().unwrap_or_default().to_lowercase();
        !name.is_empty() && words.contains(&name)
    };
    let mut wrong = all.iter().filter_map(|option| Some((*option, reason_alone(option)?)));
    let first = wrong.next()?;
    if is_named(first.0) { Some(first) } else { wrong.find(|(option, _)| is_named(option)).or(Some(first)) }
}

/// The driver's message about an unreadable connection string, unless it quotes what may be part of the password.
fn without_password(words: &str, rest: &str) -> Option<String> {
    let secret = password_place(rest).map_or("", |place| &rest[place]);
    let mut parts = secret.split(|c: char| "@:/?#[]&=,".contains(c) || c.is_whitespace());
    let is_quoted = parts.any(|part| !part.is_empty() && words.contains(part));
    (!is_quoted).then(|| words.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_goes_where_the_user_is() {
        assert_eq!(with_password("mongodb://ann@db1/x", Some("p@ss/1")), "mongodb://ann:p%40ss%2F1@db1/x");
        assert_eq!(with_password("mongodb://ann:own@db1/x", Some("other")), "mongodb://ann:own@db1/x");
        assert_eq!(with_password("mongodb://db1/x", Some("other")), "mongodb://db1/x");
    }

    #[test]
    fn the_driver_quotes_no_password() {
        for uri in [
            "mongodb://ann:s3cret",
            "mongodb://ann:s3cret/x@db1",
            "mongodb://ann:s3cret:x@db1:x/",
            "mongodb://ann:s3cret?x@db1/",
            "mongodb://ann:123?s3cret@db1/",
            "mongodb://ann:123?x=s3cret@db1/",
            "mongodb://ann:123?s3cret=x@db1/",
            "mongodb://ann:s3cret&tls=x@db1/?tls=maybe",
            "mongodb://ann:p@s3cret@db1:27017/?tls=maybe",
            "mongodb://db1/?tlsCertificateKeyFilePassword=s3cret&tls=false",
        ] {
            let failure = parse(uri).expect_err("not a connection string");
            assert_eq!(failure.code, Code::BadSource);
            assert!(!format!("{failure:?}").contains("s3cret"), "{failure:?}");
        }
        let words = "invalid port: x";
        assert_eq!(without_password(words, "ann:s3cret@db1:x/").as_deref(), Some(words));
    }

    /// The option that is named and the reason that is given belong together.
    #[test]
    fn of_two_wrong_options_one_is_named_with_its_own_reason() {
        for (options, named, why) in [
            (
                "proxyPassword=s3cret&serverSelectionTimeoutMS=x",
                "serverSelectionTimeoutMS=x",
                "serverselectiontimeoutms",
            ),
            ("maxPoolSize=many&proxyPassword=s3cret", "maxPoolSize=many", "maxpoolsize"),
            ("tls=maybe&maxPoolSize=many", "tls=maybe", "tls"),
        ] {
            let failure =
                parse(&format!("mongodb://db1/?{options}")).expect_err("options that cannot be used");
            assert!(failure.message.contains(named), "{options}: {failure:?}");
            let cause = failure.cause.as_deref().unwrap_or_default().to_lowercase();
            assert!(cause.contains(why) && !cause.contains("proxy"), "{options}: {failure:?}");
            assert!(!format!("{failure:?}").contains("s3cret"), "{failure:?}");
        }
    }

    /// Ports and option names are not secrets.
    #[test]
    fn what_is_wrong_is_named() {
        for (uri, named) in [
            ("mongodb://db1:27017/?tls=maybe", "tls=maybe"),
            ("mongodb://db1:27017,db2:27018/?tls=true&readPreference=closest", "readPreference=closest"),
            ("mongodb://ann:s3cret@db1:27017/?maxPoolSize=many", "maxPoolSize=many"),
            ("mongodb://db1:27017/?appName=a@b&zlibCompressionLevel=99", "zlibCompressionLevel=99"),
            ("mongodb://[::1]:27017/?retryReads=perhaps", "retryReads=perhaps"),
            ("mongodb://db1:27017/?tls=maybe&maxPoolSize=many", "tls=maybe"),
            ("mongodb://db1:27017/?replicaSet", "replicaSet"),
            ("mongodb://db1:27017/?proxyPassword=s3cret", "proxyPassword=***"),
            ("mongodb://db1:27017/?authMechanism=NONE", "authMechanism=NONE"),
        ] {
            let failure = parse(uri).expect_err("an option that cannot be used");
            assert!(failure.message.contains(named), "{uri}: {failure:?}");
            assert!(!format!("{failure:?}").contains("s3cret"), "{failure:?}");
        }
        let failure = parse("http://db1/").expect_err("another scheme");
        assert!(failure.message.contains("mongodb://"), "{failure:?}");
        let failure = parse("mongodb://db1:27017,db2:x/").expect_err("no port");
        assert!(failure.cause.is_some_and(|cause| cause.contains("port")), "it gives the reason");
    }
}
