//! The keys of a query as numbers: what a group is called inside the operator.

use std::cmp::Ordering;

use hashbrown::HashMap;
use polars::prelude::*;

use super::dictionary::Dictionary;
use super::typed::{Data, Typed};
use crate::Result;

type Map<K> = HashMap<K, u32, foldhash::fast::FixedState>;

/// Gives every combination of key values that has appeared a number.
#[derive(Clone)]
pub(crate) struct Keys {
    columns: Vec<Dictionary>,
    /// From the second column on: the number of what lies before it and its own, and the number of
    /// both together.
    pairs: Vec<Pairs>,
}

#[derive(Clone, Default)]
struct Pairs {
    pairs: Vec<(u32, u32)>,
    numbers: Map<(u32, u32)>,
}

impl Keys {
    pub fn new(columns: usize) -> Keys {
        Keys {
            columns: vec![Dictionary::new(); columns],
            pairs: vec![Pairs::default(); columns.saturating_sub(1)],
        }
    }

    /// Returns how many combinations have a number.
    pub fn len(&self) -> usize {
        match self.pairs.last() {
            Some(last) => last.pairs.len(),
            None => self.columns.first().map_or(1, Dictionary::len),
        }
    }

    /// Returns the number of every row's keys.
    pub fn numbers(&mut self, columns: &[Typed], length: usize) -> Result<Vec<u32>> {
        let mut numbers = Vec::new();
        for (index, column) in columns.iter().enumerate() {
            let dictionary = &mut self.columns[index];
            let own = match column.data {
                Data::Nothing => dictionary.nulls(length),
                _ => dictionary.numbers(column)?,
            };
            if index == 0 {
                numbers = own;
                continue;
            }
            let pairs = &mut self.pairs[index - 1];
            for (number, own) in numbers.iter_mut().zip(own) {
                *number = pairs.number((*number, own));
            }
        }
        if columns.is_empty() {
            numbers = vec![0; length];
        }
        Ok(numbers)
    }

    /// Returns the key columns of these numbers.
    pub fn columns(&self, names: &[String], numbers: &[u32]) -> Result<Vec<Column>> {
        let mut numbers = numbers.to_vec();
        let mut columns = Vec::new();
        for index in (0..self.columns.len()).rev() {
            let own = match index.checked_sub(1) {
                None => numbers.clone(),
                Some(below) => {
                    let pairs = &self.pairs[below].pairs;
                    let own = numbers.iter().map(|number| pairs[*number as usize].1);
                    let own: Vec<u32> = own.collect();
                    for number in &mut numbers {
                        *number = pairs[*number as usize].0;
                    }
                    own
                }
            };
            columns.push(self.columns[index].column(&names[index], &own)?);
        }
        columns.reverse();
        Ok(columns)
    }

    /// Orders two numbers by the values of the first key, then the second and so on.
    pub fn order(&self, a: u32, b: u32) -> Ordering {
        if a == b || self.columns.is_empty() {
            return Ordering::Equal;
        }
        self.order_at(self.columns.len() - 1, a, b)
    }

    fn order_at(&self, index: usize, a: u32, b: u32) -> Ordering {
        let Some(below) = index.checked_sub(1) else {
            return self.columns[0].order(a, b);
        };
        let pairs = &self.pairs[below].pairs;
        let ((left_a, own_a), (left_b, own_b)) = (pairs[a as usize], pairs[b as usize]);
        self.order_at(below, left_a, left_b)
            .then_with(|| self.columns[index].order(own_a, own_b))
    }

    /// Returns the dtypes of the keys so far.
    pub fn dtypes(&self) -> impl Iterator<Item = DataType> + '_ {
        self.columns.iter().map(|column| column.dtype.clone())
    }

    /// Returns about how many bytes the keys take.
    pub fn bytes(&self) -> usize {
        let pairs: usize = self.pairs.iter().map(|pairs| pairs.pairs.len() * 24).sum();
        pairs + self.columns.iter().map(Dictionary::bytes).sum::<usize>()
    }
}

impl Pairs {
    fn number(&mut self, pair: (u32, u32)) -> u32 {
        let next = self.pairs.len() as u32;
        let number = *self.numbers.entry(pair).or_insert(next);
        if number == next {
            self.pairs.push(pair);
        }
        number
    }
}
