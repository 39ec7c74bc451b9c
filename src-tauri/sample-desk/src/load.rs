//! Writes a desk to a server.

use std::fmt;
use std::time::{Duration, Instant};

use bson::raw::RawDocumentBuf;
use mongodb::{Client, IndexModel};
use tokio::sync::mpsc::{self, error::SendError};
use tokio::task::JoinSet;

use crate::{Desk, Documents};

/// Options of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadOptions {
    /// Drop the collection first.
    pub replace: bool,
    /// Documents per `insert_many`.
    pub batch: usize,
    /// Number of batches in progress at once.
    pub writers: usize,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { replace: false, batch: 1_000, writers: 4 }
    }
}

/// Why a desk could not be loaded.
#[derive(Debug)]
pub enum LoadError {
    /// The server rejected the messages or could not be reached.
    Server(mongodb::error::Error),
    /// A task of the load failed.
    Task(String),
}

impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(error) => {
                write!(formatter, "The server did not take the messages: {error}")
            }
            Self::Task(error) => write!(formatter, "The load broke off: {error}"),
        }
    }
}

impl std::error::Error for LoadError {}

impl From<mongodb::error::Error> for LoadError {
    fn from(error: mongodb::error::Error) -> Self {
        Self::Server(error)
    }
}

impl From<tokio::task::JoinError> for LoadError {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Task(error.to_string())
    }
}

/// Loads the desk's messages into a collection and creates the indexes that a fetch needs. Calls `progress` with the
/// number of messages written so far, a few times per second and once at the end.
///
/// Returns the number of messages written.
pub async fn load(
    uri: &str,
    database: &str,
    collection: &str,
    desk: &Desk,
    options: LoadOptions,
    mut progress: impl FnMut(u64),
) -> Result<u64, LoadError> {
    let client = Client::with_uri_str(uri).await?;
    let collection = client.database(database).collection::<RawDocumentBuf>(collection);
    if options.replace {
        collection.drop().await?;
    }
    let index = |keys| IndexModel::builder().keys(keys).build();
    collection
        .create_indexes([
            index(bson::doc! { "year": 1, "day_of_year": 1, "product": 1 }),
            index(bson::doc! { "trade_id": 1 }),
            index(bson::doc! { "timestamp": 1 }),
        ])
        .await?;

    // The generator waits if the server is slower, so little is ever in memory.
    let (batches, queue) = mpsc::channel(1);
    let documents = desk.documents();
    let maker = tokio::task::spawn_blocking(move || {
        // Fails if the queue is closed because a writer failed, which is reported separately.
        let _ = make_batches(documents, options.batch.max(1), &batches);
    });

    let mut queue = queue;
    let mut writers: JoinSet<Result<u64, mongodb::error::Error>> = JoinSet::new();
    let mut written = 0;
    let mut told = Instant::now();
    while let Some(batch) = queue.recv().await {
        if writers.len() >= options.writers.max(1)
            && let Some(done) = writers.join_next().await
        {
            written += done??;
            if told.elapsed() > Duration::from_millis(200) {
                told = Instant::now();
                progress(written);
            }
        }
        let collection = collection.clone();
        writers.spawn(async move {
            let count = batch.len() as u64;
            collection.insert_many(batch).ordered(false).await.map(|_| count)
        });
    }
    while let Some(done) = writers.join_next().await {
        written += done??;
    }
    maker.await?;
    progress(written);
    client.shutdown().await;
    Ok(written)
}

fn make_batches(
    mut documents: Documents,
    size: usize,
    batches: &mpsc::Sender<Vec<RawDocumentBuf>>,
) -> Result<(), SendError<Vec<RawDocumentBuf>>> {
    loop {
        let batch: Vec<_> = documents.by_ref().take(size).collect();
        if batch.is_empty() {
            return Ok(());
        }
        batches.blocking_send(batch)?;
    }
}
