//! Merges one tree over another: maps are merged, other values are replaced, and `null` removes the
//! value below. Every key and value keeps its own place.

use std::collections::{BTreeMap, BTreeSet};

use super::node::{Kind, Node};

/// Merges `over` over `under`. Keys keep the order of `under`; new keys follow. A `null` that
/// removes nothing stays in the tree, where the reader rejects it. So does an empty `key:`, which
/// is a mistake and not a written `null`.
pub fn merge(under: &mut Node, over: Node) {
    let Node { place, kind } = over;
    match (&mut under.kind, kind) {
        (Kind::Map(entries), Kind::Map(more)) => {
            let at: BTreeMap<String, usize> =
                entries.iter().enumerate().map(|(i, (key, _))| (key.name.clone(), i)).collect();
            let mut gone = BTreeSet::new();
            for (key, value) in more {
                match at.get(&key.name) {
                    Some(i) if removes(&value) => drop(gone.insert(*i)),
                    Some(i) => {
                        entries[*i].0 = key;
                        merge(&mut entries[*i].1, value);
                    }
                    None => entries.push((key, value)),
                }
            }
            let mut index = 0..;
            entries.retain(|_| index.next().is_none_or(|i| !gone.contains(&i)));
        }
        (_, kind) => under.kind = kind,
    }
    under.place = place;
}

/// Returns whether the value is a written `null` or `~`.
fn removes(node: &Node) -> bool {
    node.kind == Kind::Null && node.place.end > node.place.start
}
