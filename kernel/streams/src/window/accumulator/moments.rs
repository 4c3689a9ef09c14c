//! Count, mean and sum of squared distances from it: what variance and deviation are made of.
//!
//! Two of them merge by the formula of Chan, Golub and LeVeque (1979), which Spark uses too.

use serde::{Deserialize, Serialize};

use super::{Rows, each_number, gathered};
use crate::Result;
use crate::window::typed::Typed;

#[derive(Clone, Default, Serialize, Deserialize)]
pub(in crate::window) struct Moments(Vec<Moment>);

#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct Moment {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Returns the variance at a place with `ddof` degrees of freedom taken off the count; none
    /// where that leaves nothing to divide by.
    pub fn variance(&self, place: u32, ddof: u8) -> Option<f64> {
        let Moment { count, squares, .. } = self.0[place as usize];
        let divisor = count - f64::from(ddof);
        (divisor > 0.0).then(|| squares / divisor)
    }

    pub fn grow(&mut self) {
        self.0.push(Moment::default());
    }

    pub fn reset(&mut self, place: usize) {
        self.0[place] = Moment::default();
    }

    pub fn merge(&mut self, from: usize, to: usize) -> Result<()> {
        let (a, b) = (self.0[from], self.0[to]);
        let count = a.count + b.count;
        if count > 0.0 {
            let distance = b.mean - a.mean;
            self.0[to] = Moment {
                count,
                mean: (a.mean * a.count + b.mean * b.count) / count,
                squares: a.squares + b.squares + distance * distance * a.count * b.count / count,
            };
        }
        Ok(())
    }

    pub fn take(&mut self, rows: &Rows<'_>, values: &Typed) -> Result<()> {
        let moments = &mut self.0;
        each_number(rows.places, values, |place, value| {
            let moment = &mut moments[place];
            moment.count += 1.0;
            let distance = value - moment.mean;
            moment.mean += distance / moment.count;
            moment.squares += distance * (value - moment.mean);
        });
        Ok(())
    }

    pub fn gather(&self, places: &[u32]) -> Moments {
        Moments(gathered(&self.0, places))
    }

    pub fn bytes(&self) -> usize {
        self.0.len() * 24
    }
}
