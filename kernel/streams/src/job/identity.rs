//! Whether a checkpoint belongs to this query, this sink and this topic.

use std::path::Path;
use std::time::SystemTime;

use super::Job;
use crate::checkpoint::{Checkpoint, Committed, Counts, Identity};
use crate::query::{Query, Running};
use crate::topic::identity::identity;
use crate::topic::tail::Tail;
use crate::topic::{Position, Topic, range};
use crate::window::WindowQuery;
use crate::{Error, Result};

/// Writes down which job this is, before its first batch.
pub(super) fn begin(
    job: &Job,
    running: &Running,
    topic_id: Option<String>,
    checkpoint: &Checkpoint,
) -> Result<(Identity, Committed)> {
    let query = &job.query;
    if let Some(first) = Tail::peek(&query.topic, &Position::Earliest)? {
        running.check(&first)?;
    }
    let identity = Identity {
        job: new_id(),
        query: query.plan().to_json()?,
        sink: job.sink.target().describe(),
        format: query.topic.format().describe(),
        topic_id,
    };
    let committed = Committed {
        batches: 0,
        offsets: range::beginning(&query.topic, &query.from)?,
        clock: running.clock.clone(),
        columns: Vec::new(),
        counts: Counts::default(),
    };
    checkpoint.begin(&identity, &committed)?;
    Ok((identity, committed))
}

/// Refuses a query, a sink or a topic that are not those the checkpoint was made with.
pub(super) fn check_identity(
    identity: &Identity,
    job: &Job,
    topic_id: Option<&str>,
    folder: &Path,
) -> Result<()> {
    let hint =
        "the query and sink as they were, or a new checkpoint folder and a new sink to begin anew";
    check_query(&identity.query, &job.query, folder, hint)?;
    let sink = job.sink.target().describe();
    if sink != identity.sink {
        return Err(Error::new(format!(
            "the checkpoint in {} belongs to another sink",
            folder.display()
        ))
        .have(format!("sink: was {}, is {sink}", identity.sink))
        .hint(hint));
    }
    let format = job.query.topic.format().describe();
    if format != identity.format {
        return Err(Error::new(format!(
            "the checkpoint in {} belongs to a job that reads another format",
            folder.display()
        ))
        .have(format!("format: was {}, is {format}", identity.format))
        .hint(hint));
    }
    same_topic(
        job.query.topic.name(),
        identity.topic_id.as_deref(),
        topic_id,
    )
}

fn same_topic(name: &str, was: Option<&str>, is: Option<&str>) -> Result<()> {
    match (was, is) {
        (Some(was), Some(is)) if was != is => {
            Err(range::emptied(name).have(format!("topic id: was {was}, is {is}")))
        }
        _ => Ok(()),
    }
}

fn check_query(json: &str, query: &Query, folder: &Path, hint: &str) -> Result<()> {
    let was = WindowQuery::from_json(json)?;
    let changes = was.changes(&query.plan());
    if changes.is_empty() {
        return Ok(());
    }
    let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
    Err(Error::new(format!(
        "the checkpoint in {} belongs to another query",
        folder.display()
    ))
    .have(changes.join("; "))
    .hint(hint))
}

/// Returns the topic's id, if it is the one that it was and as wide as the handle says.
pub(super) fn checked(topic: &Topic, was: Option<&str>) -> Result<Option<String>> {
    let found = identity(topic)?;
    same_topic(topic.name(), was, found.id.as_deref())?;
    let (there, read) = (found.partitions, topic.partitions());
    if there > read {
        return Err(Error::new(format!(
            "topic `{}` has more partitions than the job reads",
            topic.name()
        ))
        .have(format!("{there} partitions, the job reads {read}"))
        .hint(format!(
            "cluster.topic(\"{}\", partitions({there}))? and the job on it: it goes on where it was",
            topic.name()
        )));
    }
    Ok(found.id)
}

/// Draws a name that no other job has.
fn new_id() -> String {
    use std::hash::{BuildHasher, RandomState};
    let now = SystemTime::now();
    let drawn = RandomState::new().hash_one((now, std::process::id()));
    format!("{drawn:016x}")
}
