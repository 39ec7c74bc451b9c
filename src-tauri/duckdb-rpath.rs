//! Tells a program where to find the DuckDB library. One that is released looks in its package's folder alone:
//! any other place might be one that somebody else can write to, and whoever can put a library there runs code in
//! the program. One that is built for development also looks where it was linked from, and beside itself. The build
//! script of the crates that need no other, and a part of the desktop app's.

pub(crate) fn main() {
    println!("cargo::rerun-if-env-changed=DUCKDB_LIB_DIR");
    let (beside, packaged) = match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux") => ("$ORIGIN", "$ORIGIN/../lib/tidemark"),
        Ok("macos") => ("@loader_path", "@loader_path/../Frameworks"),
        // Windows looks beside the program by itself.
        _ => return,
    };
    let mut folders = vec![packaged.to_owned()];
    if std::env::var("PROFILE").as_deref() != Ok("release") {
        let linked =
            std::env::var("DUCKDB_LIB_DIR").ok().and_then(|folder| std::fs::canonicalize(folder).ok());
        let linked = linked.map(|folder| folder.display().to_string());
        folders.splice(0..0, linked.into_iter().chain([beside.to_owned()]));
    }
    for folder in folders {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
    }
}
