//! MongoDB, read-only: connecting, checking reachability, pulling, counting.

mod access;
mod address;
mod catalog;
mod certificates;
mod clock;
mod connect;
mod error;
mod link;
mod login;
mod moment;
mod options;
mod origin;
mod protocol_probe;
mod read;
mod refusal;
mod sample;
mod topology;
mod trial;
mod unmatched;
mod uri;

pub(crate) use access::FirstRead;
pub(crate) use address::check_uri;
pub(crate) use catalog::FoundKind;
pub use catalog::{ListedCollection, ListedKind};
pub(crate) use certificates::{check_authority, check_own, is_key_encrypted};
pub use clock::{Clock, ServerClock};
pub use connect::{Source, SourceSettings};
pub use error::{LoginProblem, NamePart, OptionProblem, SourceError, SourceErrorKind, TlsProblem};
pub use moment::{Batch, Batches, PullOrder, Reading, RunMoment, WindowMoment};
pub use origin::SourceOrigin;
pub(crate) use read::{ESTIMATE_DAYS, unreadable_reply};
pub use refusal::RefusedPart;
pub(crate) use refusal::is_refusal;
pub use topology::{HostFailure, HostProblem, NoServer};
pub(crate) use trial::{Host, PerHost, Trial, paths_in};
pub use unmatched::Suspect;
