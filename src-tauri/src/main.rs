//! Tidemark's desktop app: a thin shell. Each command unpacks the window's request, calls the engine, and returns its
//! result. The app itself only decides what belongs to a desktop: which source is in use, whether it is reachable,
//! what is remembered, and where an export is saved.

// No console window next to the app on Windows.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod active;
mod commands;
mod connection;
mod diagnostics;
mod dialogs;
mod environment;
mod file_name;
mod one_window;
mod opening;
mod sources;
mod state;
mod suggestions;
mod tasks;

use std::process::ExitCode;
use std::sync::Arc;

use tauri::{Manager as _, RunEvent};

use crate::environment::Environment;
use crate::opening::Opening;
use crate::state::AppState;

fn main() -> ExitCode {
    diagnostics::report_panics();
    let opening = match Opening::parse(std::env::args_os()) {
        Ok(opening) => opening,
        // The help, or what is wrong with the arguments.
        Err(message) => message.exit(),
    };
    let logs = tidemark_logs::start(false);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), process = std::process::id(), "tidemark started");
    let environment = Environment::read();
    let mut builder = tauri::Builder::default();
    // Must come first, so that a second start opens no files.
    if let Some(plugin) = one_window::plugin(&environment) {
        builder = builder.plugin(plugin);
    }
    let app = builder
        .plugin(window_place(&environment))
        .setup(move |app| {
            let handle = app.handle();
            app.manage(Arc::new(AppState::new(environment, &opening)));
            connection::watch(handle);
            Ok(())
        })
        .invoke_handler(tauri::generate_handler![
            commands::source::source_view,
            commands::source::connect,
            commands::source::cancel_connect,
            commands::source::save_source,
            commands::source::use_source,
            commands::source::delete_source,
            commands::source::try_sample,
            commands::source::remember_form,
            commands::source_form::test_source,
            commands::source_form::list_databases,
            commands::source_form::list_collections,
            commands::source_form::propose_mapping,
            commands::source_form::edit_connection,
            commands::source_form::change_mapping,
            commands::source_form::choose_file,
            commands::settings::settings,
            commands::settings::change_settings,
            commands::settings::move_cache,
            commands::settings::open_request,
            commands::run::plan,
            commands::run::fetch,
            commands::run::cancel,
            commands::run::pipeline,
            commands::view::answer,
            commands::view::view_shape,
            commands::view::page,
            commands::view::cached_pipeline,
            commands::view::row_detail,
            commands::view::row_count,
            commands::view::find_row,
            commands::view::column_values,
            commands::view::column_sums,
            commands::view::group_rows,
            commands::view::cancel_rows,
            commands::sql::sql_tables,
            commands::sql::run_sql,
            commands::sql::sql_page,
            commands::sql::close_sql,
            commands::trades::row_trades,
            commands::trades::find_cached_trades,
            commands::trades::find_source_trades,
            commands::cache::cached_queries,
            commands::cache::forget,
            commands::cache::cache_usage,
            commands::cache::set_cache_budget,
            commands::cache::pin_query,
            commands::cache::preview_eviction,
            commands::cache::suggest,
            commands::export::export_rows,
            commands::export::export_sql,
            commands::export::cancel_export,
            commands::clipboard::copy_text,
            commands::logs::show_logs,
            commands::logs::log_problem,
        ])
        .build(tauri::generate_context!());
    match app {
        Ok(app) => {
            let mut logs = Some(logs);
            app.run(move |handle, event| {
                if let RunEvent::Exit = event {
                    // Shutting down takes a moment; starting the program meanwhile should open a new window.
                    tauri_plugin_single_instance::destroy(handle);
                    handle.state::<Arc<AppState>>().shutdown();
                    // The program ends without returning from here; what is still to be written is written now.
                    drop(logs.take());
                }
            });
            ExitCode::SUCCESS
        }
        Err(error) => {
            diagnostics::report(&format!("Tidemark could not open its window: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Remembers the window's position and size, next to the settings.
fn window_place<R: tauri::Runtime>(environment: &Environment) -> tauri::plugin::TauriPlugin<R> {
    use tauri_plugin_window_state::{Builder, StateFlags};
    const FILE: &str = "window.json";
    let path = environment.settings_folder.as_ref().map_or_else(|| FILE.into(), |folder| folder.join(FILE));
    let flags = StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED | StateFlags::FULLSCREEN;
    Builder::new().with_state_flags(flags).with_filename(path.to_string_lossy()).build()
}
