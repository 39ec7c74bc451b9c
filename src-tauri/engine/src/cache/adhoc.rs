//! A trader's own SQL on the rows of a view: the tables that it reads, and the results that it gives.

pub mod result;
pub mod run;
pub(crate) mod tables;
