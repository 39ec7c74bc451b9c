//! The driver's errors in the trader's words.

use crate::failure::{Code, Failure, FailureTarget};
use crate::source::{
    HostFailure, HostProblem, LoginProblem, NamePart, NoServer, OptionProblem, RefusedPart, SourceError,
    SourceErrorKind, TlsProblem,
};
use crate::words::{counted, joined};

/// Number of hosts that a sentence names.
const NAMED_HOSTS: usize = 3;

const CORRECT_OPTION: &str = "Correct the option in the connection string, or leave it out.";
const CORRECT_SET: &str = "Correct replicaSet in the connection string.";

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let failure = match error.kind() {
            SourceErrorKind::NoServer(reason) => reason.clone().into(),
            kind => of_kind(kind),
        };
        failure.because(&error).with_source(error)
    }
}

fn of_kind(kind: &SourceErrorKind) -> Failure {
    match kind {
        SourceErrorKind::Unreachable => {
            Failure::new(Code::SourceUnreachable, "The server cannot be reached.")
        }
        SourceErrorKind::NoHost(hosts) => of_hosts(hosts),
        SourceErrorKind::ConnectionLost => {
            Failure::new(Code::SourceUnreachable, "The connection to the server was lost.")
        }
        SourceErrorKind::NoServer(reason) => reason.clone().into(),
        SourceErrorKind::Tls(problem) => of_tls(problem),
        SourceErrorKind::Login(problem) => of_login(*problem),
        SourceErrorKind::NotAuthorized => {
            Failure::new(Code::NotAuthorized, "This user may not read the collection.")
        }
        SourceErrorKind::Options(problem) => of_option(*problem),
        SourceErrorKind::Timeout => {
            Failure::new(Code::SourceTimeout, "The server took longer than the time limit.")
        }
        SourceErrorKind::Ended => {
            Failure::new(Code::SourceTimeout, "The server ended the query before all rows had arrived.")
                .advise("Run the query again to fetch the rest; if it happens again, try a shorter range.")
        }
        SourceErrorKind::Name(part) => of_name(*part),
        SourceErrorKind::Refused => Failure::new(Code::BadFilter, "The server refused the query.").advise(
            "Correct what the technical details name; if that is nothing you entered, ask your administrator.",
        ),
    }
}

/// The failure of hosts none of which can be connected to.
pub(crate) fn of_hosts(hosts: &[HostFailure]) -> Failure {
    let message = match hosts {
        [] => "The server cannot be reached.".to_owned(),
        [host] => in_a_sentence(host),
        many => {
            let mut parts: Vec<String> = many.iter().take(NAMED_HOSTS).map(in_a_clause).collect();
            if many.len() > NAMED_HOSTS {
                parts.push(format!("{} more", many.len() - NAMED_HOSTS));
            }
            format!("None of the {} can be reached: {}.", counted(many.len(), "host"), joined(&parts))
        }
    };
    let failure = Failure::new(Code::SourceUnreachable, message);
    let problems = |problem| hosts.iter().all(|host| host.problem == problem);
    if hosts.is_empty() {
        failure
    } else if problems(HostProblem::UnknownName) {
        failure
            .advise("Check the host name in the connection string, and that the VPN is connected; what is cached can be browsed meanwhile.")
            .at(FailureTarget::ConnectionString)
    } else if problems(HostProblem::Refused) {
        failure
            .advise("Check the port in the connection string, and ask your database team whether the server is running; what is cached can be browsed meanwhile.")
            .at(FailureTarget::ConnectionString)
    } else if problems(HostProblem::NoAnswer) || problems(HostProblem::NoRoute) {
        failure.advise(
            "Check that the VPN is connected, and ask your administrator whether a firewall blocks the port; what is cached can be browsed meanwhile.",
        )
    } else {
        failure
    }
}

fn in_a_sentence(host: &HostFailure) -> String {
    let address = &host.address;
    match host.problem {
        HostProblem::UnknownName => format!("The name {} does not resolve to an address.", host.name()),
        HostProblem::Refused => {
            format!(
                "{address} refuses connections: no server listens on that port, or a firewall rejects them."
            )
        }
        HostProblem::NoAnswer => {
            format!("{address} does not answer: a firewall may block the port, or the VPN is not connected.")
        }
        HostProblem::NoRoute => {
            format!("There is no route to {address}: the network is down, or the VPN is not connected.")
        }
        HostProblem::Other => format!("{address} cannot be reached."),
    }
}

/// Why a host cannot be connected to, as a part of a sentence: "db1:27017 refuses connections".
pub(crate) fn in_a_clause(host: &HostFailure) -> String {
    let address = &host.address;
    match host.problem {
        HostProblem::UnknownName => format!("{} does not resolve", host.name()),
        HostProblem::Refused => format!("{address} refuses connections"),
        HostProblem::NoAnswer => format!("{address} does not answer"),
        HostProblem::NoRoute => format!("there is no route to {address}"),
        HostProblem::Other => format!("{address} cannot be reached"),
    }
}

fn of_name(part: NamePart) -> Failure {
    let (name, target) = match part {
        NamePart::Database => ("database", FailureTarget::Database),
        NamePart::Collection => ("collection", FailureTarget::Collection),
    };
    Failure::new(Code::BadSource, format!("The server does not accept the name of the {name}."))
        .advise(format!("Correct the name of the {name} and try again."))
        .at(target)
}

/// The failure of a query that the server refuses because of one part of it.
pub(crate) fn of_refused_part(failure: Failure, part: RefusedPart) -> Failure {
    let (code, what, target) = match part {
        RefusedPart::InputMatch => (Code::BadMapping, "input_match in the mapping", FailureTarget::Mapping),
        RefusedPart::DownstreamMatch => {
            (Code::BadMapping, "downstream_match in the mapping", FailureTarget::Mapping)
        }
        RefusedPart::Advanced => (Code::BadFilter, "the advanced match", FailureTarget::Advanced),
    };
    let named = Failure::new(code, format!("The server refused {what}."))
        .advise(format!("Correct what the technical details name in {what}, and try again."))
        .at(target);
    Failure { cause: failure.cause, source: failure.source, ..named }
}

fn of_tls(problem: &TlsProblem) -> Failure {
    let (message, advice) = match problem {
        TlsProblem::Expired => {
            ("The server's certificate has expired.", "Ask your administrator to renew it.")
        }
        TlsProblem::NotYetValid => (
            "The server's certificate is not valid yet.",
            "Check this computer's date and time; if they are right, ask your administrator about the certificate.",
        ),
        TlsProblem::OtherHost => (
            "The server's certificate is for another host name than the one in the connection string.",
            "Connect using a host name that is in the certificate.",
        ),
        TlsProblem::UnknownIssuer => (
            "The server's certificate comes from an authority that this computer does not trust.",
            "Ask your administrator for the certificate of the server's authority, and name its file with tlsCAFile in the connection string. A file that is named there takes the place of the authorities that this computer trusts.",
        ),
        TlsProblem::AuthorityAsServer => (
            "The server's certificate is one of an authority, which cannot be used as a server's own.",
            "Ask your administrator for a server certificate that is not a certificate authority (CA:FALSE).",
        ),
        TlsProblem::NoClientCertificate => (
            "The server expects a client certificate.",
            "Ask your administrator for one, and name its file with tlsCertificateKeyFile in the connection string.",
        ),
        TlsProblem::OwnKey { .. } | TlsProblem::Other => {
            return Failure::new(Code::TlsFailed, "No secure connection to the server could be made.");
        }
    };
    Failure::new(Code::TlsFailed, message).advise(advice)
}

fn of_login(problem: LoginProblem) -> Failure {
    let (message, advice) = match problem {
        LoginProblem::NoUser => {
            return Failure::new(
                Code::AuthFailed,
                "The server expects a login, and the connection string names no user.",
            )
            .advise("Add the user's name to the connection string, and enter the password.")
            .at(FailureTarget::ConnectionString);
        }
        LoginProblem::NoPassword => {
            ("This user needs a password, and none was given.", "Enter the password.")
        }
        LoginProblem::Certificate => (
            "The server refused the client certificate.",
            "Ask your administrator whether the certificate's subject is a user of the server.",
        ),
        LoginProblem::Refused => {
            return Failure::new(Code::AuthFailed, "The server refused the user name or the password.");
        }
    };
    Failure::new(Code::AuthFailed, message).advise(advice)
}

fn of_option(problem: OptionProblem) -> Failure {
    let (message, advice) = match problem {
        OptionProblem::LoadBalanced => (
            "The server is not behind a load balancer that MongoDB's drivers know (loadBalanced=true).",
            "Leave loadBalanced out of the connection string.",
        ),
        OptionProblem::HeartbeatFrequency => {
            ("The connection string's option heartbeatFrequencyMS cannot be used.", CORRECT_OPTION)
        }
        OptionProblem::MaxStaleness => {
            ("The connection string's option maxStalenessSeconds cannot be used.", CORRECT_OPTION)
        }
        OptionProblem::Other => {
            return Failure::new(Code::BadSource, "The connection string cannot be used.");
        }
    };
    Failure::new(Code::BadSource, message).advise(advice)
}

impl From<NoServer> for Failure {
    fn from(reason: NoServer) -> Self {
        match reason {
            NoServer::WrongSet { asked, found } => {
                let is = match found {
                    Some(found) => format!("is a member of the replica set {found}"),
                    None => "is not a member of a replica set".to_owned(),
                };
                let message = format!(
                    "The server {is}, but the connection string asks for {asked} (replicaSet={asked})."
                );
                Self::new(Code::BadSource, message).advise(CORRECT_SET)
            }
            NoServer::NoMember { asked } => {
                let message = format!(
                    "None of the hosts is a member of the replica set that the connection string asks for (replicaSet={asked})."
                );
                Self::new(Code::BadSource, message).advise(CORRECT_SET)
            }
            NoServer::Unmet { mode, .. } if mode == "primary" => {
                Self::new(Code::SourceUnreachable, "The replica set has no primary at the moment.").advise(
                    "Wait until it has one, or read from other members (readPreference=primaryPreferred).",
                )
            }
            // The default: the connection string need not have it.
            NoServer::Unmet { mode, has_tags: false, limits_staleness: false }
                if mode == "secondaryPreferred" =>
            {
                Self::new(
                    Code::SourceUnreachable,
                    "The replica set has neither a primary nor a secondary at the moment.",
                )
                .advise("Wait until a member is back, or ask your administrator.")
            }
            NoServer::Unmet { mode, has_tags, limits_staleness } => {
                let tags = if has_tags { " and its tags" } else { "" };
                let staleness = if limits_staleness { " within maxStalenessSeconds" } else { "" };
                let message = format!(
                    "No member of the replica set meets the read preference {mode}{tags}{staleness}."
                );
                Self::new(Code::SourceUnreachable, message).advise(
                    "Correct readPreference in the connection string, or wait until such a member is back.",
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(address: &str, problem: HostProblem) -> HostFailure {
        HostFailure { address: address.to_owned(), problem }
    }

    #[test]
    fn an_unreachable_host_is_named_with_its_port_and_its_reason() {
        for (problem, meant) in [
            (HostProblem::UnknownName, "The name db1 does not resolve"),
            (HostProblem::Refused, "db1:27018 refuses connections: "),
            (HostProblem::NoAnswer, "db1:27018 does not answer: "),
            (HostProblem::NoRoute, "There is no route to db1:27018: "),
        ] {
            let failure = of_hosts(&[host("db1:27018", problem)]);
            assert_eq!(failure.code, Code::SourceUnreachable);
            assert!(failure.message.starts_with(meant), "{failure:?}");
            assert!(failure.next.contains("what is cached can be browsed"), "{failure:?}");
        }
    }

    #[test]
    fn several_unreachable_hosts_share_a_sentence() {
        let hosts = [
            host("db1:27017", HostProblem::Refused),
            host("db2:27017", HostProblem::NoAnswer),
            host("db3:27017", HostProblem::UnknownName),
            host("db4:27017", HostProblem::Refused),
            host("db5:27017", HostProblem::Refused),
        ];
        assert_eq!(
            of_hosts(&hosts[..2]).message,
            "None of the 2 hosts can be reached: db1:27017 refuses connections and db2:27017 does not answer."
        );
        assert_eq!(
            of_hosts(&hosts).message,
            "None of the 5 hosts can be reached: db1:27017 refuses connections, db2:27017 does not answer, db3 does not resolve and 2 more."
        );
    }
}
