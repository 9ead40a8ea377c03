//! Finds the known word that an unknown word most likely means.

/// Returns the key of `known` that is most similar to `key`, if one is similar enough.
pub fn nearest<'k>(key: &str, known: impl IntoIterator<Item = &'k &'k str>) -> Option<&'k str> {
    let plain = |s: &str| s.to_ascii_lowercase().replace(['_', '-', '.'], "");
    let key: String = plain(key).chars().take(64).collect();
    known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(&key, &plain(k)), *k))
        .filter(|(distance, k)| *distance <= 1 + k.len() / 4)
        .min()
        .map(|(_, k)| k)
}
