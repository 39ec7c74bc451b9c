//! The tests of the command line, in one program: as a program each, most of their time would go into compiling
//! and linking.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod cache_folder;
mod connection;
mod damage;
mod disk_full;
mod exports;
mod find;
mod kills;
mod large;
mod logs;
mod mapping;
mod odd_collection;
mod read_only_cache;
mod secrets;
mod sources;
mod sql;
mod stop;
mod support;
mod two_processes;
