// SPDX-License-Identifier: MIT OR Apache-2.0
//! Just enough DER to walk a signature and a certificate.

/// The tags that occur on the way.
pub(crate) mod tag {
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;
    pub(crate) const CONTEXT_0: u8 = 0xa0;
    pub(crate) const CONTEXT_0_PRIMITIVE: u8 = 0x80;
}

/// One value: its tag and its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
}

/// A run of values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next value, which must have `tag`.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let value = ahead.next()?;
        if value.tag != tag {
            return None;
        }
        *self = ahead;
        Some(value.content)
    }

    /// The next value, which must have `tag`, as a run of values.
    pub(crate) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.expect(tag).map(Self)
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first & 0x80 != 0 {
            // Long form; four bytes hold more than any file here.
            let count = usize::from(first & 0x7f);
            if count == 0 || count > 4 {
                return None;
            }
            let (digits, after) = rest.split_at_checked(count)?;
            length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
            rest = after;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Value { tag, content })
    }
}

/// The common name in an X.501 name; the organisation when there is none.
pub(crate) fn common_name(name: Reader<'_>) -> Option<String> {
    const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
    const ORGANISATION: &[u8] = &[0x55, 0x04, 0x0a];
    let mut organisation = None;
    for set in name {
        let mut pair = Reader::new(set.content).enter(tag::SEQUENCE)?;
        let kind = pair.expect(tag::OID)?;
        let text = String::from_utf8_lossy(pair.next()?.content).into_owned();
        if kind == COMMON_NAME {
            return Some(text);
        }
        if kind == ORGANISATION {
            organisation = Some(text);
        }
    }
    organisation
}

/// Bytes as people compare them with the output of other tools.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<_> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_in_both_length_forms_and_never_past_the_end() {
        let mut long = vec![tag::OID, 0x81, 200];
        long.extend([7; 200]);
        assert_eq!(Reader::new(&long).expect(tag::OID).map(<[u8]>::len), Some(200));
        assert_eq!(Reader::new(&[tag::INTEGER, 1, 5]).expect(tag::INTEGER), Some(&[5][..]));
        for damaged in [
            &[][..],
            &[tag::INTEGER],
            &[tag::INTEGER, 2, 5],
            &[tag::INTEGER, 0x80],
            &[tag::INTEGER, 0x85, 1, 1, 1, 1, 1],
            &[tag::INTEGER, 0x84, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert_eq!(Reader::new(damaged).next(), None, "{damaged:?}");
        }
    }
}
