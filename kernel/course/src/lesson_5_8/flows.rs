//! Picture P1: the architecture that follows from a requirement, its flows as wide as they are.

use super::plan::reference;
use super::requirement::Req;
use crate::canvas::{Anchor, BLUE, Canvas, GREEN, INK, ORANGE};
use crate::drawing::Drawing;

/// Draws the flows of a storm: senders, brokers, consumer groups, the remote tier. With so many
/// partitions and brokers.
pub fn flow_picture(req: &Req, partitions: u32, brokers: u32) -> Drawing {
    let plan = reference(req);
    let title = "Flows in a storm, as wide as they are (MB/s)";
    let mut canvas = Canvas::new(title, 700.0, 300.0);
    let most = plan.egress_mb_s.max(plan.replication_mb_s).max(1e-9);
    let wide = |mb_s: f64| (mb_s / most * 70.0).max(1.5);
    let arrow = |canvas: &mut Canvas, from: f64, to: f64, mb_s: f64, colour: &str| {
        canvas.line((from, 120.0), (to, 120.0), colour, wide(mb_s), "");
        let middle = (from + to) / 2.0;
        canvas.text(middle, 68.0, Anchor::Middle, &format!("{mb_s:.1}"), INK);
    };
    arrow(&mut canvas, 130.0, 270.0, plan.storm_mb_s, BLUE);
    arrow(&mut canvas, 430.0, 570.0, plan.egress_mb_s, GREEN);
    canvas.text(200.0, 50.0, Anchor::Middle, "in", INK);
    canvas.text(500.0, 50.0, Anchor::Middle, "to the groups", INK);
    // Replication goes from broker to broker.
    let half = wide(plan.replication_mb_s) / 2.0;
    canvas.line((350.0, 160.0), (350.0, 206.0), ORANGE, half * 2.0, "");
    let words = format!("{:.1} between brokers", plan.replication_mb_s);
    canvas.text(350.0 + half + 8.0, 190.0, Anchor::Start, &words, INK);
    let senders = format!("{:.0}", req.sources);
    node(&mut canvas, (10.0, 80.0), 122.0, &["senders", &senders]);
    let (on, of) = (
        format!("{brokers} brokers"),
        format!("{partitions} partitions"),
    );
    node(&mut canvas, (270.0, 80.0), 160.0, &[&on, &of]);
    let groups = format!("groups: {}", req.groups);
    node(&mut canvas, (570.0, 80.0), 122.0, &["consumer", &groups]);
    let copies = format!("{} copies, {} h", req.copies, req.local_hours);
    let local = format!("{:.2} TB on disk", plan.local_tb);
    node(&mut canvas, (270.0, 206.0), 160.0, &[&copies, &local]);
    canvas.line((430.0, 246.0), (520.0, 246.0), INK, 2.0, "6 4");
    let (days, remote) = (
        format!("{} days, 1 copy", req.keep_days),
        format!("{:.2} TB remote", plan.remote_tb),
    );
    node(&mut canvas, (520.0, 206.0), 172.0, &[&days, &remote]);
    let words = format!(
        "{:.1} MB/s come in, {:.1} go between brokers, {:.1} go to the groups.",
        plan.storm_mb_s, plan.replication_mb_s, plan.egress_mb_s
    );
    let table = format!(
        "{brokers} brokers, {partitions} partitions\n{:.2} TB on disk in {} copies, {:.2} TB in the remote tier",
        plan.local_tb, req.copies, plan.remote_tb
    );
    canvas.finish(&words, &table)
}

/// A box of so many pixels with two lines of words.
fn node(canvas: &mut Canvas, (x, y): (f64, f64), wide: f64, lines: &[&str; 2]) {
    canvas.rect((x, y), (wide, 80.0), "#ffffff", INK);
    for (line, words) in lines.iter().enumerate() {
        let y = y + 34.0 + line as f64 * 22.0;
        canvas.text(x + wide / 2.0, y, Anchor::Middle, words, INK);
    }
}
