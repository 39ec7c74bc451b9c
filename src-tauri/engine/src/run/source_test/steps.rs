//! The steps of a test of a source.

use std::time::Duration;

use super::role::least_privilege;
use super::{Found, Stop};
use crate::api::source_failures::{in_a_clause, of_hosts, of_refused_part};
use crate::failure::{Code, Failure};
use crate::query::mapping::Mapping;
use crate::source::{
    FirstRead, Host, HostFailure, PerHost, RefusedPart, Source, SourceError, SourceErrorKind, Trial,
};
use crate::words::joined;

/// Looks up the names of the hosts.
pub(super) async fn resolve(source: &Source) -> Result<(Found, Trial), Stop> {
    let trial = source.trial().await?;
    if let Some(proxy) = trial.proxy() {
        let found = Found::skipped(format!("The proxy {} looks up the names.", proxy.address()));
        return Ok((found, trial));
    }
    let resolved = trial.resolve_hosts().await;
    if resolved.is_empty() {
        return Ok((Found::skipped("A Unix socket has no name to look up."), trial));
    }
    let listed = trial.srv_name.as_ref().map(|name| {
        let hosts: Vec<String> = resolved.iter().map(|(host, _)| host.address()).collect();
        format!("{name} lists {}. ", joined(&hosts))
    });
    let mut names = Vec::new();
    let mut parts: Vec<String> = Vec::new();
    for (host, resolved) in &resolved {
        if names.contains(&&host.name) {
            continue;
        }
        names.push(&host.name);
        parts.push(match resolved {
            Ok(addresses) => {
                let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                match &addresses[..] {
                    [only] if only == host.name.trim_matches(['[', ']']) => format!("{only} is an address"),
                    all => format!("{} is {}", host.name, joined(all)),
                }
            }
            Err((failure, _)) => in_a_clause(failure),
        });
    }
    let detail = format!("{}{}.", listed.unwrap_or_default(), parts.join("; "));
    let found = per_host(&resolved, detail)?;
    Ok((found, trial))
}

/// Connects to the hosts. Without TLS, also proves that they speak MongoDB; returns what only TLS can mend.
pub(super) async fn reach(source: &Source, trial: &Trial) -> Result<(Found, Option<Failure>), Stop> {
    let part = |(host, reached): &(Host, Result<Duration, _>)| match reached {
        Ok(elapsed) => format!("{} accepts connections ({} ms)", host.address(), elapsed.as_millis()),
        Err((failure, _)) => in_a_clause(failure),
    };
    let mut found = if let Some(proxy) = trial.proxy() {
        let reached = source.reach_hosts(vec![proxy]).await;
        let parts: Vec<String> = reached.iter().map(part).collect();
        per_host(&reached, format!("The proxy {}; it connects to the server.", parts.concat()))?
    } else {
        let reached = source.reach_hosts(trial.hosts()).await;
        let parts: Vec<String> = reached.iter().map(part).collect();
        if parts.is_empty() {
            Found::skipped("A Unix socket has no port.")
        } else {
            per_host(&reached, format!("{}.", parts.join("; ")))?
        }
    };
    if trial.has_tls() {
        return Ok((found, None));
    }
    match source.ping_without_login(trial).await {
        Ok(()) => {
            found.detail.push_str(" It is a MongoDB server.");
            Ok((found, None))
        }
        Err(failure) if failure.code == Code::TlsFailed => Ok((found, Some(failure))),
        Err(failure) => Err(with_announced(failure, trial).into()),
    }
}

/// Agrees on TLS, without a login. `refused` is why the server does not talk without TLS.
pub(super) async fn tls(source: &Source, trial: &Trial, refused: Option<Failure>) -> Result<Found, Stop> {
    if let Some(failure) = refused {
        return Err(failure.into());
    }
    if !trial.has_tls() {
        return Ok(Found::skipped(if trial.is_local() {
            "TLS is off. What is sent stays on this computer."
        } else {
            "TLS is off: anyone on the network can read what is sent."
        }));
    }
    source.ping_without_login(trial).await.map_err(|failure| with_announced(failure, trial))?;
    Ok(if trial.checks_certificate() {
        Found::passed("The connection is encrypted, and the server's certificate is valid.")
    } else {
        Found::warned(
            "The connection is encrypted, but the server's certificate is not checked: any server is trusted.",
        )
    })
}

/// Logs in.
pub(super) async fn sign_in(source: &Source, trial: &Trial) -> Result<Found, Stop> {
    if !trial.has_login() {
        return Ok(Found::skipped("No user: the connection string names none."));
    }
    source.ping().await?;
    Ok(Found::passed(match &source.identity().user {
        Some(user) => format!("The server accepts the user {user}."),
        None => "The server accepts the client certificate.".to_owned(),
    }))
}

/// What the first reads of the trades' and, if the mapping names one, the messages' collection came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reads {
    pub(super) trades: FirstRead,
    pub(super) messages: Option<FirstRead>,
}

/// Reads a document of each collection.
pub(super) async fn read(source: &Source, mapping: &Mapping) -> Result<(Found, Reads), Stop> {
    let messages = mapping.downstream_collection.as_deref();
    let names = collections(source, mapping);
    let stop = |failure: Failure| {
        let fix = (failure.code == Code::NotAuthorized).then(|| least_privilege(source.identity(), &names));
        Stop { failure, fix }
    };
    let mut reads = Reads { trades: source.first_read(None).await.map_err(stop)?, messages: None };
    if messages.is_some() {
        reads.messages = Some(source.first_read(messages).await.map_err(stop)?);
    }
    let read = names.iter().zip([Some(reads.trades), reads.messages].into_iter().flatten());
    let slow: Vec<String> = read
        .filter(|(_, read)| *read == FirstRead::TooSlow)
        .map(|(name, _)| format!("Reading one document of {name} takes longer than 5 s."))
        .collect();
    let found = if slow.is_empty() {
        let named: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Found::passed(format!("{} in the database {} can be read.", joined(&named), source.database_name()))
    } else {
        Found::warned(slow.join(" "))
    };
    Ok((found, reads))
}

/// The collections that a fetch reads, each once.
pub(super) fn collections<'a>(source: &'a Source, mapping: &'a Mapping) -> Vec<&'a str> {
    let mut names = vec![source.collection_name()];
    names.extend(mapping.downstream_collection.as_deref().filter(|name| *name != source.collection_name()));
    names
}

/// The failure of a query of the test that the server refuses because of a match of the mapping.
pub(super) fn refused_by(failure: Failure, part: RefusedPart) -> Failure {
    match failure.source_as().map(SourceError::kind) {
        Some(SourceErrorKind::Refused) => of_refused_part(failure, part),
        _ => failure,
    }
}

/// Passed if every host did, warned if some did, and otherwise the failure of all.
#[expect(clippy::result_large_err, reason = "a step fails at most once per test")]
fn per_host<T>(hosts: &PerHost<T>, detail: String) -> Result<Found, Stop> {
    let failed: Vec<&(HostFailure, String)> =
        hosts.iter().filter_map(|(_, found)| found.as_ref().err()).collect();
    if failed.is_empty() {
        Ok(Found::passed(detail))
    } else if failed.len() < hosts.len() {
        Ok(Found::warned(detail))
    } else {
        let causes: Vec<&str> = failed.iter().map(|(_, cause)| cause.as_str()).collect();
        let failures: Vec<HostFailure> = failed.iter().map(|(failure, _)| failure.clone()).collect();
        Err(of_hosts(&failures).because(causes.join("; ")).into())
    }
}

/// Says so if hosts cannot be reached that only the replica set itself names: its members' own names may mean nothing
/// outside their network.
fn with_announced(failure: Failure, trial: &Trial) -> Failure {
    let Some(SourceErrorKind::NoHost(hosts)) = failure.source_as().map(SourceError::kind) else {
        return failure;
    };
    let given: Vec<String> = trial.hosts().iter().map(|host| host.address()).collect();
    let Some(announced) = hosts.iter().find(|host| !given.contains(&host.address)) else { return failure };
    let advice = format!(
        "The server says that its replica set is at {}, which cannot be reached from here. Ask your database team for names that can, or add directConnection=true to connect to one member alone.",
        announced.address
    );
    failure.advise(advice)
}
