//! What has to be corrected in a connection string, and what should be known about it.

use std::fs;
use std::path::Path;

use secrecy::SecretString;

use super::form::{EXTERNAL, field_of, hosts, is_socket, milliseconds, other_options, seconds_of};
use super::parts::{Parts, option_name};
use super::uri::ConnectionUri;
use super::{ConnectionField, ConnectionForm, FieldNote, LoginKind};
use crate::answer::note::Note;
use crate::failure::Failure;
use crate::source::{check_authority, check_own, check_uri, is_key_encrypted};

const WITHOUT_TLS: &str =
    "Without TLS, anyone on the network between this computer and the server can read the traffic.";

/// The notes about one connection string, at most one problem per field.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) problems: Vec<FieldNote>,
    pub(super) warnings: Vec<FieldNote>,
}

impl Findings {
    pub(super) fn problem(&mut self, field: ConnectionField, message: impl Into<String>) {
        if self.problems.iter().all(|problem| problem.field != field) {
            self.problems.push(FieldNote { field, message: message.into() });
        }
    }

    pub(super) fn warn(&mut self, field: ConnectionField, message: impl Into<String>) {
        self.warnings.push(FieldNote { field, message: message.into() });
    }

    /// Checks the fields of a form, without the network. Reads the files that it names.
    pub(super) fn check_form(&mut self, form: &ConnectionForm) {
        self.check_hosts(form);
        if form.replica_set.trim().contains(char::is_whitespace) {
            self.problem(ConnectionField::ReplicaSet, "The name of a replica set has no blanks.");
        }
        self.check_login(form);
        self.check_tls(form);
        for field in [
            ConnectionField::SelectionSeconds,
            ConnectionField::ConnectSeconds,
            ConnectionField::AnswerSeconds,
        ] {
            let typed = seconds_of(form, field).trim();
            if !typed.is_empty() && milliseconds(typed).is_none() {
                self.problem(field, format!("{typed} is not a number of seconds, such as 5 or 2.5."));
            }
        }
    }

    fn check_hosts(&mut self, form: &ConnectionForm) {
        use ConnectionField::{Direct, Hosts};
        let hosts = hosts(form);
        match (form.srv, hosts.as_slice()) {
            (false, []) => self.problem(Hosts, "Enter a host, such as db1.example.com:27017."),
            (true, []) => self.problem(Hosts, "Enter the DNS name of the cluster."),
            (true, [_, _, ..]) => {
                self.problem(Hosts, "With mongodb+srv, one DNS name stands for all hosts: enter one name.");
            }
            _ => {}
        }
        for host in &hosts {
            if let Some(why) = host_problem(host, form.srv) {
                self.problem(Hosts, why);
            }
        }
        if form.direct && form.srv {
            let message =
                "A direct connection needs the name of a host, but mongodb+srv stands for all hosts.";
            self.problem(Direct, message);
        } else if form.direct && hosts.len() > 1 {
            self.problem(Direct, format!("A direct connection has one host, not {}.", hosts.len()));
        }
        let is_local = |host: &&str| is_local(host);
        if !form.tls && !hosts.is_empty() && !hosts.iter().all(is_local) {
            self.warn(ConnectionField::Tls, WITHOUT_TLS);
        }
    }

    fn check_login(&mut self, form: &ConnectionForm) {
        let is_nameless = form.user.trim().is_empty();
        match form.login {
            LoginKind::Password | LoginKind::Ldap if is_nameless => {
                self.problem(ConnectionField::User, "Enter the name of the user.");
            }
            LoginKind::Ldap if !form.tls => {
                self.warn(ConnectionField::Login, Note::PlainPassword.to_string());
            }
            LoginKind::Certificate => {
                if !form.tls {
                    self.problem(ConnectionField::Tls, "A login with a certificate needs TLS: switch it on.");
                }
                if !["", EXTERNAL].contains(&form.auth_database.trim()) {
                    let message =
                        "The owner of a certificate is known to $external alone: leave the database out.";
                    self.problem(ConnectionField::AuthDatabase, message);
                }
                if form.certificate_file.trim().is_empty() {
                    let message = "Choose the file of your certificate and its key.";
                    self.problem(ConnectionField::CertificateFile, message);
                }
            }
            _ => {}
        }
    }

    fn check_tls(&mut self, form: &ConnectionForm) {
        use ConnectionField::{AnyCertificate, CaFile, CertificateFile};
        let (authority, own) = (form.ca_file.trim(), form.certificate_file.trim());
        if !form.tls {
            for (field, is_given) in [(CaFile, !authority.is_empty()), (CertificateFile, !own.is_empty())] {
                if is_given {
                    self.problem(field, "The file is for TLS only: switch TLS on, or leave the file out.");
                }
            }
            if form.any_certificate {
                self.problem(
                    AnyCertificate,
                    "There are no certificates without TLS: switch TLS on, or this off.",
                );
            }
            return;
        }
        if form.any_certificate {
            self.warn(AnyCertificate, Note::AnyCertificate.to_string());
        }
        let check_own = |path: &Path| check_own(path, is_key_encrypted(path));
        for (field, path, check) in [
            (CaFile, authority, &check_authority as &dyn Fn(&Path) -> Result<(), Failure>),
            (CertificateFile, own, &check_own),
        ] {
            if !path.is_empty()
                && let Err(why) = check_file(Path::new(path), check)
            {
                self.problem(field, why);
            }
        }
    }

    /// Checks that the other options of a form have no field of their own.
    pub(super) fn check_other_options(&mut self, form: &ConnectionForm) {
        for option in other_options(form) {
            let name = option.split('=').next().unwrap_or_default();
            let has_field = !matches!(
                field_of(option),
                // What these fields cannot say is kept with the other options.
                ConnectionField::OtherOptions | ConnectionField::Login | ConnectionField::Compressed
            );
            if has_field {
                let message = format!("{name} has a field of its own: leave it out here.");
                self.problem(ConnectionField::OtherOptions, message);
            }
        }
    }

    /// Checks a connection string in the way in which it is read for connecting.
    pub(super) fn check_text(&mut self, uri: &str, secrets: &ConnectionUri) {
        let check = |parts: &Parts| check_uri(&with_placeholders(&parts.write(), secrets));
        let Some(parts) = Parts::read(uri) else { return };
        let failure = match check(&parts) {
            Ok(ignored) => {
                for note in ignored {
                    let field = match note {
                        Note::UnknownCompressor { .. } => ConnectionField::Compressed,
                        _ => ConnectionField::OtherOptions,
                    };
                    self.warn(field, note.to_string());
                }
                return;
            }
            Err(failure) => failure,
        };
        let without_options = Parts { options: Vec::new(), ..parts.clone() };
        if let Err(failure) = check(&without_options) {
            let hosts_alone = Parts { user: None, database: String::new(), ..without_options.clone() };
            let without_database = Parts { database: String::new(), ..without_options };
            let field = match (check(&hosts_alone), check(&without_database)) {
                (Err(_), _) => ConnectionField::Hosts,
                (Ok(_), Err(_)) => ConnectionField::User,
                (Ok(_), Ok(_)) => ConnectionField::Text,
            };
            self.problem(field, sentence(&failure));
            return;
        }
        // The option without which the rest is accepted: the last one, since it depends on those before it. If several
        // cannot be used, the first that cannot be used alone.
        let with = |is_kept: &dyn Fn(usize) -> bool| {
            let kept = parts.options.iter().enumerate().filter(|(at, _)| is_kept(*at));
            Parts { options: kept.map(|(_, option)| option.clone()).collect(), ..parts.clone() }
        };
        let count = parts.options.len();
        let only = (0..count).rev().find(|left_out| check(&with(&|at| at != *left_out)).is_ok());
        let culprit = only.or_else(|| (0..count).find(|alone| check(&with(&|at| at == *alone)).is_err()));
        let field = culprit.map_or(ConnectionField::OtherOptions, |at| field_of(&parts.options[at]));
        // The way to log in is refused only because the user is missing.
        let has_no_user = self.problems.iter().any(|problem| problem.field == ConnectionField::User);
        if field == ConnectionField::Login && has_no_user {
            return;
        }
        self.problem(field, sentence(&failure));
    }
}

/// A failure as one note at a field.
fn sentence(failure: &Failure) -> String {
    match &failure.cause {
        Some(cause) => {
            format!("{}: {}.", failure.message.trim_end_matches('.'), cause.trim_end_matches('.'))
        }
        None => format!("{} {}", failure.message, failure.next),
    }
}

/// Adds something in place of the secrets that a connection string cannot be read without.
fn with_placeholders(uri: &str, secrets: &ConnectionUri) -> String {
    let names_proxy_user = Parts::read(uri)
        .is_some_and(|parts| parts.options.iter().any(|option| option_name(option) == "proxyusername"));
    let placeholder =
        (names_proxy_user || secrets.proxy_password.is_some()).then(|| SecretString::from("none"));
    ConnectionUri { shown: uri.to_owned(), proxy_password: placeholder, ..ConnectionUri::default() }
        .with_secret_options()
}

/// Why a host cannot be used.
fn host_problem(host: &str, srv: bool) -> Option<String> {
    if is_socket(host) || host.to_ascii_lowercase().starts_with("%2f") {
        return srv.then(|| "A socket of this computer has no DNS name.".to_owned());
    }
    let no_host = || Some(format!("{host} is not a host, such as db1.example.com:27017."));
    if host.contains("://") {
        return Some("Enter the hosts alone here; a whole connection string goes into the text.".to_owned());
    }
    let (name, port) = if let Some(rest) = host.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return no_host() };
        (address, if port.is_empty() { None } else { Some(port.strip_prefix(':').unwrap_or(port)) })
    } else if host.matches(':').count() > 1 {
        return Some(format!("Put an IPv6 address in brackets: [{host}]."));
    } else {
        host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)))
    };
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || "@/\\?#&=<>\"".contains(c)) {
        return no_host();
    }
    match port {
        Some(_) if srv => Some("With mongodb+srv, the DNS name has no port.".to_owned()),
        Some(port) if port.parse::<u16>().ok().filter(|port| *port > 0).is_none() => {
            Some(format!("\"{port}\" is not a port, which is a number from 1 to 65535."))
        }
        _ => None,
    }
}

/// Whether a host is this computer.
fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or(host),
    };
    let is_loopback = name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    is_loopback || name.eq_ignore_ascii_case("localhost") || is_socket(host) || host.starts_with("%2")
}

/// Why a file cannot be used.
fn check_file(path: &Path, check: &dyn Fn(&Path) -> Result<(), Failure>) -> Result<(), String> {
    // Opening a pipe would wait for somebody to write to it.
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(format!("{} is not a file.", path.display()));
    }
    check(path).map_err(|failure| match failure.cause {
        Some(cause) => format!("The file cannot be used: {}.", cause.trim_end_matches('.')),
        None => failure.message,
    })
}
