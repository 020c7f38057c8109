//! One page of a list, newest first. It starts below a cursor, so that new entries do not move it.

pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) place: Place,
}

/// Where a page is in its list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The number of entries on newer pages.
    pub(crate) skipped: usize,
    /// The number of entries on this page.
    pub(crate) shown: usize,
    /// The number of entries of the whole list.
    pub(crate) total: usize,
    /// The cursor of the next newer page: `None` if there is none, `Some(None)` for the first page.
    pub(crate) newer: Option<Option<u64>>,
    /// The cursor of the next older page.
    pub(crate) older: Option<u64>,
}

/// Which entries to show: those with a number below `before`, at most `size`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Window {
    pub(crate) before: Option<u64>,
    pub(crate) size: usize,
    /// An entry that is shown wherever it is: somebody reads it while newer ones come.
    pub(crate) keep: Option<u64>,
}

impl Window {
    /// The indices of the entries to show. `numbers` are those of the whole list, newest first.
    pub(crate) fn place(self, numbers: &[u64]) -> (Vec<usize>, Place) {
        let skipped = self.before.map_or(0, |before| numbers.partition_point(|number| *number >= before));
        let end = numbers.len().min(skipped + self.size);
        let newer = match skipped.checked_sub(self.size) {
            None | Some(0) => (skipped > 0).then_some(None),
            Some(start) => Some(Some(numbers[start - 1])),
        };
        let older = (end < numbers.len() && end > skipped).then(|| numbers[end - 1]);
        let mut indices: Vec<usize> = (skipped..end).collect();
        let kept = self.keep.and_then(|keep| numbers.binary_search_by(|number| keep.cmp(number)).ok());
        match kept {
            Some(kept) if kept < skipped => indices.insert(0, kept),
            Some(kept) if kept >= end => indices.push(kept),
            _ => {}
        }
        (indices, Place { skipped, shown: end - skipped, total: numbers.len(), newer, older })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_leads_to_the_newer_and_the_older_one() {
        let numbers: Vec<u64> = (1..=5).rev().map(|n| n * 10).collect();
        let place = |before| {
            let (indices, place) = Window { before, size: 2, keep: None }.place(&numbers);
            assert_eq!((indices.len(), 5), (place.shown, place.total));
            (indices.iter().map(|index| numbers[*index]).collect::<Vec<_>>(), place.newer, place.older)
        };
        assert_eq!(place(None), (vec![50, 40], None, Some(40)));
        assert_eq!(place(Some(40)), (vec![30, 20], Some(None), Some(20)));
        assert_eq!(place(Some(20)), (vec![10], Some(Some(40)), None));
        // A cursor between two pages, of an entry that is gone, and beyond both ends.
        assert_eq!(place(Some(45)), (vec![40, 30], Some(None), Some(30)));
        assert_eq!(place(Some(5)), (vec![], Some(Some(30)), None));
        assert_eq!(place(Some(99)), (vec![50, 40], None, Some(40)));
        assert_eq!(Window { size: 2, ..Window::default() }.place(&[]).1, Place::default());
    }

    #[test]
    fn an_entry_is_kept_on_the_page() {
        let numbers = [50, 40, 30, 20, 10];
        let indices = |keep| Window { before: Some(50), size: 2, keep: Some(keep) }.place(&numbers);
        for (keep, expected) in [
            (40, vec![1, 2]),
            (50, vec![0, 1, 2]),
            (10, vec![1, 2, 4]),
            (20, vec![1, 2, 3]),
            (15, vec![1, 2]),
        ] {
            let (indices, place) = indices(keep);
            assert_eq!((indices, place.shown, place.older), (expected, 2, Some(30)), "{keep}");
        }
    }
}
