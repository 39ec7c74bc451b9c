//! The driver's errors in the trader's words.

use crate::failure::{Code, Failure, FailureTarget};
use crate::source::{
    LoginProblem, NamePart, NoServer, OptionProblem, RefusedPart, SourceError, SourceErrorKind, TlsProblem,
};

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
        TlsProblem::OtherHost => (
            "The server's certificate is for another host name than the one in the connection string.",
            "Connect using a host name that is in the certificate.",
        ),
        TlsProblem::UnknownIssuer => (
            "The server's certificate comes from an authority that this computer does not trust.",
            "Ask your administrator for the authority's certificate, and name its file with tlsCAFile in the connection string.",
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
        LoginProblem::NoUser => (
            "The server expects a login, and the connection string names no user.",
            "Add the user's name to the connection string, and enter the password.",
        ),
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
