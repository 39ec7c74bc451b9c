//! Embeds the window's pages, restricts each of the app's commands by a permission of its own, and tells the program
//! where to find the DuckDB library.

#[path = "duckdb-rpath.rs"]
mod duckdb_rpath;

/// Every command of the app. The window can call none of them unless a capability allows it by name.
const COMMANDS: [&str; 54] = [
    "answer",
    "cache_usage",
    "cached_pipeline",
    "cached_queries",
    "cancel",
    "cancel_connect",
    "cancel_export",
    "cancel_rows",
    "change_mapping",
    "change_settings",
    "choose_file",
    "close_sql",
    "column_sums",
    "column_values",
    "connect",
    "copy_text",
    "delete_source",
    "edit_connection",
    "export_rows",
    "export_sql",
    "fetch",
    "find_cached_trades",
    "find_row",
    "find_source_trades",
    "forget",
    "group_rows",
    "list_collections",
    "list_databases",
    "log_problem",
    "move_cache",
    "open_request",
    "page",
    "pin_query",
    "pipeline",
    "plan",
    "preview_eviction",
    "propose_mapping",
    "remember_form",
    "row_count",
    "row_detail",
    "row_trades",
    "run_sql",
    "save_source",
    "set_cache_budget",
    "settings",
    "show_logs",
    "source_view",
    "sql_page",
    "sql_tables",
    "suggest",
    "test_source",
    "try_sample",
    "use_source",
    "view_shape",
];

fn main() {
    duckdb_rpath::main();
    let attributes = tauri_build::Attributes::new()
        .app_manifest(tauri_build::AppManifest::new().commands(&COMMANDS))
        // This package's folder is the workspace root, not `src-tauri`.
        .capabilities_path_pattern("./src-tauri/capabilities/*");
    if let Err(error) = tauri_build::try_build(attributes) {
        panic!("the app's set-up is wrong: {error:#}");
    }
}
