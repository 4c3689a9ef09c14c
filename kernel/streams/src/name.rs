//! Finds the name that was likely meant, for the last line of an error.

/// Returns the name nearest to `wanted`, if one is near enough to be a slip of the fingers.
pub(crate) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    names
        .map(|name| (distance(&wanted, &name.to_lowercase()), name))
        .filter(|(distance, name)| {
            *distance <= wanted.chars().count().max(name.chars().count()).div_ceil(2)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Counts the letters to insert, delete or replace; a name that contains the other costs one.
fn distance(a: &str, b: &str) -> usize {
    if a == b {
        return 0;
    }
    if a.len() >= 3 && b.len() >= 3 && (a.contains(b) || b.contains(a)) {
        return 1;
    }
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
