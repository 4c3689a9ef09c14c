//! Picture P4: three copies of a log, who leads, who is in sync, and what was acknowledged and lost.

use std::time::Duration;

use crate::canvas::{Anchor, BLUE, Canvas, GREEN, INK, ORANGE, RED};
use crate::drawing::Drawing;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 150.0;
const ROW: f64 = 46.0;

/// The stage at one moment.
pub(super) struct Scene {
    pub said: String,
    pub copies: Vec<Copy>,
    /// Nothing while nobody leads.
    pub high_watermark: Option<i64>,
    pub sent: Vec<Sent>,
    /// The numbers of the records that the consumer has read.
    pub read: Vec<usize>,
}

/// One node's copy of the partition.
pub(super) struct Copy {
    pub node: i32,
    pub up: bool,
    pub leads: bool,
    pub in_sync: bool,
    /// Offset and number of each record.
    pub records: Vec<(i64, usize)>,
}

/// One record that was sent, and what its sender was told.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub number: usize,
    pub acks: &'static str,
    /// Its offset, or why it was refused.
    pub told: Result<i64, String>,
    pub latency: Duration,
}

impl Scene {
    /// Returns the records that were acknowledged and that the leader does not have; nothing is said
    /// while nobody leads.
    pub fn lost(&self) -> Vec<usize> {
        let Some(leader) = self.copies.iter().find(|copy| copy.leads) else {
            return vec![];
        };
        let acknowledged = self.sent.iter().filter(|sent| sent.told.is_ok());
        let gone = |number: &usize| leader.records.iter().all(|(_, there)| there != number);
        acknowledged.map(|sent| sent.number).filter(gone).collect()
    }
}

pub(super) fn draw(scene: &Scene) -> Drawing {
    let end = scene
        .copies
        .iter()
        .flat_map(|copy| &copy.records)
        .map(|(offset, _)| offset + 1)
        .max();
    let end = end.unwrap_or(0).max(8);
    let cell = ((WIDTH - LEFT - 24.0) / end as f64).min(34.0);
    let lost = scene.lost();
    let told: Vec<&Sent> = scene.sent.iter().rev().take(6).rev().collect();
    let height = 330.0 + told.len() as f64 * 22.0;
    let mut canvas = Canvas::new("Three copies of partition 0", WIDTH, height);
    canvas.text(8.0, 44.0, Anchor::Start, &scene.said, BLUE);
    for (line, copy) in scene.copies.iter().enumerate() {
        draw_copy(&mut canvas, scene, copy, 64.0 + line as f64 * ROW, cell);
    }
    let base = 64.0 + scene.copies.len() as f64 * ROW;
    if let Some(high) = scene.high_watermark {
        let x = LEFT + high as f64 * cell;
        canvas.line((x, 56.0), (x, base + 2.0), RED, 3.0, "6 4");
        let (anchor, at) = if x > WIDTH - 200.0 {
            (Anchor::End, x - 4.0)
        } else {
            (Anchor::Start, x + 4.0)
        };
        canvas.text(
            at,
            base + 16.0,
            anchor,
            &format!("high watermark {high}"),
            RED,
        );
    }
    draw_lost(&mut canvas, &lost, base + 28.0);
    let mut y = base + 82.0;
    canvas.text(8.0, y, Anchor::Start, "The last answers:", INK);
    for sent in &told {
        y += 22.0;
        let colour = if sent.told.is_ok() { GREEN } else { RED };
        canvas.text(20.0, y, Anchor::Start, &answer(sent), colour);
    }
    canvas.text(
        8.0,
        y + 28.0,
        Anchor::Start,
        "number: record; dashed: sent with acks=1; green box: in sync",
        INK,
    );
    canvas.finish(&words(scene, &lost), &table(scene))
}

fn draw_copy(canvas: &mut Canvas, scene: &Scene, copy: &Copy, y: f64, cell: f64) {
    let role = match (copy.up, copy.leads, copy.in_sync) {
        (false, ..) => "✕ dead",
        (_, true, _) => "★ leads",
        (.., true) => "in sync",
        _ => "out of sync",
    };
    let colour = if copy.up { INK } else { RED };
    let words = format!("node {} {role}", copy.node);
    canvas.text(LEFT - 14.0, y + 20.0, Anchor::End, &words, colour);
    if copy.in_sync {
        canvas.rect((4.0, y - 3.0), (WIDTH - 12.0, 36.0), "none", GREEN);
    }
    for (offset, number) in &copy.records {
        let x = LEFT + *offset as f64 * cell;
        let one = scene
            .sent
            .iter()
            .any(|sent| sent.number == *number && sent.acks == "1");
        let colour = if one { ORANGE } else { BLUE };
        let fill = if copy.up { "#ffffff" } else { "#e5e5e5" };
        canvas.rect((x + 1.0, y), (cell - 2.0, 30.0), fill, colour);
        if one {
            let bottom = y + 27.0;
            canvas.line(
                (x + 4.0, bottom),
                (x + cell - 4.0, bottom),
                ORANGE,
                2.0,
                "3 2",
            );
        }
        canvas.text(
            x + cell / 2.0,
            y + 19.0,
            Anchor::Middle,
            &number.to_string(),
            INK,
        );
    }
}

fn draw_lost(canvas: &mut Canvas, lost: &[usize], y: f64) {
    if lost.is_empty() {
        return;
    }
    canvas.text(8.0, y + 18.0, Anchor::Start, "acknowledged and lost", RED);
    for (at, number) in lost.iter().take(14).enumerate() {
        let x = LEFT + 24.0 + at as f64 * 36.0;
        canvas.rect((x, y), (32.0, 26.0), "#ffffff", RED);
        canvas.text(x + 16.0, y + 18.0, Anchor::Middle, &number.to_string(), INK);
        canvas.line((x - 2.0, y + 24.0), (x + 34.0, y + 2.0), RED, 2.0, "");
    }
}

fn answer(sent: &Sent) -> String {
    let ms = sent.latency.as_millis();
    match &sent.told {
        Ok(offset) => format!(
            "record {}, acks={}: accepted at offset {offset} after {ms} ms",
            sent.number, sent.acks
        ),
        Err(why) => format!(
            "record {}, acks={}: not accepted, {why}, after {ms} ms",
            sent.number, sent.acks
        ),
    }
}

fn words(scene: &Scene, lost: &[usize]) -> String {
    let in_sync: Vec<String> = scene
        .copies
        .iter()
        .filter(|it| it.in_sync)
        .map(|it| it.node.to_string())
        .collect();
    let high = match scene.high_watermark {
        Some(high) => format!(
            "high watermark {high}, a consumer can see the records before it and has read {}",
            scene.read.len()
        ),
        None => format!(
            "nobody leads, a consumer can read nothing more than the {} it has",
            scene.read.len()
        ),
    };
    let gone: Vec<String> = lost.iter().map(usize::to_string).collect();
    let gone = match gone.is_empty() {
        true => "no acknowledged record is lost".to_owned(),
        false => format!("acknowledged and lost: {}", gone.join(", ")),
    };
    format!(
        "{}. In sync: {}; {high}; {gone}.",
        scene.said,
        in_sync.join(", ")
    )
}

fn table(scene: &Scene) -> String {
    let copies = scene.copies.iter().map(|copy| {
        let end = copy.records.last().map_or(0, |(offset, _)| offset + 1);
        let state = if copy.up { "up" } else { "dead" };
        format!("node {}: {state}, end {end}", copy.node)
    });
    let answers = scene.sent.iter().rev().take(6).rev().map(answer);
    copies.chain(answers).collect::<Vec<_>>().join("\n")
}
