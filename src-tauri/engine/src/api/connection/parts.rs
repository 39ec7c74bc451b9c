//! The parts of a connection string without secrets, as they are written.

/// The parts of a connection string.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// Whether it is `mongodb+srv`.
    pub(super) srv: bool,
    /// The user, percent-encoded; a blank one if nothing is in front of the `@`.
    pub(super) user: Option<String>,
    /// The hosts.
    pub(super) hosts: String,
    /// The database, percent-encoded.
    pub(super) database: String,
    /// The options: `name=value`.
    pub(super) options: Vec<String>,
}

impl Parts {
    /// Takes a connection string apart; `None` without a scheme of MongoDB.
    pub(super) fn read(uri: &str) -> Option<Self> {
        let (scheme, rest) = uri.split_once("://")?;
        let srv = match scheme {
            "mongodb" => false,
            "mongodb+srv" => true,
            _ => return None,
        };
        let (address, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (user, address) = match address.rsplit_once('@') {
            Some((user, address)) => (Some(user.to_owned()), address),
            None => (None, address),
        };
        let (hosts, database) = address.split_once('/').unwrap_or((address, ""));
        let options = options.split('&').filter(|option| !option.is_empty()).map(str::to_owned);
        Some(Self {
            srv,
            user,
            hosts: hosts.to_owned(),
            database: database.to_owned(),
            options: options.collect(),
        })
    }

    /// The connection string.
    pub(super) fn write(&self) -> String {
        let Self { srv, user, hosts, database, options } = self;
        let scheme = if *srv { "mongodb+srv" } else { "mongodb" };
        let user = user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let question = if options.is_empty() { "" } else { "?" };
        format!("{scheme}://{user}{hosts}/{database}{question}{}", options.join("&"))
    }
}

/// The name of an option in lower case; the driver ignores case, too.
pub(super) fn option_name(option: &str) -> String {
    option.split('=').next().unwrap_or_default().to_ascii_lowercase()
}

/// The connection string in what was pasted: without quotes around it, a shell command or the name of a variable in
/// front of it, or what follows it there.
pub(super) fn cleaned(pasted: &str) -> &str {
    let text = pasted.trim();
    let Some(start) = ["mongodb://", "mongodb+srv://"].iter().filter_map(|scheme| text.find(scheme)).min()
    else {
        return text;
    };
    let (before, uri) = text.split_at(start);
    if let Some(quote) = before.chars().next_back().filter(|last| "\"'`".contains(*last)) {
        // If no quote is followed by a blank, the last one closes: a password may contain quotes as well.
        let end = uri.find(&format!("{quote} ")[..]).or_else(|| uri.rfind(quote)).unwrap_or(uri.len());
        return if is_wrapping(&before[..before.len() - 1]) { uri[..end].trim() } else { text };
    }
    if before.trim().is_empty() || !is_wrapping(before) {
        return text;
    }
    // Not quoted: a shell would end it at the first blank.
    uri.split_whitespace().next().unwrap_or(uri).trim_end_matches(';')
}

/// Whether a text is what people put in front of a connection string: `mongosh`, `export MONGODB_URI=`, `uri:`.
fn is_wrapping(before: &str) -> bool {
    before.split_whitespace().all(|word| {
        let (name, is_assigned) = match word.trim_end_matches([':', '=']) {
            name if name.len() < word.len() => (name, true),
            name => (name, false),
        };
        let is_command = ["mongo", "mongosh", "mongosh.exe", "export", "set", "$", ">", "%"].contains(&name);
        let is_name = name.trim_matches('"').chars().all(|c| c.is_ascii_alphanumeric() || "_-.$".contains(c));
        is_command || (is_assigned && is_name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_is_cleaned() {
        let uri = "mongodb://ann@db1/?tls=true";
        for pasted in [
            "mongodb://ann@db1/?tls=true",
            "  mongodb://ann@db1/?tls=true\n",
            "\"mongodb://ann@db1/?tls=true\"",
            "'mongodb://ann@db1/?tls=true' ",
            "mongosh \"mongodb://ann@db1/?tls=true\"",
            "mongosh \"mongodb://ann@db1/?tls=true\" --username ann",
            "mongosh mongodb://ann@db1/?tls=true --quiet",
            "$ mongosh 'mongodb://ann@db1/?tls=true'",
            "MONGODB_URI=mongodb://ann@db1/?tls=true",
            "export MONGODB_URI=\"mongodb://ann@db1/?tls=true\"",
            "uri: 'mongodb://ann@db1/?tls=true'",
            "\"uri\": \"mongodb://ann@db1/?tls=true\",",
        ] {
            assert_eq!(cleaned(pasted), uri, "{pasted}");
        }
        for kept in ["mongodb://ann:a b\"c@db1/", "see mongodb://db1/", "db1:27017", ""] {
            assert_eq!(cleaned(kept), kept);
        }
    }

    #[test]
    fn a_connection_string_is_taken_apart_and_put_together() {
        let uri = "mongodb+srv://CN%3Dann@cluster.example.com/desk?a=b&c=d";
        let parts = Parts::read(uri).expect("a connection string");
        assert_eq!((parts.hosts.as_str(), parts.user.as_deref()), ("cluster.example.com", Some("CN%3Dann")));
        assert_eq!(parts.write(), uri);
        let short = Parts::read("mongodb://db1?x=y").expect("a connection string");
        assert_eq!((short.hosts.as_str(), short.write().as_str()), ("db1", "mongodb://db1/?x=y"));
        assert_eq!(Parts::read("http://db1/"), None);
    }
}
