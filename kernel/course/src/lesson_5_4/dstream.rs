//! A small model of Spark's first streaming API: a stream as a sequence of frames by arrival.
//!
//! DStreams are legacy in Spark: they get no new features. They are here because old jobs still
//! run on them, and because what they could not do explains the API that came after.

use polars::prelude::*;

/// What arrived in one batch interval: an RDD, with its place in time and how to make it again.
#[derive(Debug, Clone)]
pub struct Rdd {
    /// When the interval ended, in microseconds since 1970, on the clock of the arrivals.
    pub time: i64,
    /// Its rows.
    pub rows: DataFrame,
}

/// A discretised stream: one RDD for each batch interval, empty ones included.
#[derive(Debug, Clone)]
pub struct DStream {
    rdds: Vec<Rdd>,
    interval: i64,
    lineage: Vec<String>,
}

impl DStream {
    /// Receives `rows` by the time in column `arrival`, cut into intervals of `interval`.
    ///
    /// # Errors
    /// When there is no such column, it is no time, or the interval is shorter than a microsecond.
    pub fn receive(
        rows: &DataFrame,
        arrival: &str,
        interval: std::time::Duration,
    ) -> PolarsResult<DStream> {
        let span = i64::try_from(interval.as_micros()).unwrap_or(i64::MAX);
        polars_ensure!(span > 0, ComputeError: "a batch interval is longer than nothing: seconds(10)");
        let micros = DataType::Datetime(TimeUnit::Microseconds, None);
        let times = rows
            .column(arrival)?
            .cast(&micros)?
            .cast(&DataType::Int64)?;
        let times = times.i64()?;
        let slots: Int64Chunked = times.apply_values(|at| at.div_euclid(span));
        let (Some(first), Some(last)) = (slots.min(), slots.max()) else {
            return Ok(DStream::new(vec![], span, "receive nothing".into()));
        };
        let rdds = (first..=last).map(|slot| {
            let mine: BooleanChunked = slots.iter().map(|of| of == Some(slot)).collect();
            Ok(Rdd {
                time: (slot + 1) * span,
                rows: rows.filter(&mine)?,
            })
        });
        let rdds = rdds.collect::<PolarsResult<Vec<Rdd>>>()?;
        Ok(DStream::new(
            rdds,
            span,
            format!("receive by {arrival}, every {} s", span / 1_000_000),
        ))
    }

    /// Keeps the rows for which `predicate` holds, interval by interval.
    ///
    /// # Errors
    /// When the predicate names a column that is not there.
    pub fn filter(&self, predicate: Expr) -> PolarsResult<DStream> {
        let words = format!("filter {predicate}");
        self.transform(&words, |rows| rows.filter(predicate.clone()))
    }

    /// Aggregates each interval by itself; intervals without rows stay empty.
    ///
    /// # Errors
    /// When an aggregate or a key names a column that is not there.
    pub fn aggregate(&self, keys: &[Expr], aggregates: &[Expr]) -> PolarsResult<DStream> {
        self.transform("aggregate", |rows| {
            if keys.is_empty() {
                rows.select(aggregates)
            } else {
                rows.group_by_stable(keys).agg(aggregates)
            }
        })
    }

    /// Joins to each interval those before it, `length` together, every `slide`.
    ///
    /// # Errors
    /// When either is not a multiple of the batch interval: a DStream has nothing finer.
    pub fn window(
        &self,
        length: std::time::Duration,
        slide: std::time::Duration,
    ) -> PolarsResult<DStream> {
        let in_intervals = |span: std::time::Duration, what: &str| {
            let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
            polars_ensure!(
                micros > 0 && micros % self.interval == 0,
                ComputeError: "a DStream's window {} is a multiple of its batch interval\n  have: {} s, interval {} s\n  try:  seconds({})",
                what, micros / 1_000_000, self.interval / 1_000_000, self.interval / 1_000_000
            );
            usize::try_from(micros / self.interval)
                .map_err(|_| polars_err!(ComputeError: "this {what} is too long"))
        };
        let (length, slide) = (
            in_intervals(length, "length")?,
            in_intervals(slide, "slide")?,
        );
        let mut rdds = Vec::new();
        for end in (slide - 1..self.rdds.len()).step_by(slide) {
            let from = (end + 1).saturating_sub(length);
            let mut rows = self.rdds[from].rows.clone();
            for more in &self.rdds[from + 1..=end] {
                rows.vstack_mut(&more.rows)?;
            }
            rdds.push(Rdd {
                time: self.rdds[end].time,
                rows,
            });
        }
        let mut lineage = self.lineage.clone();
        lineage.push(format!("window of {length} intervals every {slide}"));
        Ok(DStream {
            rdds,
            interval: self.interval,
            lineage,
        })
    }

    /// Counts rows of each value of `key` over all intervals so far: updateStateByKey. The state
    /// goes through every key in every interval, and nothing ever leaves it.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn running_count(&self, key: &str) -> PolarsResult<DStream> {
        let mut so_far: Option<DataFrame> = None;
        let mut rdds = Vec::new();
        for rdd in &self.rdds {
            let counted = rdd
                .rows
                .clone()
                .lazy()
                .select([col(key), lit(1i64).alias("count")]);
            let all = match so_far.take() {
                None => counted,
                Some(state) => concat([state.lazy(), counted], UnionArgs::default())?,
            };
            let state = all
                .group_by_stable([col(key)])
                .agg([col("count").sum()])
                .collect()?;
            so_far = Some(state.clone());
            rdds.push(Rdd {
                time: rdd.time,
                rows: state,
            });
        }
        let mut lineage = self.lineage.clone();
        lineage.push(format!("update state by {key}, from the interval before"));
        Ok(DStream {
            rdds,
            interval: self.interval,
            lineage,
        })
    }

    /// Returns all rows behind the interval they came in: interval_start, interval_end (datetime in
    /// microseconds, UTC), then the columns of the rows.
    ///
    /// # Errors
    /// When the intervals have rows of different columns.
    pub fn collect(&self) -> PolarsResult<DataFrame> {
        let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
        let mut all: Option<DataFrame> = None;
        for rdd in &self.rdds {
            let mut names = Vec::new();
            for (name, at) in [
                ("interval_start", rdd.time - self.interval),
                ("interval_end", rdd.time),
            ] {
                let times = Column::new(name.into(), vec![at; rdd.rows.height()]);
                names.push(times.cast(&utc)?);
            }
            names.extend(rdd.rows.columns().iter().cloned());
            let part = DataFrame::new(rdd.rows.height(), names)?;
            match &mut all {
                None => all = Some(part),
                Some(all) => {
                    all.vstack_mut(&part)?;
                }
            }
        }
        Ok(all.unwrap_or_default())
    }

    /// Returns the intervals in order.
    pub fn rdds(&self) -> &[Rdd] {
        &self.rdds
    }

    /// Says how each RDD is made again when it is lost: its lineage.
    pub fn lineage(&self) -> String {
        self.lineage.join(" <- ")
    }

    /// Shows the number of rows in each interval as the value of a cell.
    pub fn evcxr_display(&self) {
        let counts: Vec<String> = self
            .rdds
            .iter()
            .map(|rdd| rdd.rows.height().to_string())
            .collect();
        let text = format!(
            "DStream of {} RDDs ({})\nrows in each: {}",
            self.rdds.len(),
            self.lineage(),
            counts.join(" ")
        );
        headwater_streams::display::result(headwater_streams::frame::Bundle::from([(
            "text/plain".to_owned(),
            text,
        )]));
    }

    fn new(rdds: Vec<Rdd>, interval: i64, lineage: String) -> DStream {
        DStream {
            rdds,
            interval,
            lineage: vec![lineage],
        }
    }

    fn transform(
        &self,
        words: &str,
        change: impl Fn(LazyFrame) -> LazyFrame,
    ) -> PolarsResult<DStream> {
        let rdds = self.rdds.iter().map(|rdd| {
            Ok(Rdd {
                time: rdd.time,
                rows: change(rdd.rows.clone().lazy()).collect()?,
            })
        });
        let rdds = rdds.collect::<PolarsResult<Vec<Rdd>>>()?;
        let mut lineage = self.lineage.clone();
        lineage.push(words.to_owned());
        Ok(DStream {
            rdds,
            interval: self.interval,
            lineage,
        })
    }
}
