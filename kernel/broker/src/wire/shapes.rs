//! The shape of every request, to walk over a frame before it is decoded.
//!
//! The generated decoders reserve memory for as many array elements as the frame claims, which a
//! forged frame of thirty bytes can put at two thousand million: the process would be aborted.
//! So each frame is first walked by its shape, and refused where a length does not fit.
//!
//! A shape is a list of fields: `b` one byte, `h` int16, `i` int32, `l` int64, `u` uuid,
//! `s` string, `d` bytes, `*x` an array of plain fields, `[ … ]` an array of structures,
//! `( … )` a structure that may be missing.
//! After a letter stand the versions that have the field: `s3+`, `i0-14`; none means all.
//! From the first flexible version on, lengths are compact and structures end with tagged fields
//! (KIP-482).

/// A request holds at most this many array elements.
pub const MOST_ELEMENTS: usize = 200_000;

/// One field of a request.
#[derive(Debug)]
pub struct Field {
    kind: Kind,
    first: i16,
    last: i16,
}

#[derive(Debug)]
enum Kind {
    Fixed(usize),
    Text,
    Data,
    Plain(Box<Field>),
    Structures(Vec<Field>),
    /// One structure, or none.
    Optional(Vec<Field>),
}

/// Returns the fields that a shape describes.
///
/// # Panics
/// On a shape that follows no grammar; they are constants of this crate, and a test reads all.
pub fn parse(shape: &str) -> Vec<Field> {
    let mut words = shape.split_whitespace();
    let fields = parse_fields(&mut words);
    assert!(words.next().is_none(), "`]` without `[` in `{shape}`");
    fields
}

fn parse_fields<'a>(words: &mut impl Iterator<Item = &'a str>) -> Vec<Field> {
    let mut fields = Vec::new();
    while let Some(word) = words.next() {
        match word.strip_prefix('[') {
            Some(versions) => {
                let (first, last) = parse_versions(versions);
                let kind = Kind::Structures(parse_fields(words));
                fields.push(Field { kind, first, last });
            }
            None if word == "]" || word == ")" => break,
            None if word == "(" => fields.push(Field {
                kind: Kind::Optional(parse_fields(words)),
                first: 0,
                last: i16::MAX,
            }),
            None => fields.push(parse_plain(word)),
        }
    }
    fields
}

fn parse_plain(word: &str) -> Field {
    if let Some(element) = word.strip_prefix('*') {
        let Field { kind, first, last } = parse_plain(element);
        // The versions belong to the array; its elements are there whenever it is.
        let element = Field {
            kind,
            first: 0,
            last: i16::MAX,
        };
        return Field {
            kind: Kind::Plain(Box::new(element)),
            first,
            last,
        };
    }
    let (letter, versions) = word.split_at(1);
    let kind = match letter {
        "b" => Kind::Fixed(1),
        "h" => Kind::Fixed(2),
        "i" => Kind::Fixed(4),
        "l" => Kind::Fixed(8),
        "u" => Kind::Fixed(16),
        "s" => Kind::Text,
        "d" => Kind::Data,
        other => panic!("no field `{other}` in a shape"),
    };
    let (first, last) = parse_versions(versions);
    Field { kind, first, last }
}

fn parse_versions(text: &str) -> (i16, i16) {
    let number = |digits: &str| digits.parse().expect("versions in a shape are numbers");
    match (text.strip_suffix('+'), text.split_once('-')) {
        (Some(first), _) => (number(first), i16::MAX),
        (None, Some((first, last))) => (number(first), number(last)),
        (None, None) => (0, i16::MAX),
    }
}

/// Walks over one request.
pub struct Walk<'a> {
    rest: &'a [u8],
    version: i16,
    flexible: bool,
    elements: usize,
}

impl<'a> Walk<'a> {
    /// Returns a walk over `body`, which holds a request of `version`.
    pub fn over(body: &'a [u8], version: i16, flexible: bool) -> Walk<'a> {
        Walk {
            rest: body,
            version,
            flexible,
            elements: 0,
        }
    }

    /// Returns the bytes left after the request, or nothing where a length does not fit.
    pub fn finish(mut self, fields: &[Field]) -> Option<usize> {
        self.structure(fields)?;
        Some(self.rest.len())
    }

    fn structure(&mut self, fields: &[Field]) -> Option<()> {
        for field in fields {
            if (field.first..=field.last).contains(&self.version) {
                self.field(&field.kind)?;
            }
        }
        if self.flexible {
            for _ in 0..self.uvarint()? {
                self.uvarint()?;
                let size = self.uvarint()?;
                self.skip(size)?;
            }
        }
        Some(())
    }

    fn field(&mut self, kind: &Kind) -> Option<()> {
        match kind {
            Kind::Fixed(size) => self.skip(*size),
            Kind::Text => {
                let size = self.length(2)?;
                self.skip(size)
            }
            Kind::Data => {
                let size = self.length(4)?;
                self.skip(size)
            }
            Kind::Plain(element) => {
                for _ in 0..self.count()? {
                    self.field(&element.kind)?;
                }
                Some(())
            }
            Kind::Optional(fields) => {
                let (&there, rest) = self.rest.split_first()?;
                self.rest = rest;
                if there == 1 {
                    self.structure(fields)?;
                }
                Some(())
            }
            Kind::Structures(fields) => {
                for _ in 0..self.count()? {
                    self.structure(fields)?;
                }
                Some(())
            }
        }
    }

    /// Takes the number of elements of an array; every element takes at least one byte.
    fn count(&mut self) -> Option<usize> {
        let count = self.length(4)?;
        self.elements = self.elements.checked_add(count)?;
        (count <= self.rest.len() && self.elements <= MOST_ELEMENTS).then_some(count)
    }

    /// Takes a length of `width` bytes, or a compact one; null counts as empty.
    fn length(&mut self, width: usize) -> Option<usize> {
        if self.flexible {
            return Some(self.uvarint()?.saturating_sub(1));
        }
        let (bytes, rest) = self.rest.split_at_checked(width)?;
        self.rest = rest;
        let negative = bytes[0] & 0x80 != 0;
        let value = bytes
            .iter()
            .fold(0usize, |sum, &byte| sum << 8 | usize::from(byte));
        Some(if negative { 0 } else { value })
    }

    fn uvarint(&mut self) -> Option<usize> {
        let mut value = 0usize;
        for shift in (0..35).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn skip(&mut self, size: usize) -> Option<()> {
        self.rest = self.rest.get(size..)?;
        Some(())
    }
}
