//! A connection string as a whole: its options, its hosts, and whether they go together.

use mongodb::options::{ConnectionString, HostInfo};

use super::options::{self, ReadOptions};
use super::uri::{parse, with_password};
use crate::answer::note::Note;
use crate::failure::{Code, Failure, Result};

/// A connection string that can be used.
pub(super) struct Address {
    /// What this program reads of the options.
    pub(super) options: ReadOptions,
    /// What the driver reads.
    pub(super) parsed: ConnectionString,
    /// The hosts, or the DNS name that stands for them.
    pub(super) hosts: Vec<String>,
}

impl Address {
    /// Reads a connection string, with a password that is stored separately.
    ///
    /// # Errors
    /// `bad_source`, with the part that cannot be used.
    pub(super) fn read(uri: &str, password: Option<&str>) -> Result<Self> {
        let options = options::read(&with_password(uri, password))?;
        let parsed = parse(&options.uri)?;
        let hosts: Vec<String> = match &parsed.host_info {
            HostInfo::HostIdentifiers(hosts) => hosts.iter().map(ToString::to_string).collect(),
            HostInfo::DnsRecord(name) => vec![format!("srv:{name}")],
            _ => Vec::new(),
        };
        if parsed.direct_connection == Some(true) && hosts.len() > 1 {
            let message = format!(
                "directConnection=true connects to one host, but the connection string names {}.",
                hosts.len()
            );
            return Err(Failure::new(Code::BadSource, message)
                .advise("Keep one of the hosts, or leave out directConnection."));
        }
        Ok(Self { options, parsed, hosts })
    }
}

/// Checks a connection string without a password, as [`Source::new`](super::Source::new) does. Returns what is ignored
/// in it.
///
/// # Errors
/// `bad_source`, with the part that cannot be used.
pub(crate) fn check_uri(uri: &str) -> Result<Vec<Note>> {
    Ok(Address::read(uri, None)?.options.warnings)
}
