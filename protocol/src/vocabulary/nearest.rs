//! Names that someone may have meant.

/// Longer names are compared only by their beginning: a typing error there is told by its neighbours.
const CHARS_MAX: usize = 64;

/// The skills, at most `max`, whose folded names are most like `wanted`: first those that a few typing errors
/// turn into it, then those that have a word which begins with it. Equal likeness goes by name.
pub(super) fn positions<'a>(
    wanted: &str,
    names: impl Iterator<Item = (&'a str, usize)>,
    max: usize,
) -> Vec<usize> {
    let wanted: Vec<char> = wanted.chars().take(CHARS_MAX + 1).collect();
    if wanted.is_empty() || wanted.len() > CHARS_MAX {
        return Vec::new();
    }
    let mut found: Vec<(Likeness, &str, usize)> =
        names.filter_map(|(name, at)| Some((Likeness::of(&wanted, name)?, name, at))).collect();
    found.sort();
    let mut positions = Vec::new();
    for (_, _, at) in found {
        if positions.len() < max && !positions.contains(&at) {
            positions.push(at);
        }
    }
    positions
}

/// How alike, the most alike least.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    Typo(usize),
    Beginning { inside: bool, longer_by: usize },
}

impl Likeness {
    fn of(wanted: &[char], name: &str) -> Option<Likeness> {
        let chars: Vec<char> = name.chars().take(CHARS_MAX).collect();
        let errors_max = (wanted.len() / 3).max(usize::from(wanted.len() > 1));
        if chars.len().abs_diff(wanted.len()) <= errors_max {
            let errors = edit_distance(wanted, &chars);
            if errors <= errors_max {
                return Some(Likeness::Typo(errors));
            }
        }
        let word =
            chars.split(|c| *c == ' ').position(|word| wanted.len() > 2 && word.starts_with(wanted))?;
        Some(Likeness::Beginning { inside: word > 0, longer_by: chars.len().abs_diff(wanted.len()) })
    }
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`
/// (optimal string alignment).
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(x != y);
            let mut least = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        let distance =
            |a: &str, b: &str| edit_distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("pyhton", "python"), 1);
        assert_eq!(distance("rust", "rust"), 0);
    }
}
