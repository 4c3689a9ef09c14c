//! One value, on its own: what first, last and sets keep.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::typed::{Data, Typed};

/// A value in its physical form. Floats are equal by their bits, except that -0.0 is 0.0 and every
/// NaN is one value.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Scalar {
    Int(i64),
    Float(f64),
    Text(Box<str>),
}

impl Scalar {
    /// Returns the value of a row; nothing where it is null.
    pub fn of(values: &Typed, row: usize) -> Option<Scalar> {
        match &values.data {
            Data::Nothing => None,
            Data::Int(values) => values.get(row).map(Scalar::Int),
            Data::Float(values) => values.get(row).map(Scalar::float),
            Data::Text(values) => values.get(row).map(|text| Scalar::Text(text.into())),
        }
    }

    pub fn float(value: f64) -> Scalar {
        match value {
            value if value.is_nan() => Scalar::Float(f64::NAN),
            0.0 => Scalar::Float(0.0),
            value => Scalar::Float(value),
        }
    }

    pub fn bytes(&self) -> usize {
        match self {
            Scalar::Text(text) => 16 + text.len(),
            _ => 16,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Scalar::Int(_) => 0,
            Scalar::Float(_) => 1,
            Scalar::Text(_) => 2,
        }
    }
}

impl Ord for Scalar {
    fn cmp(&self, other: &Scalar) -> Ordering {
        match (self, other) {
            (Scalar::Int(a), Scalar::Int(b)) => a.cmp(b),
            (Scalar::Float(a), Scalar::Float(b)) => a.total_cmp(b),
            (Scalar::Text(a), Scalar::Text(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Scalar {
    fn partial_cmp(&self, other: &Scalar) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Scalar) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Scalar {}

impl Hash for Scalar {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        match self {
            Scalar::Int(value) => value.hash(hasher),
            Scalar::Float(value) => value.to_bits().hash(hasher),
            Scalar::Text(text) => text.hash(hasher),
        }
    }
}
