//! The number of a group, read from `/etc/group`: a static binary has no name service.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};

/// The number that `group` is, or that `/etc/group` gives it.
pub(super) fn number(group: &str) -> Option<u32> {
    if let Ok(number) = group.parse() {
        return Some(number);
    }
    let file = File::open("/etc/group").ok()?;
    let lines = BufReader::new(file.take(MOST_BYTES)).lines();
    find(lines.map_while(Result::ok), group)
}

/// group(5): `name:password:number:members`.
fn find(lines: impl Iterator<Item = String>, group: &str) -> Option<u32> {
    lines
        .filter_map(|line| {
            let mut fields = line.split(':');
            let (name, _password, number) = (fields.next()?, fields.next()?, fields.next()?);
            (name == group).then(|| number.parse().ok())?
        })
        .next()
}

const MOST_BYTES: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_a_number_or_a_name_with_one() {
        let lines =
            || ["root:x:0:", "docker:x:998:me,you", "broken", "odd:x:y:"].map(str::to_owned);
        assert_eq!(find(lines().into_iter(), "docker"), Some(998));
        assert_eq!(find(lines().into_iter(), "dock"), None);
        assert_eq!(find(lines().into_iter(), "odd"), None);
        assert_eq!(number("7"), Some(7));
    }
}
