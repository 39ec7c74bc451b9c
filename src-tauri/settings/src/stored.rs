//! The settings as data, and how each version of their file is read. Pure.

use std::hash::{BuildHasher as _, RandomState};
use std::path::PathBuf;
use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tidemark_engine::api::settings::{ShownZone, Theme};
use tidemark_engine::api::source::{SourceColour, SourceProfile};
use tidemark_engine::query::form::QueryInput;

/// The version of the file that this program writes.
///
/// | version | what it added |
/// |---|---|
/// | 1 | one source under `profile`; the file did not say its version |
/// | 2 | several sources, the cache folder, the memory limit, the theme, the zone |
pub(crate) const VERSION: u64 = 2;

/// The key of the cache folder, which later versions keep.
const CACHE_FOLDER: &str = "cache_folder";

/// A source that is set up. Contains no secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSource {
    /// Its id, which is never used for a different source.
    pub id: String,
    /// Its name, different from that of every other source.
    pub name: String,
    /// Its colour.
    #[serde(default, deserialize_with = "or_default")]
    pub colour: SourceColour,
    /// Where its documents are.
    #[serde(flatten)]
    pub profile: SourceProfile,
    /// Whether its secrets are kept in the keychain.
    #[serde(default)]
    pub keep_secrets: bool,
}

/// What is remembered between starts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// The sources, in the order in which they were added.
    pub sources: Vec<StoredSource>,
    /// The id of the source in use.
    pub in_use: Option<String>,
    /// The query form as it was left.
    pub form: Option<QueryInput>,
    /// The folder of the last export.
    pub export_folder: Option<PathBuf>,
    /// The folder of the cache; `None`: the default.
    pub cache_folder: Option<PathBuf>,
    /// The memory limit in bytes; `None`: the default.
    pub memory_limit: Option<u64>,
    /// The theme.
    pub theme: Theme,
    /// The zone in which points in time are shown.
    pub zone: ShownZone,
}

/// What was read from a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// The settings, and the keys of those that could not be read.
    Settings(Box<Settings>, Vec<String>),
    /// A newer program wrote the file. It names this folder of the cache.
    Newer(Option<PathBuf>),
    /// It is not a settings file. It seems to name this folder of the cache.
    Damaged(Option<PathBuf>),
}

impl Settings {
    /// The source with a name, whatever its case.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&StoredSource> {
        let wanted = name.trim().to_lowercase();
        self.sources.iter().find(|source| source.name.to_lowercase() == wanted)
    }

    /// The source with an id.
    #[must_use]
    pub fn source(&self, id: &str) -> Option<&StoredSource> {
        self.sources.iter().find(|source| source.id == id)
    }

    /// The source in use.
    #[must_use]
    pub fn used(&self) -> Option<&StoredSource> {
        self.source(self.in_use.as_deref()?)
    }

    /// A name for a source that has none: its database and collection, numbered if another source is called so.
    #[must_use]
    pub fn free_name(&self, profile: &SourceProfile, id: Option<&str>) -> String {
        let name = format!("{}.{}", profile.database.trim(), profile.collection.trim());
        let is_free = |name: &str| self.named(name).is_none_or(|source| Some(source.id.as_str()) == id);
        if is_free(&name) {
            return name;
        }
        let numbered = (2..).map(|number| format!("{name} {number}")).find(|name| is_free(name));
        numbered.unwrap_or(name)
    }

    /// Adds a source, or replaces the one with the same id. `id` is `None` for a new one. Returns its id.
    pub fn put(&mut self, id: Option<String>, source: impl FnOnce(String) -> StoredSource) -> String {
        let id = id.unwrap_or_else(Self::new_id);
        let source = source(id.clone());
        match self.sources.iter_mut().find(|known| known.id == id) {
            Some(known) => *known = source,
            None => self.sources.push(source),
        }
        id
    }

    /// A new id. The keychain of a user has the secrets of all settings folders, so a number that counts up would name
    /// those of a different source.
    fn new_id() -> String {
        let random = |_| RandomState::new().hash_one(SystemTime::now());
        let [high, low] = [0, 1].map(random);
        format!("{high:016x}{low:016x}")
    }

    /// The text of the file.
    pub(crate) fn to_json(&self) -> Value {
        let mut file = serde_json::to_value(self).unwrap_or_default();
        file["version"] = VERSION.into();
        file
    }

    /// Reads the text of a file of any version.
    pub(crate) fn read(text: &[u8]) -> Read {
        let Ok(mut file) = serde_json::from_slice::<Map<String, Value>>(text) else {
            return Read::Damaged(cache_folder_in(text));
        };
        let version = match file.get("version") {
            None => 1,
            Some(version) => match version.as_u64() {
                Some(version) if version > VERSION => {
                    return Read::Newer(take(&mut file, CACHE_FOLDER, &mut Vec::new()));
                }
                Some(version) => version,
                None => return Read::Damaged(cache_folder_in(text)),
            },
        };
        let mut settings = Self::default();
        let mut unread = Vec::new();
        if version < 2 {
            let profile: Option<SourceProfile> = take(&mut file, "profile", &mut unread);
            if let Some(profile) = profile {
                let name = settings.free_name(&profile, None);
                let colour = SourceColour::default();
                let id =
                    settings.put(None, |id| StoredSource { id, name, colour, profile, keep_secrets: true });
                settings.in_use = Some(id);
            }
        } else {
            for source in take::<Vec<Value>>(&mut file, "sources", &mut unread).unwrap_or_default() {
                let name = source.get("name").and_then(Value::as_str).unwrap_or("without a name").to_owned();
                let is_known =
                    |colour: &Value| serde_json::from_value::<SourceColour>(colour.clone()).is_ok();
                // Production may look like any other source now.
                if source.get("colour").is_some_and(|colour| !is_known(colour)) {
                    unread.push(format!("the colour of the source {name}"));
                }
                match serde_json::from_value::<StoredSource>(source) {
                    Ok(source) if settings.source(&source.id).is_none() => settings.sources.push(source),
                    _ => unread.push(format!("the source {name}")),
                }
            }
            settings.in_use = take(&mut file, "in_use", &mut unread);
        }
        settings.form = take(&mut file, "form", &mut unread);
        settings.export_folder = take(&mut file, "export_folder", &mut unread);
        settings.cache_folder = take(&mut file, CACHE_FOLDER, &mut unread);
        settings.memory_limit = take(&mut file, "memory_limit", &mut unread);
        settings.theme = take(&mut file, "theme", &mut unread).unwrap_or_default();
        settings.zone = take(&mut file, "zone", &mut unread).unwrap_or_default();
        unread.dedup();
        Read::Settings(Box::new(settings), unread)
    }
}

/// The cache folder that a damaged file names, if that part of it is whole. The cache is too dear to be lost sight of.
fn cache_folder_in(text: &[u8]) -> Option<PathBuf> {
    let text = String::from_utf8_lossy(text);
    let (_, after) = text.split_once(&format!("\"{CACHE_FOLDER}\""))?;
    let value = after.trim_start().strip_prefix(':')?;
    serde_json::Deserializer::from_str(value).into_iter::<PathBuf>().next()?.ok()
}

/// Reads a value, or takes its default in place of one that this program does not know.
fn or_default<'de, T, D>(reader: D) -> Result<T, D::Error>
where
    T: DeserializeOwned + Default,
    D: serde::Deserializer<'de>,
{
    let value = Value::deserialize(reader)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// Takes one of the settings out of the file. One that cannot be read does not take the others with it.
fn take<T: DeserializeOwned>(
    file: &mut Map<String, Value>,
    key: &str,
    unread: &mut Vec<String>,
) -> Option<T> {
    let value = file.remove(key).filter(|value| !value.is_null())?;
    serde_json::from_value(value).inspect_err(|_| unread.push(key.to_owned())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(database: &str) -> SourceProfile {
        SourceProfile {
            uri: "mongodb://db1/".to_owned(),
            database: database.to_owned(),
            collection: "trades".to_owned(),
            mapping: String::new(),
        }
    }

    fn add(settings: &mut Settings, name: &str) -> String {
        settings.put(None, |id| StoredSource {
            id,
            name: name.to_owned(),
            colour: SourceColour::Red,
            profile: profile("desk"),
            keep_secrets: true,
        })
    }

    fn read(text: &str) -> (Settings, Vec<String>) {
        match Settings::read(text.as_bytes()) {
            Read::Settings(settings, unread) => (*settings, unread),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut settings = Settings { memory_limit: Some(1), theme: Theme::Dark, ..Settings::default() };
        settings.in_use = Some(add(&mut settings, "Production"));
        add(&mut settings, "Test");
        assert_eq!(read(&settings.to_json().to_string()), (settings, Vec::new()));
    }

    #[test]
    fn the_one_source_of_version_1_becomes_the_first() {
        let (settings, unread) = read(
            r#"{"profile": {"uri": "mongodb://ann@db1/", "database": "desk", "collection": "trades", "mapping": ""},
                "form": {"from": "2025-01-01", "to": "2025-01-31", "filters": [], "advanced": ""}}"#,
        );
        assert_eq!(unread, [""; 0]);
        assert_eq!(settings.used().expect("a source").name, "desk.trades");
        assert_eq!(settings.form.expect("a form").to, "2025-01-31");
    }

    #[test]
    fn a_damaged_part_loses_only_itself() {
        let (settings, unread) = read(
            r#"{"version": 2, "theme": "mauve", "zone": "utc", "in_use": "7", "sources": [
                {"id": "7", "name": "A", "colour": "pink", "uri": "mongodb://a/", "database": "d", "collection": "c"},
                {"id": "8", "name": "B", "colour": "red"}]}"#,
        );
        assert_eq!(unread, ["the colour of the source A", "the source B", "theme"]);
        assert_eq!((settings.sources.len(), settings.sources[0].colour), (1, SourceColour::Grey));
        assert_eq!((settings.zone, settings.theme), (ShownZone::Utc, Theme::System));
        assert_eq!(Settings::read(b"{\"version\": 2,"), Read::Damaged(None));
        assert_eq!(Settings::read(b"[]"), Read::Damaged(None));
        assert_eq!(Settings::read(br#"{"version": 9}"#), Read::Newer(None));
    }

    #[test]
    fn a_file_that_cannot_be_used_still_says_where_the_cache_is() {
        let folder = |path: &str| Some(PathBuf::from(path));
        for (text, expected) in [
            (r#"{"version": 9, "cache_folder": "/disk/cache"}"#, Read::Newer(folder("/disk/cache"))),
            (r#"{"version": "x", "cache_folder": "/disk/cache"}"#, Read::Damaged(folder("/disk/cache"))),
            (
                r#"{"version": 2, "cache_folder" : "C:\\a \"b\"", "theme": "#,
                Read::Damaged(folder(r#"C:\a "b""#)),
            ),
            (r#"{"version": 2, "cache_folder": null, "theme": "#, Read::Damaged(None)),
            (r#"{"version": 2, "cache_folder": "/disk/ca"#, Read::Damaged(None)),
        ] {
            assert_eq!(Settings::read(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn the_id_of_a_deleted_source_is_not_used_again() {
        let mut settings = Settings::default();
        let first = add(&mut settings, "A");
        settings.sources.clear();
        assert_ne!(add(&mut settings, "B"), first);
    }

    #[test]
    fn a_name_that_is_taken_is_numbered() {
        let mut settings = Settings::default();
        let first = add(&mut settings, "Desk.trades");
        assert_eq!(settings.free_name(&profile("desk"), None), "desk.trades 2");
        assert_eq!(settings.free_name(&profile("desk"), Some(&first)), "desk.trades", "its own name");
        assert_eq!(settings.named(" desk.TRADES ").map(|source| &source.id), Some(&first));
    }
}
