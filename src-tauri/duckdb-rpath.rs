//! Tells a program where to find the DuckDB library. A release build looks only in its package's folder: any other
//! place might be writable by someone else, who could run code in the program by putting a library there. A
//! development build also looks where it was linked from, and next to itself. This is the build script of crates that
//! need no other, and part of the desktop app's.

pub(crate) fn main() {
    println!("cargo::rerun-if-env-changed=DUCKDB_LIB_DIR");
    let (beside, packaged) = match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux") => ("$ORIGIN", "$ORIGIN/../lib/tidemark"),
        Ok("macos") => ("@loader_path", "@loader_path/../Frameworks"),
        // Windows looks next to the program by default.
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
