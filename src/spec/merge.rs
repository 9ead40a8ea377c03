//! One tree over another: maps merge, all else is replaced, and a `null` takes away what stands
//! below it. Every key and value keeps its own place.

use std::collections::{BTreeMap, BTreeSet};

use super::node::{Kind, Node};

/// Lays `over` over `under`. Keys keep the order of `under`, new ones follow. A `null` below which
/// nothing stands is kept, and the reader refuses it; so is a `key:` that was left empty by
/// mistake, which is not a `null` that someone wrote.
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

/// A `null` or `~` that was written.
fn removes(node: &Node) -> bool {
    node.kind == Kind::Null && node.place.end > node.place.start
}
