//! Why the driver selected none of the servers, or reached none. The driver gives the reason only as text, which is
//! parsed here and nowhere else.

/// Why none of the servers that answered can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoServer {
    /// The server belongs to a different replica set than the connection string asks for, or to none.
    WrongSet {
        /// The name in the connection string.
        asked: String,
        /// The name of the server's set.
        found: Option<String>,
    },
    /// None of the hosts is a member of the replica set that the connection string asks for.
    NoMember {
        /// The name in the connection string.
        asked: String,
    },
    /// No member meets the read preference.
    Unmet {
        /// The mode, as in a connection string.
        mode: String,
        /// Whether tags are asked for.
        has_tags: bool,
        /// Whether a greatest staleness is asked for.
        limits_staleness: bool,
    },
}

/// The reason for a server selection error; `None` if the servers could not be reached.
pub(super) fn reason(message: &str) -> Option<NoServer> {
    if let Some(words) = between(message, "Connection string replicaSet name ", "\", ") {
        return wrong_name(words);
    }
    let criteria = "None of the available servers suitable for criteria ";
    if let Some((_, words)) = message.split_once(criteria) {
        return Some(unmet(words));
    }
    // The driver drops members of other sets from the topology, so a topology without servers means that none is a
    // member.
    let set = between(message, "Set Name: ", ",").or_else(|| between(message, "Set Name: ", " }"));
    set.filter(|_| message.contains("Topology: {") && !message.contains("Servers: ["))
        .map(|asked| NoServer::NoMember { asked: asked.to_owned() })
}

/// Why a host of the connection string cannot be connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFailure {
    /// The host and its port, such as `db1:27017`; without a port for a name that DNS should have listed hosts for.
    pub address: String,
    /// What went wrong.
    pub problem: HostProblem,
}

impl HostFailure {
    /// The host without its port.
    #[must_use]
    pub fn name(&self) -> &str {
        let name = self.address.rsplit_once(':').map_or(&*self.address, |(name, _)| name);
        name.trim_matches(['[', ']'])
    }
}

/// What went wrong with a connection to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostProblem {
    /// Its name does not resolve to an address.
    UnknownName,
    /// It is there, and nothing listens on the port, or something on the way rejects connections to it.
    Refused,
    /// Nothing came back.
    NoAnswer,
    /// This computer has no way to its network.
    NoRoute,
    /// Something else, such as a connection that was closed.
    Other,
}

/// Words of the system's and the driver's messages, in lower case, and what they mean. Windows translates its messages,
/// but not their numbers.
const PROBLEMS: [(&str, HostProblem); 23] = {
    use HostProblem::{NoAnswer, NoRoute, Refused, UnknownName};
    [
        // Of `getaddrinfo`, whatever the system adds to it.
        ("failed to lookup address information", UnknownName),
        ("name or service not known", UnknownName),
        ("temporary failure in name resolution", UnknownName),
        ("nodename nor servname provided", UnknownName),
        ("name does not resolve", UnknownName),
        ("no such host is known", UnknownName),
        ("(os error 11001)", UnknownName),
        ("(os error 11002)", UnknownName),
        ("(os error 11003)", UnknownName),
        ("(os error 11004)", UnknownName),
        ("connection refused", Refused),
        ("actively refused", Refused),
        ("(os error 10061)", Refused),
        ("timed out", NoAnswer),
        ("did not properly respond", NoAnswer),
        ("(os error 10060)", NoAnswer),
        ("no route to host", NoRoute),
        ("network is unreachable", NoRoute),
        ("network is down", NoRoute),
        ("host is down", NoRoute),
        ("(os error 10050)", NoRoute),
        ("(os error 10051)", NoRoute),
        ("(os error 10065)", NoRoute),
    ]
};

impl HostProblem {
    /// What a message of the system or the driver means.
    pub(super) fn of(message: &str) -> Self {
        let message = message.to_lowercase();
        let found = PROBLEMS.iter().find(|(words, _)| message.contains(words));
        found.map_or(Self::Other, |(_, problem)| *problem)
    }
}

/// Why none of the hosts can be connected to, if the text of a server selection error says so of each of them; empty
/// if it does not.
pub(super) fn unreachable_hosts(text: &str) -> Vec<HostFailure> {
    let each = each_server(text).into_iter().map(|(address, what)| {
        let problem = match what {
            // Still being connected to when the time was up.
            "Unknown" => HostProblem::NoAnswer,
            error => HostProblem::of(error),
        };
        HostFailure { address: address.to_owned(), problem }
    });
    let each: Vec<HostFailure> = each.collect();
    // What else may be wrong says more about the source than about a host.
    if each.iter().any(|host| host.problem == HostProblem::Other) { Vec::new() } else { each }
}

/// The failure of a name whose SRV records list the hosts; `None` if the message is not about a name.
pub(super) fn unresolved_name(message: &str) -> Option<HostFailure> {
    let name = between(message, "Query { name: Name(\"", "\"").or_else(|| {
        between(message, "lookup for ", " returned no records").map(|name| name.trim_matches('"'))
    })?;
    let name = name.trim_end_matches('.');
    let name = name.split_once("._tcp.").map_or(name, |(_, name)| name);
    Some(HostFailure { address: name.to_owned(), problem: HostProblem::UnknownName })
}

/// The error of each server in a topology description, or else its type; `None` if the text describes none.
pub(super) fn servers(text: &str) -> Option<String> {
    let each: Vec<String> =
        each_server(text).into_iter().map(|(address, what)| format!("{address}: {what}")).collect();
    (!each.is_empty()).then(|| each.join("; "))
}

/// The address of each server in a topology description, with its error or else its type.
fn each_server(text: &str) -> Vec<(&str, &str)> {
    let Some((_, listed)) = text.split_once("Servers: [ ") else { return Vec::new() };
    let listed = listed.rsplit_once(" ]").map_or(listed, |(listed, _)| listed);
    let each = listed.split("{ Address: ").skip(1).filter_map(|server| {
        let server = server.trim_end_matches(|c| " },".contains(c));
        let (address, rest) = server.split_once(", ")?;
        let kind =
            rest.split_once("Type: ").map_or(rest, |(_, rest)| rest.split(", ").next().unwrap_or(rest));
        Some((address, rest.split_once("Error: ").map_or(kind, |(_, error)| error)))
    });
    each.collect()
}

fn wrong_name(words: &str) -> Option<NoServer> {
    let (asked, found) = words.split_once(" does not match actual name ")?;
    let found = found.trim_matches('"');
    let found = Some(found).filter(|found| *found != "<none>").map(str::to_owned);
    Some(NoServer::WrongSet { asked: asked.trim_matches('"').to_owned(), found })
}

fn unmet(criteria: &str) -> NoServer {
    let rest = criteria.split_once("ReadPreference(").map_or(criteria, |(_, rest)| rest);
    let mode: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
    let mode = mode.chars().take(1).flat_map(char::to_lowercase).chain(mode.chars().skip(1)).collect();
    let criteria = rest.split(". Topology: ").next().unwrap_or_default();
    NoServer::Unmet {
        mode,
        has_tags: criteria.contains("tag_sets: Some([{"),
        limits_staleness: criteria.contains("max_staleness: Some("),
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Code, Failure};

    fn sentence(message: &str) -> (Code, String) {
        let failure = Failure::from(reason(message).expect("a reason"));
        (failure.code, failure.message)
    }

    /// Messages of the mongodb crate 3.9.
    #[test]
    fn each_reason_has_its_sentence() {
        let (code, words) = sentence(
            r#"Server selection timeout: No available servers. Topology: { Type: Single, Set Name: rs9, Servers: [ { Address: db1:27017, Type: Unknown, Error: Kind: An invalid argument was provided: Connection string replicaSet name "rs9" does not match actual name "rs0", labels: {}, source: None, server response: None } ] }"#,
        );
        assert_eq!(code, Code::BadSource);
        assert!(words.contains("the replica set rs0") && words.contains("replicaSet=rs9"), "{words}");

        let (code, words) = sentence(
            "Server selection timeout: No available servers. Topology: { Type: ReplicaSetNoPrimary, Set Name: rs9 }",
        );
        assert_eq!(code, Code::BadSource);
        assert!(words.contains("replicaSet=rs9"), "{words}");

        let unmet = |criteria: &str| {
            sentence(&format!(
                "Server selection timeout: None of the available servers suitable for criteria {criteria}. Topology: {{ Type: ReplicaSetWithPrimary, Set Name: rs0, Servers: [ {{ Address: db1:27017 }} ] }}"
            ))
        };
        let (code, words) = unmet(
            "ReadPreference(Secondary { options: Some(ReadPreferenceOptions { tag_sets: Some([{\"dc\": \"ny\"}]), max_staleness: None, hedge: None }) })",
        );
        assert_eq!(code, Code::SourceUnreachable);
        assert_eq!(words, "No member of the replica set meets the read preference secondary and its tags.");
        assert!(unmet("ReadPreference(Primary)").1.contains("no primary"));

        let unreachable = "Server selection timeout: No available servers. Topology: { Type: ReplicaSetNoPrimary, Set Name: rs0, Servers: [ { Address: db1:27017, Type: Unknown, Error: Kind: I/O error: Connection refused } ] }";
        assert!(reason(unreachable).is_none());
    }

    /// Messages of Linux (glibc and musl), macOS, Windows and the mongodb crate 3.9.
    #[test]
    fn the_systems_words_say_what_is_wrong_with_a_host() {
        let lookup = "I/O error: failed to lookup address information";
        for (words, problem) in [
            (format!("{lookup}: Name or service not known"), HostProblem::UnknownName),
            (format!("{lookup}: Temporary failure in name resolution"), HostProblem::UnknownName),
            (format!("{lookup}: Name does not resolve"), HostProblem::UnknownName),
            (format!("{lookup}: nodename nor servname provided, or not known"), HostProblem::UnknownName),
            ("I/O error: No such host is known. (os error 11001)".to_owned(), HostProblem::UnknownName),
            ("I/O error: Der angegebene Host ist unbekannt. (os error 11001)".to_owned(), HostProblem::UnknownName),
            ("I/O error: Connection refused (os error 111)".to_owned(), HostProblem::Refused),
            ("I/O error: Connection refused (os error 61)".to_owned(), HostProblem::Refused),
            (
                "I/O error: No connection could be made because the target machine actively refused it. (os error 10061)".to_owned(),
                HostProblem::Refused,
            ),
            ("I/O error: timed out".to_owned(), HostProblem::NoAnswer),
            ("I/O error: Connection timed out (os error 110)".to_owned(), HostProblem::NoAnswer),
            ("I/O error: Operation timed out (os error 60)".to_owned(), HostProblem::NoAnswer),
            (
                "I/O error: A connection attempt failed because the connected party did not properly respond after a period of time (os error 10060)".to_owned(),
                HostProblem::NoAnswer,
            ),
            ("I/O error: No route to host (os error 113)".to_owned(), HostProblem::NoRoute),
            ("I/O error: Network is unreachable (os error 51)".to_owned(), HostProblem::NoRoute),
            ("I/O error: Connection reset by peer (os error 104)".to_owned(), HostProblem::Other),
        ] {
            assert_eq!(HostProblem::of(&words), problem, "{words}");
        }
    }

    #[test]
    fn each_host_has_its_own_problem() {
        let of = |servers: &str| {
            unreachable_hosts(&format!(
                "No available servers. Topology: {{ Type: Unknown, Servers: [ {servers} ] }}"
            ))
        };
        let refused =
            "{ Address: db1:27018, Type: Unknown, Error: I/O error: Connection refused (os error 111) }";
        let silent = "{ Address: [::1]:27017, Type: Unknown }";
        let found = of(&format!("{refused}, {silent}"));
        let problems: Vec<_> = found.iter().map(|host| (&*host.address, host.name(), host.problem)).collect();
        assert_eq!(
            problems,
            [("db1:27018", "db1", HostProblem::Refused), ("[::1]:27017", "::1", HostProblem::NoAnswer)]
        );
        // A server that can be connected to, and whose answer is at fault.
        assert_eq!(
            of(&format!(
                "{refused}, {{ Address: db2:27017, Type: Unknown, Error: I/O error: unexpected end of file }}"
            )),
            []
        );
        assert_eq!(of(&format!("{refused}, {{ Address: db2:27017, Type: RsSecondary }}")), []);
    }

    #[test]
    fn a_name_without_srv_records_is_named() {
        for message in [
            r#"no records found for Query { name: Name("_mongodb._tcp.cluster.example.com."), query_type: SRV }"#,
            "SRV lookup for cluster.example.com returned no records",
        ] {
            let found = unresolved_name(message).expect("a name");
            assert_eq!((&*found.address, found.problem), ("cluster.example.com", HostProblem::UnknownName));
        }
        assert_eq!(unresolved_name("the resolver is misconfigured"), None);
    }
}
