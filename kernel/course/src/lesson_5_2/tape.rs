//! Picture P1: a topic as tapes, one a partition, with every record at its real offset.

use headwater_streams::{Position, Result, Topic};
use polars::prelude::DataFrame;

use super::lab_consumer::LabConsumer;
use crate::canvas::{Anchor, BLUE, Canvas, GREEN, INK, ORANGE, RED};
use crate::drawing::Drawing;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 92.0;
const ROW: f64 = 44.0;
/// So many records of a partition are drawn, the newest.
const MOST: usize = 28;

/// What each key is drawn with: colours repeat, the letter does not.
const COLOURS: [&str; 5] = [BLUE, ORANGE, GREEN, RED, "#cc79a7"];

/// A topic at one moment, partition by partition.
#[derive(Debug, Clone)]
pub struct Tape {
    topic: String,
    partitions: Vec<Partition>,
    keys: Vec<String>,
    /// A group's name, with position and committed offset of each partition.
    group: Option<(String, Vec<Marks>)>,
}

#[derive(Debug, Clone, Default)]
struct Partition {
    /// Offset and key of each record.
    records: Vec<(i64, Option<String>)>,
}

#[derive(Debug, Clone, Copy)]
struct Marks {
    position: i64,
    committed: Option<i64>,
}

impl Tape {
    /// Reads the whole topic, and keeps of each record its partition, offset and key.
    ///
    /// # Errors
    /// When the broker does not answer.
    ///
    /// # Example
    /// ```
    /// use headwater_course::lesson_5_2::Tape;
    /// use headwater_streams::prelude::*;
    ///
    /// let topic = Cluster::embedded()?.topic("doc-tape", partitions(2))?;
    /// topic.send("G01", "{}")?;
    /// assert!(Tape::of(&topic)?.drawing().text().contains("1 record"));
    /// # Ok::<(), headwater_streams::Error>(())
    /// ```
    pub fn of(topic: &Topic) -> Result<Tape> {
        let frame = topic.read_with_metadata(Position::Earliest)?;
        let mut partitions = vec![Partition::default(); topic.partitions()];
        let mut keys: Vec<String> = Vec::new();
        for (at, offset, key) in places(&frame)? {
            if let Some(key) = &key
                && !keys.contains(key)
            {
                keys.push(key.clone());
            }
            partitions[at].records.push((offset, key));
        }
        partitions.iter_mut().for_each(|it| it.records.sort());
        keys.sort();
        Ok(Tape {
            topic: topic.name().to_owned(),
            partitions,
            keys,
            group: None,
        })
    }

    /// Returns this tape with the marks of a consumer: its position, and what its group committed.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn with(&self, reader: &LabConsumer) -> Result<Tape> {
        let marks =
            reader
                .position()
                .into_iter()
                .zip(reader.committed()?)
                .map(|(position, committed)| Marks {
                    position,
                    committed,
                });
        Ok(Tape {
            group: Some((reader.group().to_owned(), marks.collect())),
            ..self.clone()
        })
    }

    /// Draws the tapes.
    pub fn drawing(&self) -> Drawing {
        let most = self
            .partitions
            .iter()
            .map(|it| it.records.len())
            .max()
            .unwrap_or(0);
        let shown = most.clamp(1, MOST);
        let cell = ((WIDTH - LEFT - 30.0) / shown as f64).min(26.0);
        let height =
            40.0 + self.partitions.len() as f64 * ROW + 58.0 + self.legend_lines() as f64 * 22.0;
        let mut canvas = Canvas::new(&format!("Topic {}", self.topic), WIDTH, height);
        for (number, partition) in self.partitions.iter().enumerate() {
            self.draw_partition(&mut canvas, number, partition, cell);
        }
        let base = 40.0 + self.partitions.len() as f64 * ROW;
        canvas.text(
            LEFT,
            base + 18.0,
            Anchor::Start,
            "a cell is a record; below it the first and the end offset of the tape",
            INK,
        );
        if self.group.is_some() {
            let words = "▲ position, next to read; ┃ committed, where a new process starts";
            canvas.text(LEFT, base + 40.0, Anchor::Start, words, INK);
        }
        self.draw_legend(&mut canvas, base + 64.0);
        canvas.finish(&self.words(), &self.table())
    }

    /// Shows the picture as the value of a cell.
    pub fn evcxr_display(&self) {
        self.drawing().evcxr_display();
    }

    fn draw_partition(&self, canvas: &mut Canvas, number: usize, partition: &Partition, cell: f64) {
        let y = 36.0 + number as f64 * ROW;
        canvas.text(
            8.0,
            y + 17.0,
            Anchor::Start,
            &format!("partition {number}"),
            INK,
        );
        let hidden = partition.records.len().saturating_sub(MOST);
        let records = &partition.records[hidden..];
        for (at, (_, key)) in records.iter().enumerate() {
            let x = LEFT + at as f64 * cell;
            let (fill, letter) = self.look(key.as_deref());
            canvas.rect((x + 1.0, y), (cell - 2.0, 22.0), "#ffffff", fill);
            canvas.text(x + cell / 2.0, y + 16.0, Anchor::Middle, &letter, fill);
        }
        let end = records.last().map_or(0, |(offset, _)| offset + 1);
        let first = records.first().map_or(end, |(offset, _)| *offset);
        let place = |offset: i64| LEFT + (offset - first).max(0) as f64 * cell;
        canvas.text(
            LEFT + 9.0,
            y + 36.0,
            Anchor::Start,
            &first.to_string(),
            GREY_INK,
        );
        if end > first + 1 {
            canvas.text(
                place(end) + 9.0,
                y + 36.0,
                Anchor::Start,
                &end.to_string(),
                GREY_INK,
            );
        }
        if let Some((_, marks)) = &self.group
            && let Some(marks) = marks.get(number)
        {
            canvas.text(place(marks.position), y + 37.0, Anchor::Middle, "▲", INK);
            if let Some(committed) = marks.committed {
                let x = place(committed);
                canvas.line((x, y - 5.0), (x, y + 27.0), INK, 3.0, "");
            }
        }
    }

    fn draw_legend(&self, canvas: &mut Canvas, y: f64) {
        let mut entries: Vec<(&str, String)> = Vec::new();
        for key in &self.keys {
            let (colour, letter) = self.look(Some(key));
            entries.push((colour, format!("{letter} {key}")));
        }
        if self.has_null_keys() {
            entries.push((GREY_INK, "· no key".into()));
        }
        for (at, (colour, words)) in entries.iter().enumerate() {
            let x = LEFT + (at % 7) as f64 * 86.0;
            canvas.text(x, y + (at / 7) as f64 * 22.0, Anchor::Start, words, colour);
        }
    }

    fn legend_lines(&self) -> usize {
        (self.keys.len() + usize::from(self.has_null_keys())).div_ceil(7)
    }

    fn has_null_keys(&self) -> bool {
        let records = self.partitions.iter().flat_map(|it| &it.records);
        records.into_iter().any(|(_, key)| key.is_none())
    }

    fn look(&self, key: Option<&str>) -> (&'static str, String) {
        let Some(at) = key.and_then(|key| self.keys.iter().position(|known| known == key)) else {
            return (GREY_INK, "·".into());
        };
        let letter = char::from(b'A' + (at % 26) as u8);
        (COLOURS[at % COLOURS.len()], letter.to_string())
    }

    fn words(&self) -> String {
        let records: usize = self.partitions.iter().map(|it| it.records.len()).sum();
        let spread = self
            .keys
            .iter()
            .filter(|key| self.tapes_of(key) > 1)
            .count();
        let plural = if records == 1 { "record" } else { "records" };
        format!(
            "{records} {plural} on {} tapes; {} keys, {spread} of them on more than one tape.",
            self.partitions.len(),
            self.keys.len()
        )
    }

    fn tapes_of(&self, key: &str) -> usize {
        let on = |partition: &&Partition| {
            partition
                .records
                .iter()
                .any(|(_, of)| of.as_deref() == Some(key))
        };
        self.partitions.iter().filter(on).count()
    }

    fn table(&self) -> String {
        let lines = self
            .partitions
            .iter()
            .enumerate()
            .map(|(number, partition)| {
                let end = partition.records.last().map_or(0, |(offset, _)| offset + 1);
                let keys: Vec<&str> = self
                    .keys
                    .iter()
                    .map(String::as_str)
                    .filter(|key| {
                        partition
                            .records
                            .iter()
                            .any(|(_, of)| of.as_deref() == Some(key))
                    })
                    .collect();
                let keys = if keys.is_empty() {
                    "none".into()
                } else {
                    keys.join(" ")
                };
                let marks = self.group.as_ref().and_then(|(_, marks)| marks.get(number));
                let read = marks.map_or(String::new(), |marks| {
                    let committed = marks
                        .committed
                        .map_or("nothing".into(), |at| at.to_string());
                    let lag = end - marks.committed.unwrap_or(0);
                    format!(
                        ", position {}, committed {committed}, lag {lag}",
                        marks.position
                    )
                });
                format!("partition {number}: end {end}, keys {keys}{read}")
            });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Grey that is dark enough for text.
const GREY_INK: &str = "#595959";

/// Returns partition, offset and key of each row.
fn places(frame: &DataFrame) -> Result<Vec<(usize, i64, Option<String>)>> {
    if frame.height() == 0 {
        return Ok(vec![]);
    }
    let number = |name: &str| -> Result<Vec<i64>> {
        let column = frame
            .column(name)?
            .cast(&polars::prelude::DataType::Int64)?;
        Ok(column
            .i64()?
            .iter()
            .map(Option::unwrap_or_default)
            .collect())
    };
    let keys = frame.column("_key")?.str()?.clone();
    let keys = keys.iter().map(|key| key.map(str::to_owned));
    let places = number("_partition")?
        .into_iter()
        .zip(number("_offset")?)
        .zip(keys);
    Ok(places
        .map(|((partition, offset), key)| (partition as usize, offset, key))
        .collect())
}
