//! Whose results a sink holds, and up to which batch.

use serde::{Deserialize, Serialize};

use super::Opening;
use crate::{Error, Result};

/// What a sink keeps beside its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    /// The job that writes here.
    pub job: String,
    /// Its newest batch, if any has come.
    pub batch: Option<u64>,
}

/// Compares what a sink holds with what the checkpoint knows; returns the newest batch that the
/// sink has.
///
/// # Errors
/// When the sink belongs to another job, is empty although the job has written, or is ahead.
pub(super) fn check(
    place: &str,
    found: Option<&Marker>,
    opening: &Opening<'_>,
) -> Result<Option<u64>> {
    let next = opening.next;
    let Some(found) = found else {
        return match next {
            0 => Ok(None),
            _ => Err(Error::new(format!(
                "{place} is empty, but the job has written to it before"
            ))
            .have(format!("{next} batches in the checkpoint"))
            .hint("bring it back, or begin anew: a new checkpoint folder and a new sink")),
        };
    };
    if found.job != opening.job {
        return Err(Error::new(format!("{place} holds results of another job"))
            .have(format!("job {}, this is job {}", found.job, opening.job))
            .hint(
                "another place for the results, or the checkpoint folder of the job that began it",
            ));
    }
    match found.batch {
        Some(batch) if batch > next => Err(Error::new(format!(
            "{place} is ahead of the checkpoint"
        ))
        .have(format!("batch {batch}, where the checkpoint goes on with batch {next}"))
        .hint("the newest copy of the checkpoint folder, or begin anew: a new checkpoint folder and a new sink")),
        batch => Ok(batch),
    }
}

/// The error of a table that was there before the job.
pub(super) fn not_ours(place: &str) -> Error {
    Error::new(format!("{place} is there already and belongs to no job"))
        .have("a table that a job did not make")
        .hint(".table(\"another_name\")")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sink_that_does_not_fit_the_checkpoint_is_refused() {
        let topic = crate::Cluster::embedded()
            .and_then(|cluster| cluster.topic("marker", crate::partitions(1)))
            .unwrap();
        let query = topic
            .stream()
            .watermark("at", crate::seconds(1))
            .window(crate::Tumbling::of(crate::seconds(1)))
            .agg([polars::prelude::len()])
            .unwrap();
        let opening = |next| Opening {
            job: "a",
            next,
            offsets: &[0],
            query: &query,
        };
        let marker = |job: &str, batch| Marker {
            job: job.into(),
            batch,
        };
        let says = |found: Option<Marker>, next| {
            let checked = check("the table", found.as_ref(), &opening(next));
            checked.map_err(|error| error.to_string())
        };
        assert_eq!(says(None, 0), Ok(None));
        assert_eq!(says(Some(marker("a", None)), 4), Ok(None));
        assert_eq!(says(Some(marker("a", Some(3))), 4), Ok(Some(3)));
        assert_eq!(says(Some(marker("a", Some(4))), 4), Ok(Some(4)));
        let refused = |found, next| says(found, next).unwrap_err();
        assert!(refused(None, 4).starts_with("the table is empty, but the job has written"));
        assert!(refused(Some(marker("b", Some(3))), 4).contains("results of another job"));
        assert!(refused(Some(marker("a", Some(5))), 4).contains("is ahead of the checkpoint"));
    }
}
