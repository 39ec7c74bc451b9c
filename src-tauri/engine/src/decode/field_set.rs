//! Sets of fields.

use fixedbitset::FixedBitSet;

use super::field::FieldId;

/// Fields per word of the text in the ledger.
const WORD: usize = 64;

/// A set of fields, by number.
#[derive(Debug, Clone, Default)]
pub struct FieldSet(FixedBitSet);

impl FieldSet {
    /// Adds a field.
    pub fn insert(&mut self, field: FieldId) {
        self.0.grow_and_insert(field as usize);
    }

    /// Adds all fields of another set.
    pub fn extend(&mut self, other: &Self) {
        self.0.union_with(&other.0);
    }

    /// The set without the given fields.
    #[must_use]
    pub fn without(&self, fields: &[FieldId]) -> Self {
        let mut rest = self.0.clone();
        for field in fields.iter().map(|field| *field as usize) {
            if field < rest.len() {
                rest.remove(field);
            }
        }
        Self(rest)
    }

    /// Whether the field is in the set.
    #[must_use]
    pub fn contains(&self, field: FieldId) -> bool {
        self.0.contains(field as usize)
    }

    /// The set as text, for the ledger: 64 fields per word, in hex, the first words first.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut words = vec![0_u64; self.0.maximum().map_or(0, |last| last / WORD + 1)];
        for field in self.0.ones() {
            words[field / WORD] |= 1 << (field % WORD);
        }
        words.iter().map(|word| format!("{word:x}")).collect::<Vec<_>>().join(",")
    }

    /// Reads a text that [`to_text`](Self::to_text) made; unreadable words count as empty.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let mut set = Self::default();
        for (at, word) in text.split(',').enumerate() {
            let word = u64::from_str_radix(word, 16).unwrap_or(0);
            let fields = (0..WORD).filter(|bit| word >> bit & 1 == 1);
            fields.for_each(|bit| set.0.grow_and_insert(at * WORD + bit));
        }
        set
    }
}

/// Two sets are equal if they have the same fields, whatever room they have for more.
impl PartialEq for FieldSet {
    fn eq(&self, other: &Self) -> bool {
        self.0.ones().eq(other.0.ones())
    }
}

impl Eq for FieldSet {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_the_same_after_it_was_stored() {
        let mut set = FieldSet::default();
        assert_eq!(FieldSet::from_text(&set.to_text()), set);
        for field in [0, 63, 64, 130] {
            set.insert(field);
        }
        assert_eq!(set.to_text(), "8000000000000001,1,4");
        assert_eq!(FieldSet::from_text("8000000000000001,1,4,0"), set);
        let rest = set.without(&[63, 130, 999]);
        assert!(rest.contains(0) && rest.contains(64) && !rest.contains(63) && !rest.contains(999));
        assert_eq!(rest.to_text(), "1,1");
    }
}
