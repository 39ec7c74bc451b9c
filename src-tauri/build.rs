//! Takes the window's pages in, gates each command of the app by a permission of its own, and tells the
//! program where to find the DuckDB library.

/// Every command of the app. None can be called from the window unless a capability allows it by name.
const COMMANDS: [&str; 17] = [
    "answer",
    "cached_queries",
    "cancel",
    "cancel_export",
    "connect",
    "copy_text",
    "export_csv",
    "fetch",
    "forget",
    "page",
    "pipeline",
    "plan",
    "remember_form",
    "row_detail",
    "source_view",
    "suggest",
    "view_shape",
];

fn main() {
    duckdb_library();
    let attributes = tauri_build::Attributes::new()
        .app_manifest(tauri_build::AppManifest::new().commands(&COMMANDS))
        // This package's folder is the house, not `src-tauri`.
        .capabilities_path_pattern("./src-tauri/capabilities/*");
    if let Err(error) = tauri_build::try_build(attributes) {
        panic!("the app's set-up is wrong: {error:#}");
    }
}

/// Where it was linked from, and beside the program for packages that bring it along.
fn duckdb_library() {
    println!("cargo::rerun-if-env-changed=DUCKDB_LIB_DIR");
    let (beside, packaged) = match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux") => ("$ORIGIN", "$ORIGIN/../lib/tidemark"),
        Ok("macos") => ("@loader_path", "@loader_path/../Frameworks"),
        // Windows looks beside the program by itself.
        _ => return,
    };
    let linked = std::env::var("DUCKDB_LIB_DIR").ok().and_then(|folder| std::fs::canonicalize(folder).ok());
    let linked = linked.map(|folder| folder.display().to_string());
    for folder in linked.iter().map(String::as_str).chain([beside, packaged]) {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
    }
}
