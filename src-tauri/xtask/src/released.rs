//! What a released program must not do, read back from the program itself.

use std::path::Path;

use object::elf::{DT_RPATH, DT_RUNPATH, FileHeader64};
use object::read::elf::{Dyn as _, FileHeader as _, SectionHeader as _};
use object::{Endianness, elf};

use crate::Outcome;

/// The only folder that a released program looks for libraries in by itself.
const LIBRARIES: &str = "$ORIGIN/../lib/tidemark";
/// How the variables begin that only tests set.
const TEST_VARIABLES: &[u8] = b"TIDEMARK_TEST_";

/// Refuses a program that loads libraries from a folder that somebody else may be able to write to, or that heeds
/// a variable of the tests.
pub(crate) fn check(program: &Path) -> Outcome {
    let bytes = std::fs::read(program).map_err(|error| format!("{}: {error}.", program.display()))?;
    let folders = dynamic_texts(&bytes, &[DT_RPATH, DT_RUNPATH])
        .map_err(|error| format!("{} cannot be read: {error}.", program.display()))?;
    if folders != [LIBRARIES] {
        return Err(format!(
            "{} looks for libraries in {folders:?}; it must look in {LIBRARIES} alone.",
            program.display()
        ));
    }
    if bytes.windows(TEST_VARIABLES.len()).any(|part| part == TEST_VARIABLES) {
        return Err(format!("{} knows a variable that only tests may set.", program.display()));
    }
    Ok(())
}

/// The texts of a program's dynamic section that have one of these tags.
fn dynamic_texts(bytes: &[u8], tags: &[u32]) -> object::Result<Vec<String>> {
    let header = FileHeader64::<Endianness>::parse(bytes)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, bytes)?;
    let mut found = Vec::new();
    for section in sections.iter().filter(|section| section.sh_type(endian) == elf::SHT_DYNAMIC) {
        let Some((entries, strings)) = section.dynamic(endian, bytes)? else { continue };
        let strings = sections.strings(endian, bytes, strings)?;
        for entry in entries.iter().filter(|entry| tags.iter().any(|tag| entry.tag32(endian) == Some(*tag))) {
            found.push(String::from_utf8_lossy(entry.string(endian, strings)?).into_owned());
        }
    }
    Ok(found)
}

#[cfg(all(test, target_os = "linux", target_pointer_width = "64"))]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_loads_is_read() {
        let own = std::fs::read(std::env::current_exe().expect("this program")).expect("its bytes");
        let needed = dynamic_texts(&own, &[elf::DT_NEEDED]).expect("a program");
        assert!(needed.iter().any(|library| library.starts_with("libc.so")), "{needed:?}");
        assert!(dynamic_texts(b"no program", &[DT_RUNPATH]).is_err());
    }

    /// This very program is no released one: it looks nowhere, and it names the variable.
    #[test]
    fn another_program_is_refused() {
        let problem = check(&std::env::current_exe().expect("this program")).expect_err("not released");
        assert!(problem.contains("alone"), "{problem}");
    }
}
