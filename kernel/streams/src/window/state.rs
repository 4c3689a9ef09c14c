//! What a window query remembers between batches: partial results by window and key.

use polars::prelude::*;

use super::assign::START;
use super::{Aggregates, WindowSpec};
use crate::Result;

/// Names the column that says whether this batch changed a group.
const TOUCHED: &str = "__touched";

/// Groups and their partial results; nothing before the first row.
#[derive(Clone, Default)]
pub(super) struct State {
    groups: Option<DataFrame>,
}

impl State {
    /// Returns the groups with their partial results.
    pub fn groups(&self) -> Option<&DataFrame> {
        self.groups.as_ref()
    }

    pub fn height(&self) -> usize {
        self.groups.as_ref().map_or(0, DataFrame::height)
    }

    /// Adds a batch's partial results; returns the groups that it changed, with their new totals.
    pub fn merge(
        &mut self,
        partial: DataFrame,
        keys: &[Expr],
        aggregates: &Aggregates,
    ) -> Result<DataFrame> {
        let Some(groups) = self.groups.take() else {
            self.groups = Some(partial.clone());
            return Ok(partial);
        };
        let (mut groups, mut partial) = aligned(groups, partial)?;
        groups.with_column(
            BooleanChunked::full(TOUCHED.into(), false, groups.height())
                .into_series()
                .into(),
        )?;
        partial.with_column(
            BooleanChunked::full(TOUCHED.into(), true, partial.height())
                .into_series()
                .into(),
        )?;
        groups.vstack_mut(&partial)?;
        groups.rechunk_mut();
        let mut merge = aggregates.merge_exprs();
        merge.push(col(TOUCHED).max());
        let mut merged = groups.lazy().group_by(keys).agg(merge).collect()?;
        let touched = merged.drop_in_place(TOUCHED)?.bool()?.clone();
        let changed = merged.filter(&touched)?;
        self.groups = Some(merged);
        Ok(changed)
    }

    /// Removes the groups whose window has ended by `watermark`, and returns them.
    pub fn evict(&mut self, watermark: i64, spec: WindowSpec) -> Result<Option<DataFrame>> {
        let Some(groups) = &self.groups else {
            return Ok(None);
        };
        let (ended, open) = split_ended(groups, watermark, spec)?;
        self.groups = Some(open);
        Ok(Some(ended))
    }
}

/// Splits groups or rows into those whose window has ended by `watermark` and the others.
pub(super) fn split_ended(
    groups: &DataFrame,
    watermark: i64,
    spec: WindowSpec,
) -> Result<(DataFrame, DataFrame)> {
    let starts = groups.column(START)?.i64()?;
    let ended: BooleanChunked = starts
        .iter()
        .map(|start| start.is_some_and(|start| start + spec.size <= watermark))
        .collect();
    if !ended.any() {
        return Ok((groups.clear(), groups.clone()));
    }
    Ok((groups.filter(&ended)?, groups.filter(&!&ended)?))
}

/// Gives both frames the same dtypes: a column that was all null so far takes the other's dtype.
pub(crate) fn aligned(mut a: DataFrame, mut b: DataFrame) -> Result<(DataFrame, DataFrame)> {
    let names: Vec<PlSmallStr> = a.get_column_names_owned();
    for name in names {
        let (left, right) = (
            a.column(&name)?.dtype().clone(),
            b.column(&name)?.dtype().clone(),
        );
        if left != right {
            let both = super::aggregate::common_dtype(&left, &right)?;
            let (left, right) = (a.column(&name)?.cast(&both)?, b.column(&name)?.cast(&both)?);
            a.with_column(left)?;
            b.with_column(right)?;
        }
    }
    Ok((a, b))
}
