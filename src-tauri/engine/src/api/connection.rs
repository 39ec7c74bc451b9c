//! A connection string, as text and as a form. Each follows the other.

mod check;
mod edit;
mod form;
mod parts;
#[cfg(test)]
mod tests;
mod uri;

pub use edit::edit_connection;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
pub use uri::ConnectionUri;

/// How a user logs in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LoginKind {
    /// Not at all.
    #[default]
    None,
    /// With a user name and a password that MongoDB keeps (SCRAM).
    Password,
    /// With a client certificate (X.509).
    Certificate,
    /// With a user name and a password that a directory keeps (LDAP, by PLAIN).
    Ldap,
}

/// Which members of a replica set are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ReadFrom {
    /// The primary alone.
    Primary,
    /// The primary, or a secondary while there is no primary.
    PrimaryPreferred,
    /// A secondary alone.
    Secondary,
    /// A secondary, or the primary if there is no secondary: the default.
    #[default]
    SecondaryPreferred,
    /// The nearest member.
    Nearest,
}

/// A connection string as a form. Blank texts: not given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ConnectionForm {
    /// Whether one DNS name stands for all hosts (`mongodb+srv`).
    pub srv: bool,
    /// The hosts with their ports, separated by commas; with `srv` the DNS name.
    pub hosts: String,
    /// The name of the replica set.
    pub replica_set: String,
    /// Whether to connect to the one host alone, whatever its replica set.
    pub direct: bool,
    /// How the user logs in.
    pub login: LoginKind,
    /// The name of the user.
    pub user: String,
    /// The database that knows the user. Blank: the usual one.
    pub auth_database: String,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// The file of the authority that signed the server's certificate.
    pub ca_file: String,
    /// The file of the client certificate and its key.
    pub certificate_file: String,
    /// Whether any certificate of the server is accepted.
    pub any_certificate: bool,
    /// Which members are read.
    pub read_from: ReadFrom,
    /// Seconds to find a server. Blank: the default.
    pub selection_seconds: String,
    /// Seconds to connect. Blank: the default.
    pub connect_seconds: String,
    /// Seconds to wait for an answer. Blank: the default.
    pub answer_seconds: String,
    /// Whether to ask the server to compress what it sends.
    pub compressed: bool,
    /// The options that the form has no field for, as in the connection string: `appName=desk&retryReads=false`.
    pub other_options: String,
}

/// A field of [`ConnectionForm`], or the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionField {
    /// The connection string as text.
    Text,
    /// `hosts`
    Hosts,
    /// `replica_set`
    ReplicaSet,
    /// `direct`
    Direct,
    /// `login`
    Login,
    /// `user`
    User,
    /// `auth_database`
    AuthDatabase,
    /// `tls`
    Tls,
    /// `ca_file`
    CaFile,
    /// `certificate_file`
    CertificateFile,
    /// `any_certificate`
    AnyCertificate,
    /// `read_from`
    ReadFrom,
    /// `selection_seconds`
    SelectionSeconds,
    /// `connect_seconds`
    ConnectSeconds,
    /// `answer_seconds`
    AnswerSeconds,
    /// `compressed`
    Compressed,
    /// `other_options`
    OtherOptions,
}

/// What was typed: the text or the form.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, TS)]
#[serde(tag = "by", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "one at a time, for as long as it takes to read it")]
pub enum ConnectionEdit {
    /// The text was changed.
    Text {
        /// The connection string. It may contain secrets.
        uri: String,
    },
    /// The form was changed.
    Form {
        /// The form.
        form: ConnectionForm,
    },
}

/// Something about one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct FieldNote {
    /// The field.
    pub field: ConnectionField,
    /// A sentence.
    pub message: String,
}

/// A connection string as text and as a form, after one of the two was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ConnectionDraft {
    /// The text, without secrets.
    pub uri: String,
    /// The form; `None` if the text cannot be read as one.
    pub form: Option<ConnectionForm>,
    /// The database that the text names, unless it is one of the server's own.
    pub database: Option<String>,
    /// The password that was in the text, to be put in its own field.
    pub password: Option<String>,
    /// The passphrase of the client certificate's key that was in the text.
    pub passphrase: Option<String>,
    /// The password of the proxy that was in the text.
    pub proxy_password: Option<String>,
    /// What has to be corrected before the source can be reached.
    pub problems: Vec<FieldNote>,
    /// What should be known and does not stand in the way.
    pub warnings: Vec<FieldNote>,
}
