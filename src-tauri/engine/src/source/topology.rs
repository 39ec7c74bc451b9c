//! Why the driver selected none of the servers that it reached. The driver gives the reason only as text, which is
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

/// The error of each server in a topology description, or else its type; `None` if the text describes none.
pub(super) fn servers(text: &str) -> Option<String> {
    let (_, listed) = text.split_once("Servers: [ ")?;
    let listed = listed.rsplit_once(" ]").map_or(listed, |(listed, _)| listed);
    let each = listed.split("{ Address: ").skip(1).filter_map(|server| {
        let server = server.trim_end_matches(|c| " },".contains(c));
        let (address, rest) = server.split_once(", ")?;
        let kind =
            rest.split_once("Type: ").map_or(rest, |(_, rest)| rest.split(", ").next().unwrap_or(rest));
        let what = rest.split_once("Error: ").map_or(kind, |(_, error)| error);
        Some(format!("{address}: {what}"))
    });
    let each: Vec<String> = each.collect();
    (!each.is_empty()).then(|| each.join("; "))
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
}
