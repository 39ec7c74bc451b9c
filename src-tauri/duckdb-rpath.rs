//! Tells a program where to find the DuckDB library: where it was linked from, and beside itself or in
//! its package's folder for packages that bring it along. The build script of the crates that need no
//! other, and a part of the desktop app's.

pub(crate) fn main() {
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
