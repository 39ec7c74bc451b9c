//! The settings that are not about a source.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tauri::{AppHandle, State, WebviewWindow};
use tidemark_engine::api::settings::{SettingsChange, SettingsView};
use tidemark_engine::api::source::OpenRequest;
use tidemark_engine::cache::Cache;
use tidemark_engine::cache::store::relocate::Copied;
use tidemark_engine::engine::{Engine, off_thread};
use tidemark_engine::failure::{Code, Failure, Result};
use tracing::info;

use crate::dialogs;
use crate::state::{AppState, chosen_folder};

/// How often moving the cache is tried while the window still reads rows.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(200);

/// The settings.
#[tauri::command]
pub(crate) async fn settings(state: State<'_, Arc<AppState>>) -> Result<SettingsView> {
    view(&state)
}

/// Changes a setting.
#[tauri::command]
pub(crate) async fn change_settings(
    state: State<'_, Arc<AppState>>,
    change: SettingsChange,
) -> Result<SettingsView> {
    let limit = match &change {
        SettingsChange::MemoryLimit { bytes: Some(bytes) } => Some(memory_limit(*bytes)?),
        _ => None,
    };
    tokio::task::block_in_place(|| {
        state.settings.change(|settings| match change {
            SettingsChange::MemoryLimit { .. } => settings.memory_limit = limit,
            SettingsChange::Theme { theme } => settings.theme = theme,
            SettingsChange::Zone { zone } => settings.zone = zone,
        })
    })?;
    if let (SettingsChange::MemoryLimit { .. }, Ok(engine)) = (change, state.engine()) {
        engine.cache().set_memory(state.settings.get().memory_limit);
    }
    view(&state)
}

/// A memory limit that was typed, in bytes.
///
/// # Errors
/// `out_of_memory` if it is too little for a fetch, or more than any computer has.
fn memory_limit(bytes: f64) -> Result<u64> {
    /// 16 TB.
    const MOST: f64 = 17_592_186_044_416.0;
    #[expect(clippy::cast_precision_loss, reason = "a few hundred megabytes")]
    let least = Cache::least_memory() as f64;
    if !(least..=MOST).contains(&bytes) {
        let message = format!("The memory of a fetch is at least {} MB.", Cache::least_memory() >> 20);
        return Err(Failure::new(Code::OutOfMemory, message)
            .advise("Give a number of megabytes from there on, or leave it blank for the default."));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in the range")]
    Ok(bytes as u64)
}

/// Asks for a folder and moves the cache there. Null if the dialog was dismissed.
#[tauri::command]
pub(crate) async fn move_cache(
    app: AppHandle,
    window: WebviewWindow,
    state: State<'_, Arc<AppState>>,
) -> Result<Option<SettingsView>> {
    expect_movable(&state)?;
    let chosen = dialogs::choose_folder(&app, &window, "Move the cache to").await?;
    let Some(chosen) = chosen else { return Ok(None) };
    move_to(&state, &chosen).await?;
    view(&state).map(Some)
}

/// What the command line asks to be shown, once.
#[tauri::command]
pub(crate) async fn open_request(state: State<'_, Arc<AppState>>) -> Result<Option<OpenRequest>> {
    Ok(state.take_opening())
}

fn view(state: &AppState) -> Result<SettingsView> {
    let settings = state.settings.get();
    let folder = state.engine().map(|engine| engine.cache().folder().to_owned());
    let missing = chosen_folder(&settings).err().filter(|_| state.environment.cache_folder.is_none()).map(|folder| {
        format!(
            "The cache folder {} is missing. Until it is back and Tidemark is started again, the usual folder is used.",
            folder.display()
        )
    });
    let chosen = settings.cache_folder.unwrap_or_else(Engine::default_folder);
    let fixed =
        state.environment.cache_folder.as_ref().map(|_| {
            format!("The environment variable {} sets the folder.", tidemark_settings::CACHE_FOLDER)
        });
    Ok(SettingsView {
        cache_folder: folder.unwrap_or(chosen).display().to_string(),
        cache_folder_is_fixed: fixed,
        memory_limit: settings.memory_limit,
        default_memory_limit: Cache::default_memory(),
        least_memory_limit: Cache::least_memory(),
        theme: settings.theme,
        zone: settings.zone,
        file: state.settings.path().map_or_else(String::new, |path| path.display().to_string()),
        notice: match (state.settings.notice(), missing) {
            (Some(notice), Some(missing)) => Some(format!("{notice} {missing}")),
            (notice, missing) => notice.map(str::to_owned).or(missing),
        },
    })
}

/// # Errors
/// `cache_busy` while something reads or writes the cache, `cache_unusable` if the folder is fixed.
fn expect_movable(state: &AppState) -> Result<()> {
    if let Some(reason) = view(state)?.cache_folder_is_fixed {
        return Err(
            Failure::new(Code::CacheUnusable, reason).advise("Change the variable and start Tidemark again.")
        );
    }
    if !(state.runs.is_idle() && state.exports.is_idle()) {
        return Err(Failure::new(Code::CacheBusy, "The cache cannot be moved during a fetch or an export.")
            .advise("Wait until it is done, or cancel it."));
    }
    Ok(())
}

/// Moves the cache. Nothing reads or writes it meanwhile; if moving fails, it stays where it is.
async fn move_to(state: &AppState, chosen: &Path) -> Result<()> {
    let engine = state.engine()?;
    expect_movable(state)?;
    let moving = Failure::new(Code::CacheBusy, "The cache is being moved to a different folder.");
    state.set_engine(Err(moving.advise("Wait until it is done.")));
    let moved = copied(&engine, chosen).await.and_then(|copied| {
        let new = state.engine_on(copied.folder());
        let saved = new.and_then(|new| {
            let folder = copied.folder().to_owned();
            tokio::task::block_in_place(|| {
                state.settings.change(|settings| settings.cache_folder = Some(folder))
            })?;
            Ok(new)
        });
        match saved {
            Ok(new) => Ok((new, copied)),
            Err(failure) => {
                tokio::task::block_in_place(|| copied.discard());
                Err(failure)
            }
        }
    });
    match moved {
        Ok((new, copied)) => {
            info!(
                folder = new.cache().folder().display().to_string(),
                "the cache is in a different folder now"
            );
            state.set_engine(Ok(new));
            drop(engine);
            off_thread(move || {
                copied.remove_originals();
                Ok(())
            })
            .await
        }
        Err(failure) => {
            state.set_engine(Ok(engine));
            Err(failure)
        }
    }
}

/// Copies the cache, and tries again while a page of rows is still being read.
async fn copied(engine: &Engine, chosen: &Path) -> Result<Copied> {
    for _ in 1..TRIES {
        match engine.copy_cache(chosen.to_owned()).await {
            Err(failure) if failure.code == Code::CacheBusy => tokio::time::sleep(PAUSE).await,
            other => return other,
        }
    }
    engine.copy_cache(chosen.to_owned()).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;
    use crate::opening::Opening;

    /// The state of an app whose settings name a cache folder.
    fn state(folder: &Path, cache: &Path) -> AppState {
        let settings = serde_json::json!({"version": 2, "cache_folder": cache}).to_string();
        std::fs::write(folder.join("settings.json"), settings).expect("written");
        let environment = Environment { settings_folder: Some(folder.to_owned()), ..Environment::default() };
        AppState::new(environment, &Opening::default())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_moved_cache_is_used_and_remembered() {
        let folder = tempfile::tempdir().expect("a folder");
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        std::fs::create_dir(&old).expect("a folder");
        let state = state(folder.path(), &old);
        state.engine().expect("an engine").set_cache_budget(7_000_000).await.expect("a budget");
        move_to(&state, &new).await.expect("moved");
        assert_eq!(state.engine().expect("an engine").cache().budget(), Some(7_000_000));
        assert_eq!(view(&state).expect("settings").cache_folder, new.display().to_string());
        assert_eq!(state.settings.get().cache_folder, Some(new.clone()));
        assert!(!old.exists());

        let running = state.runs.begin(1);
        let busy = move_to(&state, &old).await.expect_err("a fetch is running");
        assert_eq!(busy.code, Code::CacheBusy);
        drop(running);
        let within = move_to(&state, &new.join("inside")).await.expect_err("it is inside the cache");
        assert_eq!(within.code, Code::CacheUnusable);
        assert_eq!(state.engine().expect("an engine").cache().folder(), new, "it stays in use");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_cache_folder_that_is_missing_is_said_and_not_made() {
        let folder = tempfile::tempdir().expect("a folder");
        let gone = folder.path().join("gone");
        let settings = tidemark_settings::Settings { cache_folder: Some(gone.clone()), ..Default::default() };
        assert_eq!(chosen_folder(&settings), Err(gone.clone()));
        let fixed = Environment {
            settings_folder: Some(folder.path().to_owned()),
            cache_folder: Some(folder.path().join("other")),
            ..Environment::default()
        };
        let state = AppState::new(fixed, &Opening::default());
        state.settings.change(|settings| settings.cache_folder = Some(gone.clone())).expect("written");
        let shown = view(&state).expect("settings");
        assert!(shown.notice.is_none() && shown.cache_folder_is_fixed.is_some(), "{shown:?}");
        assert!(!gone.exists());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn damaged_settings_do_not_start_an_empty_cache_beside_one_that_was_moved() {
        let folder = tempfile::tempdir().expect("a folder");
        let moved = folder.path().join("moved");
        let settings = serde_json::json!({"version": 2, "cache_folder": &moved}).to_string();
        let open = |text: &str| {
            std::fs::write(folder.path().join("settings.json"), text).expect("written");
            let environment =
                Environment { settings_folder: Some(folder.path().to_owned()), ..Environment::default() };
            AppState::new(environment, &Opening::default())
        };
        for text in [settings.trim_end_matches('}').to_owned(), settings.replace(":2", ":3")] {
            std::fs::create_dir(&moved).expect("a folder");
            let state = open(&text);
            let shown = view(&state).expect("settings");
            assert_eq!(shown.cache_folder, moved.display().to_string(), "{text}");
            let notice = shown.notice.expect("it is reported");
            assert!(notice.contains("still in") && !notice.contains("missing"), "{notice}");
            drop(state);
            std::fs::remove_dir_all(&moved).expect("removed");
        }
    }

    #[test]
    fn a_memory_limit_is_one_that_a_computer_has() {
        let megabytes = |number: f64| memory_limit(number * 1_048_576.0).map_err(|failure| failure.code);
        assert_eq!(megabytes(512.0), Ok(512 << 20));
        for number in [100.0, 0.0, -1.0, 1e14, f64::NAN] {
            assert_eq!(megabytes(number), Err(Code::OutOfMemory), "{number}");
        }
    }
}
