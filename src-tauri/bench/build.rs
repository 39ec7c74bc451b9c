//! Tells the program where to find the DuckDB library: where it was linked from, and beside itself
//! for packages that bring it along.

fn main() {
    println!("cargo::rerun-if-env-changed=DUCKDB_LIB_DIR");
    let beside = match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux") => "$ORIGIN",
        Ok("macos") => "@loader_path",
        // Windows looks beside the program by itself.
        _ => return,
    };
    let built_with =
        std::env::var("DUCKDB_LIB_DIR").ok().and_then(|folder| std::fs::canonicalize(folder).ok());
    for folder in built_with
        .iter()
        .map(|folder| folder.display().to_string())
        .chain([beside.to_owned(), format!("{beside}/../lib/tidemark")])
    {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
    }
}
