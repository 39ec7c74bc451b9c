//! From the text of a connection string to its form, and back.

use percent_encoding::{AsciiSet, percent_decode_str, utf8_percent_encode};

use super::parts::{Parts, option_name};
use super::{ConnectionField, ConnectionForm, LoginKind, ReadFrom};
use crate::secret::{UNRESERVED, may_contain_at};

/// What need not be escaped in the value of an option: paths of files and `$external` stay readable.
const OPTION_VALUE: &AsciiSet = &UNRESERVED.remove(b'/').remove(b':').remove(b'$').remove(b',');
/// The compressors that are asked for, the best first.
const COMPRESSORS: &str = "zstd,snappy,zlib";
/// The database that stands for users whom MongoDB does not know itself.
pub(super) const EXTERNAL: &str = "$external";
/// Milliseconds per second.
const SECOND: u64 = 1_000;

/// The options that are limits of time, each with its field.
const TIMES: [(&str, ConnectionField); 3] = [
    ("serverSelectionTimeoutMS", ConnectionField::SelectionSeconds),
    ("connectTimeoutMS", ConnectionField::ConnectSeconds),
    ("socketTimeoutMS", ConnectionField::AnswerSeconds),
];

const READ_PREFERENCES: [(&str, ReadFrom); 5] = [
    ("primary", ReadFrom::Primary),
    ("primaryPreferred", ReadFrom::PrimaryPreferred),
    ("secondary", ReadFrom::Secondary),
    ("secondaryPreferred", ReadFrom::SecondaryPreferred),
    ("nearest", ReadFrom::Nearest),
];

/// The field that an option belongs to.
pub(super) fn field_of(option: &str) -> ConnectionField {
    match option_name(option).as_str() {
        "tls" | "ssl" => ConnectionField::Tls,
        "tlscafile" => ConnectionField::CaFile,
        "tlscertificatekeyfile" => ConnectionField::CertificateFile,
        "tlsallowinvalidcertificates" | "tlsinsecure" => ConnectionField::AnyCertificate,
        "authmechanism" => ConnectionField::Login,
        "authsource" => ConnectionField::AuthDatabase,
        "replicaset" => ConnectionField::ReplicaSet,
        "directconnection" => ConnectionField::Direct,
        "readpreference" => ConnectionField::ReadFrom,
        "compressors" => ConnectionField::Compressed,
        name => TIMES
            .iter()
            .find(|(time, _)| time.eq_ignore_ascii_case(name))
            .map_or(ConnectionField::OtherOptions, |(_, field)| *field),
    }
}

/// Reads a connection string without secrets. What the form has no field for, and what its field cannot hold, goes to
/// the other options. `None` without a scheme of MongoDB or if the user cannot be decoded.
pub(super) fn form_of(uri: &str) -> Option<ConnectionForm> {
    let parts = Parts::read(uri)?;
    let mut form = ConnectionForm { srv: parts.srv, hosts: shown_hosts(&parts.hosts), ..Default::default() };
    let mut tls = None;
    let mut filled: Vec<ConnectionField> = Vec::new();
    let mut others: Vec<&str> = Vec::new();
    for option in &parts.options {
        let field = field_of(option);
        let value = option.split_once('=').map(|(_, value)| percent_decode_str(value).decode_utf8_lossy());
        let is_taken =
            value.is_some_and(|value| !filled.contains(&field) && fill(&mut form, &mut tls, field, &value));
        if is_taken {
            filled.push(field);
        } else {
            others.push(option);
        }
    }
    form.other_options = others.join("&");
    // As in the driver: its other options turn TLS on, too.
    let needs_tls = |option: &String| {
        use ConnectionField::{AnyCertificate, CaFile, CertificateFile};
        [AnyCertificate, CaFile, CertificateFile].contains(&field_of(option))
    };
    form.tls = tls.unwrap_or(form.srv || parts.options.iter().any(needs_tls));
    if let Some(user) = parts.user {
        form.user = percent_decode_str(&user).decode_utf8().ok()?.into_owned();
        if form.login == LoginKind::None {
            form.login = LoginKind::Password;
        }
    }
    if is_external(form.login) && form.auth_database == EXTERNAL {
        form.auth_database.clear();
    } else if form.auth_database.is_empty() && matches!(form.login, LoginKind::Password | LoginKind::Ldap) {
        form.auth_database = percent_decode_str(&parts.database).decode_utf8_lossy().into_owned();
    }
    Some(form)
}

/// Puts the value of an option into its field. Returns whether the field says all that the option says.
fn fill(form: &mut ConnectionForm, tls: &mut Option<bool>, field: ConnectionField, value: &str) -> bool {
    let is_text = !value.is_empty() && value.trim() == value;
    let flag = match value {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    };
    match field {
        ConnectionField::Tls => *tls = flag,
        ConnectionField::AnyCertificate => form.any_certificate = flag == Some(true),
        ConnectionField::Direct => form.direct = flag == Some(true),
        ConnectionField::CaFile if is_text => form.ca_file = value.to_owned(),
        ConnectionField::CertificateFile if is_text => form.certificate_file = value.to_owned(),
        ConnectionField::AuthDatabase if is_text => form.auth_database = value.to_owned(),
        ConnectionField::ReplicaSet if is_text => form.replica_set = value.to_owned(),
        ConnectionField::Login => match value {
            "MONGODB-X509" => form.login = LoginKind::Certificate,
            "PLAIN" => form.login = LoginKind::Ldap,
            _ => return false,
        },
        ConnectionField::ReadFrom => {
            let known = READ_PREFERENCES.iter().find(|(name, _)| name.eq_ignore_ascii_case(value));
            let Some((_, read_from)) = known else { return false };
            form.read_from = *read_from;
        }
        ConnectionField::Compressed => {
            form.compressed = value.split(',').any(|one| !one.trim().is_empty());
            return value == COMPRESSORS;
        }
        ConnectionField::SelectionSeconds
        | ConnectionField::ConnectSeconds
        | ConnectionField::AnswerSeconds => {
            let Ok(limit) = value.parse() else { return false };
            *seconds_at(form, field) = seconds(limit);
        }
        _ => return false,
    }
    let is_flag =
        matches!(field, ConnectionField::Tls | ConnectionField::AnyCertificate | ConnectionField::Direct);
    !is_flag || flag.is_some()
}

/// Writes a form as a connection string. A form without anything in it is a blank text.
pub(super) fn text_of(form: &ConnectionForm) -> String {
    let user = utf8_percent_encode(form.user.trim(), UNRESERVED).to_string();
    let mut parts = Parts {
        srv: form.srv,
        user: match form.login {
            LoginKind::None => None,
            LoginKind::Password => Some(user),
            LoginKind::Certificate | LoginKind::Ldap => Some(user).filter(|user| !user.is_empty()),
        },
        hosts: hosts(form).iter().map(|host| written_host(host)).collect::<Vec<_>>().join(","),
        database: String::new(),
        options: Vec::new(),
    };
    let others = other_options(form);
    let has_other = |sought: &str| others.iter().any(|option| option_name(option) == sought);
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            parts.options.push(format!("{name}={}", utf8_percent_encode(value, OPTION_VALUE)));
        }
    };

    add("replicaSet", form.replica_set.trim());
    add("directConnection", if form.direct { "true" } else { "" });
    let auth_database = form.auth_database.trim();
    match form.login {
        LoginKind::None => {}
        LoginKind::Password => add("authSource", auth_database),
        LoginKind::Certificate | LoginKind::Ldap => {
            add("authMechanism", if form.login == LoginKind::Ldap { "PLAIN" } else { "MONGODB-X509" });
            add("authSource", if auth_database.is_empty() { EXTERNAL } else { auth_database });
        }
    }
    let (ca_file, certificate_file) = (form.ca_file.trim(), form.certificate_file.trim());
    let has_tls_options = form.any_certificate || !ca_file.is_empty() || !certificate_file.is_empty();
    let tls = match (form.tls, form.srv) {
        (true, false) => "true",
        // Without it, TLS would be on.
        (false, true) => "false",
        (false, false) if has_tls_options => "false",
        _ => "",
    };
    add("tls", if has_other("tls") || has_other("ssl") { "" } else { tls });
    add("tlsCAFile", ca_file);
    add("tlsCertificateKeyFile", certificate_file);
    add("tlsAllowInvalidCertificates", if form.any_certificate { "true" } else { "" });
    let is_default = form.read_from == ReadFrom::default();
    // The driver refuses tags and a greatest staleness without a read preference.
    let needs_name = has_other("readpreferencetags") || has_other("maxstalenessseconds");
    if (!is_default || needs_name) && !has_other("readpreference") {
        let name = READ_PREFERENCES.iter().find(|(_, read_from)| *read_from == form.read_from);
        add("readPreference", name.map_or("", |(name, _)| *name));
    }
    for (name, field) in TIMES {
        let typed = seconds_of(form, field).trim();
        // A number that cannot be read is a problem at its field; the text keeps it until it is corrected.
        add(name, &milliseconds(typed).map_or_else(|| typed.to_owned(), |limit| limit.to_string()));
    }
    if form.compressed && !has_other("compressors") {
        add("compressors", COMPRESSORS);
    }
    parts.options.extend(others.iter().map(|option| written_option(option)));
    if parts == Parts::default() { String::new() } else { parts.write() }
}

/// The hosts of a form.
pub(super) fn hosts(form: &ConnectionForm) -> Vec<&str> {
    form.hosts.split(',').map(str::trim).filter(|host| !host.is_empty()).collect()
}

/// The other options of a form, without those that a field overrules: a way to log in and a choice of compressors.
pub(super) fn other_options(form: &ConnectionForm) -> Vec<&str> {
    let typed = form.other_options.trim().trim_start_matches('?');
    let options = typed.split('&').map(str::trim).filter(|option| !option.is_empty());
    let is_kept = |option: &&str| match field_of(option) {
        ConnectionField::Login => !is_external(form.login),
        ConnectionField::Compressed => form.compressed,
        _ => true,
    };
    options.filter(is_kept).collect()
}

/// Whether MongoDB does not know the user itself.
const fn is_external(login: LoginKind) -> bool {
    matches!(login, LoginKind::Certificate | LoginKind::Ldap)
}

/// Hosts as a person writes them: the path of a socket with its slashes.
fn shown_hosts(hosts: &str) -> String {
    let shown = |host: &str| match percent_decode_str(host).decode_utf8() {
        Ok(path) if is_socket(&path) && !path.contains(',') && path.trim() == path => path.into_owned(),
        _ => host.to_owned(),
    };
    hosts.split(',').map(shown).collect::<Vec<_>>().join(",")
}

fn written_host(host: &str) -> String {
    if is_socket(host) { utf8_percent_encode(host, UNRESERVED).to_string() } else { host.to_owned() }
}

/// Whether a host is the path of a socket on this computer.
pub(super) fn is_socket(host: &str) -> bool {
    host.starts_with('/')
}

/// An option without an `@` that could be taken for the end of a password.
fn written_option(option: &str) -> String {
    if may_contain_at(&option_name(option)) { option.to_owned() } else { option.replace('@', "%40") }
}

/// Reads seconds with up to three decimals as milliseconds.
pub(super) fn milliseconds(seconds: &str) -> Option<u64> {
    let (whole, decimals) = seconds.split_once(['.', ',']).unwrap_or((seconds, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || decimals.trim_end_matches('0').len() > 3 {
        return None;
    }
    let thousandths: u64 = format!("{decimals:0<3}").get(..3)?.parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(SECOND)?.checked_add(thousandths)
}

/// Milliseconds as seconds, with as many decimals as are needed.
fn seconds(milliseconds: u64) -> String {
    let (whole, thousandths) = (milliseconds / SECOND, milliseconds % SECOND);
    if thousandths == 0 {
        return whole.to_string();
    }
    format!("{whole}.{}", format!("{thousandths:03}").trim_end_matches('0'))
}

/// The seconds in a field for a time.
pub(super) fn seconds_of(form: &ConnectionForm, field: ConnectionField) -> &str {
    match field {
        ConnectionField::SelectionSeconds => &form.selection_seconds,
        ConnectionField::ConnectSeconds => &form.connect_seconds,
        _ => &form.answer_seconds,
    }
}

fn seconds_at(form: &mut ConnectionForm, field: ConnectionField) -> &mut String {
    match field {
        ConnectionField::SelectionSeconds => &mut form.selection_seconds,
        ConnectionField::ConnectSeconds => &mut form.connect_seconds,
        _ => &mut form.answer_seconds,
    }
}
