//! Follows a change of the text or of the form of a connection string in the other.

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};

use super::check::Findings;
use super::form::{EXTERNAL, form_of, other_options, text_of};
use super::parts::{Parts, cleaned};
use super::uri::ConnectionUri;
use super::{ConnectionDraft, ConnectionEdit, ConnectionField, ConnectionForm, LoginKind};

/// Databases of the server's own.
const OWN_DATABASES: [&str; 4] = ["admin", "config", "local", EXTERNAL];

/// Takes over a change of the text or of the form of a connection string: what was changed stays as it was typed,
/// except for secrets, and the other follows it. Says what has to be corrected; for that, the files that the connection
/// string names are read. Nothing is sent.
#[must_use]
pub fn edit_connection(edit: &ConnectionEdit) -> ConnectionDraft {
    match edit {
        ConnectionEdit::Text { uri } => of_text(uri),
        ConnectionEdit::Form { form } => of_form(form),
    }
}

fn of_text(typed: &str) -> ConnectionDraft {
    let typed = cleaned(typed);
    if typed.is_empty() {
        return of_form(&ConnectionForm::default());
    }
    let mut findings = Findings::default();
    let mut split = ConnectionUri::split(typed);
    let form = form_of(&split.shown);
    match &form {
        Some(form) => {
            findings.check_form(form);
            findings.check_text(&split.shown, &split);
            if form.login == LoginKind::Certificate && split.password.take().is_some() {
                let message = "A login with a certificate has no password: the one in the text was left out.";
                findings.warn(ConnectionField::Text, message);
            }
        }
        None if Parts::read(&split.shown).is_some() => {
            findings.problem(
                ConnectionField::Text,
                "The name of the user cannot be read: write special characters as UTF-8 with percent signs, such as \
                 %40 for @.",
            );
        }
        None => {
            findings.problem(
                ConnectionField::Text,
                "A connection string begins with mongodb:// or mongodb+srv://, such as mongodb://ann@db1:27017/.",
            );
        }
    }
    let database = named_database(&split.shown);
    ConnectionDraft { database, ..draft(form, split, findings) }
}

/// The database that a connection string names, if trades may be there. It may be meant for the login alone.
fn named_database(uri: &str) -> Option<String> {
    let named = Parts::read(uri)?.database;
    let named = percent_decode_str(&named).decode_utf8().ok()?.into_owned();
    (!named.is_empty() && !OWN_DATABASES.contains(&named.as_str())).then_some(named)
}

fn of_form(typed: &ConnectionForm) -> ConnectionDraft {
    let mut form = typed.clone();
    let mut findings = Findings::default();
    if let Some(at) = form.hosts.rfind('@') {
        // A whole address was typed or pasted there. What stands before the hosts may be a password.
        let user = form.hosts[..at].rsplit("://").next().unwrap_or_default().to_owned();
        let split = ConnectionUri::split(&format!("mongodb://{user}@db1/"));
        form.hosts = form.hosts[at + 1..].to_owned();
        let shown = form_of(&split.shown).map(|form| form.user).unwrap_or_default();
        if form.user.trim().is_empty() && !shown.is_empty() {
            form.user = shown;
            form.login = LoginKind::Password;
        }
        let followed = of_form(&form);
        let password = split.password.map(|password| password.expose_secret().to_owned());
        return ConnectionDraft { password: followed.password.or(password), ..followed };
    }
    findings.check_form(&form);
    findings.check_other_options(&form);
    // Secrets can be typed into the other options.
    let split = ConnectionUri::split(&text_of(&form));
    let secrets = ConnectionUri::split(&format!("mongodb://db1/?{}", other_options(&form).join("&")));
    let open = secrets.shown.split_once('?').map_or("", |(_, options)| options);
    let has_dropped = other_options(&form).join("&") != form.other_options.trim().trim_start_matches('?');
    if secrets.has_secrets() || secrets.lost_properties || has_dropped {
        form.other_options = open.to_owned();
    }
    findings.check_text(&split.shown, &split);
    draft(Some(form), split, findings)
}

fn draft(form: Option<ConnectionForm>, split: ConnectionUri, mut findings: Findings) -> ConnectionDraft {
    if split.lost_properties {
        let message = "authMechanismProperties was left out: no login that Tidemark supports needs it.";
        findings.warn(ConnectionField::Text, message);
    }
    let plain = |secret: Option<SecretString>| secret.map(|secret| secret.expose_secret().to_owned());
    ConnectionDraft {
        uri: split.shown,
        form,
        database: None,
        password: plain(split.password),
        passphrase: plain(split.passphrase),
        proxy_password: plain(split.proxy_password),
        problems: findings.problems,
        warnings: findings.warnings,
    }
}
