//! Requests built from the shapes that the broker itself checks frames by, with values that
//! other requests use as well: topics, groups and members meet again.

use headwater_broker::wire::ApiSpec;

use super::batches;
use super::choices::Choices;
use super::usual;

const TEXTS: &[&str] = &[
    "flights",
    "flights",
    "dashboard",
    "dashboard",
    "weather",
    "dashboard",
    "1",
    "",
    "range",
    "consumer",
    "PLAIN",
    "retention.ms",
    "cleanup.policy",
    "compact",
    "segment.bytes",
    "100",
    "no such topic",
    "..",
    "trips\u{1F6A2}",
];
const INTS: &[i64] = &[
    0,
    0,
    10_000,
    1,
    -1,
    2,
    3,
    1,
    0,
    7,
    10_000,
    1_000_000,
    i32::MAX as i64,
    i32::MIN as i64,
];

/// A request being written.
pub struct Writer<'a, 'b> {
    pub choices: &'a mut Choices<'b>,
    /// Texts that earlier replies held: ids of members.
    pub heard: &'a [String],
    /// Ids of topics.
    pub ids: &'a [[u8; 16]],
    pub version: i16,
    pub flexible: bool,
    usual: Vec<&'static str>,
    pub out: Vec<u8>,
}

/// A shape, read anew: the broker's own reading of it is what is tried here.
#[derive(Debug)]
struct Field {
    letter: char,
    /// Its place among all fields that hold values.
    number: usize,
    versions: (i16, i16),
    plain_array: bool,
    fields: Option<Vec<Field>>,
}

fn parse<'a>(words: &mut impl Iterator<Item = &'a str>, next: &mut usize) -> Vec<Field> {
    let mut fields = Vec::new();
    while let Some(word) = words.next() {
        if word == "]" || word == ")" {
            break;
        }
        let plain_array = word.starts_with('*');
        let word = word.trim_start_matches('*');
        let (letter, versions) = word.split_at(1);
        let versions = match (versions.strip_suffix('+'), versions.split_once('-')) {
            (Some(first), _) => (first.parse().expect("a version"), i16::MAX),
            (None, Some((first, last))) => (
                first.parse().expect("a version"),
                last.parse().expect("a version"),
            ),
            (None, None) => (0, i16::MAX),
        };
        let number = *next;
        let inner = matches!(letter, "[" | "(").then(|| parse(words, next));
        *next += usize::from(inner.is_none());
        fields.push(Field {
            number,
            letter: letter.chars().next().expect("a letter"),
            versions,
            plain_array,
            fields: inner,
        });
    }
    fields
}

impl Writer<'_, '_> {
    /// Writes the body of a request.
    pub fn body(&mut self, spec: &ApiSpec) {
        let fields = parse(&mut spec.shape.split_whitespace(), &mut 0);
        self.structure(&fields);
    }

    fn structure(&mut self, fields: &[Field]) {
        for field in fields {
            if (field.versions.0..=field.versions.1).contains(&self.version) {
                self.field(field);
            }
        }
        if self.flexible {
            self.out.push(0);
        }
    }

    fn field(&mut self, field: &Field) {
        if field.fields.is_none() && !field.plain_array {
            return self.value(field);
        }
        let mut count: usize = *self.choices.one(&[1, 1, 1, 0, 2, 3]);
        match field.letter {
            '(' => {
                // A structure that may be missing: 1 before it, or -1 alone.
                count = count.min(1);
                self.out.push(if count == 1 { 1 } else { 0xff });
            }
            _ => self.count(count),
        }
        for _ in 0..count {
            match &field.fields {
                Some(fields) => self.structure(fields),
                None => self.value(field),
            }
        }
    }

    fn value(&mut self, field: &Field) {
        let usual = self.usual.get(field.number).copied();
        let word = usual.filter(|_| !self.choices.rarely(8)).map(|words| {
            let words: Vec<&str> = words.split('|').collect();
            *self.choices.one(&words)
        });
        match field.letter {
            'b' => self.int(1, word),
            'h' => self.int(2, word),
            'i' => self.int(4, word),
            'l' => self.int(8, word),
            'u' => {
                let at = self
                    .choices
                    .below(self.ids.len() + usize::from(word.is_none()));
                self.out.extend(self.ids.get(at).unwrap_or(&[0; 16]));
            }
            's' => self.text(word),
            'd' => self.data(),
            other => panic!("no field {other}"),
        }
    }

    fn int(&mut self, size: usize, word: Option<&str>) {
        let value = match word {
            Some(word) => word.parse().expect("a number"),
            None if self.choices.rarely(32) => self.choices.int64(),
            None => *self.choices.one(INTS),
        };
        self.out.extend(&value.to_be_bytes()[8 - size..]);
    }

    fn text(&mut self, word: Option<&str>) {
        let text = match word {
            Some("null") => return self.null(2),
            Some("empty") => String::new(),
            Some("heard") => self.heard_lately(),
            Some(word) => word.to_owned(),
            None if self.choices.rarely(12) => return self.null(2),
            None if self.choices.rarely(4) => self.heard_lately(),
            None => (*self.choices.one(TEXTS)).to_owned(),
        };
        self.length(2, text.len());
        self.out.extend(text.as_bytes());
    }

    /// Members that came last are most likely still there.
    fn heard_lately(&mut self) -> String {
        let back = usize::from(self.choices.byte() % 4);
        let heard = self.heard.iter().rev().nth(back);
        heard.cloned().unwrap_or_default()
    }

    fn data(&mut self) {
        if self.choices.rarely(16) {
            return self.null(4);
        }
        let batch = batches::batch(self.choices);
        self.length(4, batch.len());
        self.out.extend(&batch);
    }

    fn null(&mut self, width: usize) {
        match self.flexible {
            true => self.out.push(0),
            false => self.out.extend(&[0xff; 4][..width]),
        }
    }

    fn count(&mut self, count: usize) {
        self.length(4, count);
    }

    fn length(&mut self, width: usize, length: usize) {
        if !self.flexible {
            self.out.extend(&(length as i32).to_be_bytes()[4 - width..]);
            return;
        }
        let mut rest = length + 1;
        while rest >= 0x80 {
            self.out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.out.push(rest as u8);
    }
}

/// Returns a frame without its length: header and body.
pub fn frame(
    choices: &mut Choices<'_>,
    heard: &[String],
    ids: &[[u8; 16]],
    spec: &ApiSpec,
    version: i16,
) -> Vec<u8> {
    let flexible = version >= spec.flexible;
    let mut out = Vec::new();
    out.extend(spec.key.to_be_bytes());
    out.extend(version.to_be_bytes());
    out.extend([0, 0, 0, 9, 0, 4]);
    out.extend(b"fuzz");
    if flexible {
        out.push(0);
    }
    let mut writer = Writer {
        choices,
        heard,
        ids,
        version,
        flexible,
        usual: usual::fields_of(spec.key),
        out,
    };
    writer.body(spec);
    writer.out
}
