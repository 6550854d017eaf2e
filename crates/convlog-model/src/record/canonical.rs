//! The canonical fields of one record, in one piece of memory: a record has some twenty, each is
//! set once and all are read in order.

use super::Source;
use crate::json::Text;

/// Fields that most records have no more of.
const ROOM: usize = 24;

/// The canonical fields of one record, by path (see [`crate::fields`]), in the order of the paths.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Canonical(Vec<Entry>);

#[derive(Clone, PartialEq, Eq, Debug)]
struct Entry {
    /// The first bytes of the path: most paths are told apart by them.
    head: [u64; 2],
    path: Text,
    source: Source,
}

fn head(path: &str) -> [u64; 2] {
    let mut head = [[0; 8]; 2];
    let places = head.iter_mut().flatten();
    places.zip(path.bytes()).for_each(|(to, byte)| *to = byte);
    head.map(u64::from_be_bytes)
}

impl Canonical {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Canonical(Vec::new())
    }

    fn place(&self, head: [u64; 2], path: &str) -> Result<usize, usize> {
        // Who knows the order sets one field behind the other.
        let is_behind = |last: &Entry| (last.head, last.path.as_str()) < (head, path);
        if self.0.last().is_none_or(is_behind) {
            return Err(self.0.len());
        }
        let order = |known: &Entry| {
            known
                .head
                .cmp(&head)
                .then_with(|| known.path.as_str().cmp(path))
        };
        self.0.binary_search_by(order)
    }

    /// Sets a field, whether it is there or not.
    pub fn insert(&mut self, path: Text, source: Source) {
        if self.0.capacity() == 0 {
            self.0.reserve(ROOM);
        }
        let head = head(&path);
        match self.place(head, &path) {
            Ok(place) => {
                if let Some(field) = self.0.get_mut(place) {
                    field.source = source;
                }
            }
            Err(place) => {
                let entry = Entry { head, path, source };
                self.0.insert(place, entry);
            }
        }
    }

    /// A field.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Source> {
        let place = self.place(head(path), path).ok()?;
        self.0.get(place).map(|field| &field.source)
    }

    /// Whether a field is there.
    #[must_use]
    pub fn contains_key(&self, path: &str) -> bool {
        self.place(head(path), path).is_ok()
    }

    /// Takes a field out.
    pub fn remove(&mut self, path: &str) -> Option<Source> {
        let place = self.place(head(path), path).ok()?;
        Some(self.0.remove(place).source)
    }

    /// Takes the fields out of which `stays` says no.
    pub fn retain(&mut self, mut stays: impl FnMut(&str) -> bool) {
        self.0.retain(|field| stays(&field.path));
    }

    /// Number of fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields.
    #[must_use]
    pub fn iter(&self) -> Fields<'_> {
        self.into_iter()
    }

    /// Their paths.
    pub fn keys(&self) -> impl Iterator<Item = &Text> {
        self.0.iter().map(|field| &field.path)
    }

    /// Where their values stand.
    pub fn values(&self) -> impl Iterator<Item = &Source> {
        self.0.iter().map(|field| &field.source)
    }
}

/// Fields in the order of their paths.
#[derive(Clone, Debug)]
pub struct Fields<'a>(std::slice::Iter<'a, Entry>);

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a Text, &'a Source);

    fn next(&mut self) -> Option<Self::Item> {
        let field = self.0.next()?;
        Some((&field.path, &field.source))
    }
}

impl<'a> IntoIterator for &'a Canonical {
    type Item = (&'a Text, &'a Source);
    type IntoIter = Fields<'a>;

    fn into_iter(self) -> Fields<'a> {
        Fields(self.0.iter())
    }
}

impl FromIterator<(Text, Source)> for Canonical {
    fn from_iter<I: IntoIterator<Item = (Text, Source)>>(fields: I) -> Self {
        let mut canonical = Canonical::new();
        for (path, source) in fields {
            canonical.insert(path, source);
        }
        canonical
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;

    #[test]
    fn fields_are_found_replaced_and_taken_out_in_the_order_of_their_paths() {
        let value = |text: &str| Source::Value(Json::string(text));
        let fields = [("user", "a"), ("bot", "b"), ("user.x", "c"), ("user", "d")];
        let mut canonical: Canonical = fields
            .into_iter()
            .map(|(path, text)| (path.into(), value(text)))
            .collect();
        let keys = |canonical: &Canonical| canonical.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&canonical), ["bot", "user", "user.x"]);
        assert_eq!(canonical.get("user"), Some(&value("d")));
        assert_eq!(canonical.get("use"), None);
        assert_eq!(canonical.remove("bot"), Some(value("b")));
        assert_eq!(canonical.remove("bot"), None);
        assert!(canonical.contains_key("user.x") && !canonical.contains_key("bot"));
        assert_eq!((canonical.len(), canonical.is_empty()), (2, false));
        assert_eq!(canonical.iter().count(), canonical.values().count());
    }
}
