//! The set itself: a tree of path elements in order, each with a mark whether
//! the path that ends there belongs to the set. All operations keep the order
//! and leave no branch without a member.

use std::cmp::Ordering;

use super::element::Element;
#[cfg(test)]
use super::element::path_text;

/// Bytes of a path that messages show.
const MOST_TEXT_BYTES: usize = 4096;

/// A set of paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set {
    entries: Vec<Entry>,
}

/// One element at one level of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The step from the level above.
    pub element: Element,
    /// Whether the path that ends here is in the set.
    pub is_member: bool,
    /// Longer paths that begin with this one.
    pub children: Set,
}

impl Set {
    /// The set of nothing.
    pub fn new() -> Set {
        Set::default()
    }

    /// A set of paths of field names.
    pub fn of_fields(paths: &[&[&str]]) -> Set {
        let mut set = Set::new();
        for path in paths {
            set.insert(&path.iter().map(|name| Element::field(name)).collect::<Vec<_>>());
        }
        set
    }

    /// What stands at this level, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether no path is in the set.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many paths are in the set.
    pub fn len(&self) -> usize {
        self.entries.iter().map(|entry| usize::from(entry.is_member) + entry.children.len()).sum()
    }

    /// Adds a path; the empty one, the object itself, is in no set.
    pub fn insert(&mut self, path: &[Element]) {
        let Some((first, rest)) = path.split_first() else { return };
        let position = match self.find(first) {
            Ok(position) => position,
            Err(position) => {
                let entry = Entry { element: first.clone(), is_member: false, children: Set::new() };
                self.entries.insert(position, entry);
                position
            }
        };
        let entry = &mut self.entries[position];
        if rest.is_empty() {
            entry.is_member = true;
        } else {
            entry.children.insert(rest);
        }
    }

    /// Adds an element with all below it, if there is anything to add.
    pub(crate) fn push(&mut self, element: impl FnOnce() -> Element, is_member: bool, children: Set) {
        if !is_member && children.is_empty() {
            return;
        }
        let entry = Entry { element: element(), is_member, children };
        // Walks visit fields in order, so that most entries come last.
        if self.entries.last().is_none_or(|last| last.element < entry.element) {
            self.entries.push(entry);
            return;
        }
        match self.find(&entry.element) {
            Ok(position) => {
                let held = &mut self.entries[position];
                held.is_member |= entry.is_member;
                held.children = held.children.union(&entry.children);
            }
            Err(position) => self.entries.insert(position, entry),
        }
    }

    fn find(&self, element: &Element) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| entry.element.cmp(element))
    }

    /// What stands at an element of this level.
    pub fn get(&self, element: &Element) -> Option<&Entry> {
        self.find(element).ok().map(|position| &self.entries[position])
    }

    /// What stands at a field of this level.
    pub fn get_field(&self, name: &str) -> Option<&Entry> {
        let position = self.entries.binary_search_by(|entry| match &entry.element {
            Element::Field(held) => (**held).cmp(name),
            _ => Ordering::Greater,
        });
        position.ok().map(|position| &self.entries[position])
    }

    /// Whether a path is in the set.
    pub fn has(&self, path: &[Element]) -> bool {
        let Some((first, rest)) = path.split_first() else { return false };
        self.get(first).is_some_and(|entry| if rest.is_empty() { entry.is_member } else { entry.children.has(rest) })
    }

    /// Whether the other has every path of this one.
    pub fn is_within(&self, other: &Set) -> bool {
        // Both are in order: what was passed over in the other need not be looked at again.
        let mut theirs = other.entries.iter();
        self.entries.iter().all(|mine| {
            let found = theirs.find(|theirs| theirs.element >= mine.element);
            let found = found.filter(|theirs| theirs.element == mine.element);
            found.is_some_and(|theirs| {
                (theirs.is_member || !mine.is_member) && mine.children.is_within(&theirs.children)
            })
        })
    }

    /// Paths that are in either.
    pub fn union(&self, other: &Set) -> Set {
        if other.is_empty() {
            return self.clone();
        }
        if self.is_empty() {
            return other.clone();
        }
        self.zip(other, |mine, theirs| match (mine, theirs) {
            (Some(mine), Some(theirs)) => Some(Entry {
                element: mine.element.clone(),
                is_member: mine.is_member || theirs.is_member,
                children: mine.children.union(&theirs.children),
            }),
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (None, None) => None,
        })
    }

    /// Paths that are in any of many sets, put together two by two, so that none is copied
    /// for every other.
    pub fn union_all(mut sets: Vec<Set>) -> Set {
        while sets.len() > 1 {
            let pairs = sets.chunks(2).map(|pair| match pair {
                [one, two] => one.union(two),
                rest => rest.first().cloned().unwrap_or_default(),
            });
            sets = pairs.collect();
        }
        sets.pop().unwrap_or_default()
    }

    /// Paths that are in both.
    pub fn intersection(&self, other: &Set) -> Set {
        if other.is_much_larger_than(self) {
            return self.looked_up(other, |mine, theirs| {
                let theirs = theirs?;
                Some((mine.is_member && theirs.is_member, mine.children.intersection(&theirs.children)))
            });
        }
        self.zip(other, |mine, theirs| {
            let (mine, theirs) = (mine?, theirs?);
            Some(Entry {
                element: mine.element.clone(),
                is_member: mine.is_member && theirs.is_member,
                children: mine.children.intersection(&theirs.children),
            })
        })
    }

    /// Paths that are in this one only.
    pub fn difference(&self, other: &Set) -> Set {
        if other.is_empty() {
            return self.clone();
        }
        if other.is_much_larger_than(self) {
            return self.looked_up(other, |mine, theirs| match theirs {
                None => Some((mine.is_member, mine.children.clone())),
                Some(theirs) => Some((mine.is_member && !theirs.is_member, mine.children.difference(&theirs.children))),
            });
        }
        self.zip(other, |mine, theirs| {
            let (mine, Some(theirs)) = (mine?, theirs) else { return mine.cloned() };
            Some(Entry {
                element: mine.element.clone(),
                is_member: mine.is_member && !theirs.is_member,
                children: mine.children.difference(&theirs.children),
            })
        })
    }

    /// Paths that are in this one and begin with none of the other.
    pub fn recursive_difference(&self, other: &Set) -> Set {
        if other.is_empty() {
            return self.clone();
        }
        self.zip(other, |mine, theirs| {
            let (mine, Some(theirs)) = (mine?, theirs) else { return mine.cloned() };
            if theirs.is_member {
                return None;
            }
            Some(Entry {
                element: mine.element.clone(),
                is_member: mine.is_member,
                children: mine.children.recursive_difference(&theirs.children),
            })
        })
    }

    /// Whether looking each element up is quicker than walking both sets.
    fn is_much_larger_than(&self, other: &Set) -> bool {
        self.entries.len() / 16 > other.entries.len()
    }

    /// Looks every element of this level up in the other set and keeps what `decide` makes of it.
    fn looked_up(&self, other: &Set, decide: impl Fn(&Entry, Option<&Entry>) -> Option<(bool, Set)>) -> Set {
        let decided = self.entries.iter().filter_map(|mine| {
            let (is_member, children) = decide(mine, other.get(&mine.element))?;
            Some(Entry { element: mine.element.clone(), is_member, children })
        });
        Set { entries: decided.filter(|entry| entry.is_member || !entry.children.is_empty()).collect() }
    }

    /// Walks both levels in order and keeps what `decide` makes of each element.
    fn zip(&self, other: &Set, decide: impl Fn(Option<&Entry>, Option<&Entry>) -> Option<Entry>) -> Set {
        let mut entries = Vec::with_capacity(self.entries.len().max(other.entries.len()));
        let (mut mine, mut theirs) = (self.entries.iter().peekable(), other.entries.iter().peekable());
        loop {
            let order = match (mine.peek(), theirs.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(mine), Some(theirs)) => mine.element.cmp(&theirs.element),
            };
            let decided = match order {
                Ordering::Less => decide(mine.next(), None),
                Ordering::Greater => decide(None, theirs.next()),
                Ordering::Equal => decide(mine.next(), theirs.next()),
            };
            entries.extend(decided.filter(|entry| entry.is_member || !entry.children.is_empty()));
        }
        Set { entries }
    }

    /// The first paths as messages show them, long ones cut, in order: those that end at a
    /// level before longer ones.
    pub(crate) fn texts(&self, most: usize) -> Vec<String> {
        let mut found = Vec::new();
        self.collect_texts("", most, &mut found);
        found
    }

    fn collect_texts(&self, prefix: &str, most: usize, found: &mut Vec<String>) {
        let text = |entry: &Entry| {
            let mut text = format!("{prefix}{}", entry.element);
            text.truncate(text.floor_char_boundary(MOST_TEXT_BYTES));
            text
        };
        let members = self.entries.iter().filter(|entry| entry.is_member);
        found.extend(members.take(most.saturating_sub(found.len())).map(text));
        for entry in self.entries.iter().filter(|entry| !entry.children.is_empty()) {
            if found.len() >= most {
                return;
            }
            entry.children.collect_texts(&text(entry), most, found);
        }
    }

    /// Every path with its text, in the same order.
    #[cfg(test)]
    pub fn paths(&self) -> Vec<(Vec<Element>, String)> {
        let mut found = Vec::new();
        self.collect(&mut Vec::new(), &mut found);
        found.into_iter().map(|path| (path.clone(), path_text(&path))).collect()
    }

    #[cfg(test)]
    fn collect(&self, prefix: &mut Vec<Element>, found: &mut Vec<Vec<Element>>) {
        for entry in self.entries.iter().filter(|entry| entry.is_member) {
            prefix.push(entry.element.clone());
            found.push(prefix.clone());
            prefix.pop();
        }
        for entry in &self.entries {
            prefix.push(entry.element.clone());
            entry.children.collect(prefix, found);
            prefix.pop();
        }
    }

    /// The same set with each entry as `change` leaves it.
    pub(crate) fn map_entries(&self, change: impl Fn(&Entry) -> (bool, Set)) -> Set {
        let entries = self.entries.iter().map(|entry| {
            let (is_member, children) = change(entry);
            Entry { element: entry.element.clone(), is_member, children }
        });
        Set { entries: entries.filter(|entry| entry.is_member || !entry.children.is_empty()).collect() }
    }
}
