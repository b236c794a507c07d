//! Categories: paths such as `Food > Snacks > Chips`, compared step by step.

use super::fold::fold;

/// What stands between two steps of a path.
const STEP: &str = " > ";

/// A category as it is compared: folded, its steps one way apart. Empty where nothing is said.
pub(super) fn folded_path(category: &str) -> String {
    let folded = fold(category);
    let steps: Vec<&str> = folded
        .split('>')
        .map(str::trim)
        .filter(|step| !step.is_empty())
        .collect();
    steps.join(STEP)
}

/// Categories with all that is below them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Categories {
    /// As they were written, in the same order.
    pub written: Vec<String>,
    /// Folded and sorted.
    folded: Vec<String>,
}

impl Categories {
    /// Of paths that fold to something.
    pub(super) fn new(written: Vec<String>) -> Self {
        let mut folded: Vec<String> = written.iter().map(|path| folded_path(path)).collect();
        folded.sort();
        Self { written, folded }
    }

    /// True where all that others cover is covered here too.
    pub(super) fn cover_all(&self, others: &Self) -> bool {
        others.folded.iter().all(|path| self.cover(path))
    }

    /// True where a folded path is one of these, or below one.
    pub(super) fn cover(&self, path: &str) -> bool {
        let is_listed = |path: &str| self.folded.binary_search_by(|listed| listed.as_str().cmp(path)).is_ok();
        let ends = path.match_indices(STEP).map(|(end, _)| end).chain([path.len()]);
        !path.is_empty() && ends.filter_map(|end| path.get(..end)).any(is_listed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_covers_itself_and_what_is_below_it_in_any_spelling() {
        let categories = Categories::new(vec!["Food > Snacks".into(), "Épicerie".into()]);
        for inside in ["food > snacks", "FOOD>SNACKS > Chips", "epicerie", "Épicerie > Sel > "] {
            assert!(categories.cover(&folded_path(inside)), "{inside}");
        }
        for outside in [
            "",
            " > ",
            "Food",
            "Food > Snacks and more",
            "Snacks",
            "Pet Food > Snacks",
        ] {
            assert!(!categories.cover(&folded_path(outside)), "{outside}");
        }
    }
}
