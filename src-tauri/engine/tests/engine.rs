//! The engine's tests against a real server, in one program: as a program each, most of their time would go into
//! compiling and linking.
#![allow(clippy::unwrap_used)]

mod budget;
mod concurrency;
mod connection;
mod corpora;
mod days;
mod desks;
mod faults;
mod fetch;
mod files;
mod find;
mod format;
mod formats;
mod forms;
mod late_fields;
mod local_filter;
mod messages;
mod moment;
mod outside;
mod proposal;
mod read_only;
mod row_order;
mod row_query;
mod sorting;
mod source_test;
mod sql;
mod support;
mod tls;
mod unmatched;
mod verify;
mod wide;
