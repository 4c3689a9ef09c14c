//! Picture P2: what 400 orders come to, on each of the four ways to tell two systems.

use headwater_streams::{Cluster, Result, Topic};
use polars::prelude::{DataFrame, df};

use super::order::{Answer, WritePath};
use super::shop::Shop;
use crate::canvas::{Anchor, BLUE, Canvas, GREEN, INK, ORANGE, RED};
use crate::drawing::Drawing;
use crate::random::Random;

/// What an order may come to, with colour and fill of its bar.
const OUTCOMES: [(&str, &str, &str); 4] = [
    ("same in both", GREEN, GREEN),
    ("order without bill", RED, "#ffffff"),
    ("bill without order", ORANGE, ORANGE),
    ("billed twice or more", BLUE, "url(#open)"),
];

/// Counts of what orders came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcomes {
    runs: usize,
    /// Of each way, the counts in the order of `OUTCOMES`.
    counts: Vec<(WritePath, [usize; 4])>,
}

impl Outcomes {
    /// Takes `runs` orders on each way, the same ones: of a hundred, five break a rule of the
    /// database, in thirty the process dies after step 1 or 2, and half of the customers who hear
    /// nothing ask again. Of the relay's sends one in ten is followed by a crash. The topic is
    /// emptied before each way.
    ///
    /// # Errors
    /// When database or broker fail, or on interrupt.
    pub fn of(cluster: &Cluster, topic: &Topic, runs: usize) -> Result<Outcomes> {
        let mut counts = Vec::new();
        for path in WritePath::ALL {
            topic.clear()?;
            let shop = Shop::open(cluster, topic, path)?;
            for run in 0..runs {
                headwater_streams::interrupt::check()?;
                one(&shop, path, run)?;
            }
            shop.bill()?;
            counts.push((path, count(&shop.compare()?)?));
        }
        Ok(Outcomes { runs, counts })
    }

    /// Returns the counts: path, outcome, orders.
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn frame(&self) -> Result<DataFrame> {
        let rows = self.counts.iter().flat_map(|(path, counts)| {
            let named = OUTCOMES.iter().zip(counts);
            named.map(|((name, ..), count)| (path.name(), *name, *count as i64))
        });
        let rows: Vec<(&str, &str, i64)> = rows.collect();
        Ok(df!(
            "path" => rows.iter().map(|it| it.0).collect::<Vec<_>>(),
            "outcome" => rows.iter().map(|it| it.1).collect::<Vec<_>>(),
            "orders" => rows.iter().map(|it| it.2).collect::<Vec<_>>(),
        )?)
    }

    /// Draws the counts: a row for each way, a bar for each outcome.
    pub fn drawing(&self) -> Drawing {
        const LEFT: f64 = 146.0;
        const COLUMN: f64 = 150.0;
        let height = 76.0 + self.counts.len() as f64 * 44.0;
        let title = format!(
            "What {} orders come to, on four ways to tell two systems",
            self.runs
        );
        let mut canvas = Canvas::new(&title, LEFT + 4.0 * COLUMN, height);
        for (at, (name, ..)) in OUTCOMES.iter().enumerate() {
            canvas.text(LEFT + at as f64 * COLUMN, 50.0, Anchor::Start, name, INK);
        }
        for (row, (path, counts)) in self.counts.iter().enumerate() {
            let y = 64.0 + row as f64 * 44.0;
            canvas.text(8.0, y + 19.0, Anchor::Start, path.name(), INK);
            for (at, (count, (_, stroke, fill))) in counts.iter().zip(OUTCOMES).enumerate() {
                let x = LEFT + at as f64 * COLUMN;
                let long = *count as f64 / self.runs.max(1) as f64 * (COLUMN - 54.0);
                if *count > 0 {
                    canvas.rect((x, y), (long.max(2.0), 26.0), fill, stroke);
                }
                canvas.line((x, y - 4.0), (x, y + 32.0), INK, 1.0, "");
                let words = count.to_string();
                canvas.text(x + long + 8.0, y + 19.0, Anchor::Start, &words, INK);
            }
        }
        canvas.finish(&self.words(), "")
    }

    /// Shows the picture as the value of a cell.
    pub fn evcxr_display(&self) {
        self.drawing().evcxr_display();
    }

    fn words(&self) -> String {
        let lines = self.counts.iter().map(|(path, counts)| {
            let parts = OUTCOMES.iter().zip(counts);
            let parts: Vec<String> = parts
                .map(|((name, ..), count)| format!("{name} {count}"))
                .collect();
            format!("{}: {}.", path.name(), parts.join(", "))
        });
        lines.collect::<Vec<_>>().join(" ")
    }
}

/// Takes one order; its fate depends on its number alone, so that every way meets the same ones.
fn one(shop: &Shop, path: WritePath, run: usize) -> Result<()> {
    let mut random = Random::seeded(run as u64);
    let amount_eur = if random.between(0, 100) < 5 {
        0
    } else {
        random.between(10, 100)
    };
    let dies = (random.between(0, 100) < 30).then(|| random.between(1, 3) as usize);
    let asks_again = random.between(0, 2) == 0;
    let relay_dies = random.between(0, 10) == 0;
    let answer = shop.take(amount_eur, dies)?;
    if matches!(answer, Answer::Silence(_)) && asks_again {
        shop.ask_again()?;
    }
    if matches!(path, WritePath::Outbox | WritePath::OutboxAndInbox) {
        if relay_dies {
            shop.relay_and_die()?;
        }
        shop.relay()?;
    }
    Ok(())
}

fn count(compared: &DataFrame) -> Result<[usize; 4]> {
    let mut counts = [0; 4];
    let rows = compared.column("in_database")?.i64()?;
    let bills = compared.column("bills")?.i64()?;
    for pair in rows.iter().flatten().zip(bills.iter().flatten()) {
        let outcome = match pair {
            (0, 0) | (1, 1) => 0,
            (1, 0) => 1,
            (0, _) => 2,
            _ => 3,
        };
        counts[outcome] += 1;
    }
    Ok(counts)
}
