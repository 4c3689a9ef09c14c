//! `orders`: a shop's orders, payments and shipments over two hours, and what is known of customers.

use polars::prelude::*;

use super::arithmetic::exp;
use super::truth::{Fault, Truth, with_times};
use crate::random::Random;

const ORDERS: i64 = 2_000;
const CUSTOMERS: i64 = 200;
const SPAN: i64 = 2 * 3_600_000;
const MALFORMED: i64 = 5;
const TIERS: [&str; 3] = ["bronze", "silver", "gold"];
const CITIES: [&str; 5] = ["Basel", "Cork", "Gent", "Turku", "Zadar"];
const CARRIERS: [&str; 3] = ["bike", "post", "van"];

/// The tables, and what was done to them on purpose.
pub(super) struct Shop {
    pub orders: DataFrame,
    pub payments: DataFrame,
    pub shipments: DataFrame,
    pub customers: DataFrame,
    /// The orders as the texts that arrive, five of which are no orders.
    pub order_lines: DataFrame,
    pub truth: DataFrame,
}

/// One row of any of the tables; times are milliseconds since midnight.
#[derive(Clone)]
struct Row {
    id: i64,
    /// The order, or for an order and a change of a customer the customer.
    of: i64,
    event: i64,
    arrival: i64,
    cents: i64,
    word: &'static str,
    other: &'static str,
}

/// Makes the shop of a seed.
pub(super) fn make(seed: u64) -> PolarsResult<Shop> {
    let mut random = Random::seeded(seed);
    let mut truth = Truth::default();
    let customers = customers(&mut truth, &mut random);
    let (mut orders, mut payments, mut shipments) = (Vec::new(), Vec::new(), Vec::new());
    for id in 1..=ORDERS {
        let event = id * SPAN / ORDERS - random.between(0, SPAN / ORDERS);
        let order = Row {
            id,
            of: random.between(1, CUSTOMERS + 1),
            event,
            arrival: event + random.between(50, 2_000),
            cents: (exp(8.0 + 0.8 * random.normal()) as i64).max(100),
            word: "",
            other: "",
        };
        pay(&order, &mut payments, &mut truth, &mut random);
        let sent = order.event + random.between(300_000, 1_800_000);
        shipments.push(Row {
            id,
            of: id,
            event: sent,
            arrival: sent + random.between(50, 3_000),
            cents: 0,
            word: random.choose(&CARRIERS),
            other: "",
        });
        orders.push(order);
    }
    for rows in [&mut orders, &mut payments, &mut shipments] {
        rows.sort_by_key(|row| (row.arrival, row.id));
    }
    let times = ["event_time", "arrival_time"];
    let part =
        |rows: &[Row], id: [&str; 2], of: [&str; 2], rest: &[&str]| -> PolarsResult<DataFrame> {
            table(rows, id, of)?.select([&[id[0], of[0]], &times[..], rest].concat())
        };
    let (order, customer) = (["order_id", "O"], ["customer_id", "C"]);
    let mut shipments = part(&shipments, ["shipment_id", "S"], order, &["word"])?;
    shipments.rename("word", "carrier".into())?;
    let mut customers = part(&customers, ["change_id", "K"], customer, &["word", "other"])?;
    customers.rename("word", "tier".into())?;
    customers.rename("other", "city".into())?;
    Ok(Shop {
        order_lines: lines(&orders, &mut truth, &mut random)?,
        orders: part(&orders, order, customer, &["amount_cents"])?,
        payments: part(&payments, ["payment_id", "P"], order, &["amount_cents"])?,
        shipments,
        customers,
        truth: truth.frame()?,
    })
}

/// Adds the payment of an order: none, one or two.
fn pay(order: &Row, payments: &mut Vec<Row>, truth: &mut Truth, random: &mut Random) {
    let dice = random.unit();
    let mut note = |kind, start, end, rows, size| {
        truth.add(Fault {
            kind,
            subject: format!("O{:04}", order.id),
            start,
            end,
            rows,
            size,
        });
    };
    if dice < 0.02 {
        note(
            "payment never comes",
            order.event,
            order.event,
            1,
            order.cents as f64 / 100.0,
        );
        return;
    }
    let event = order.event + random.between(2_000, 240_000);
    let mut payment = Row {
        id: payments.len() as i64 + 1,
        of: order.id,
        event,
        arrival: event + random.between(50, 3_000),
        cents: order.cents,
        word: "",
        other: "",
    };
    if dice < 0.05 {
        let early = random.between(50, 1_500);
        payment.event = order.event + 1;
        payment.arrival = (order.arrival - early).max(0);
        let before = (order.arrival - payment.arrival) as f64 / 1000.0;
        note(
            "payment before order",
            payment.event,
            payment.event,
            1,
            before,
        );
    } else if dice < 0.06 {
        let mut again = payment.clone();
        again.arrival += random.between(100, 60_000);
        note(
            "payment doubled",
            event,
            event,
            2,
            order.cents as f64 / 100.0,
        );
        payments.push(again);
    }
    payments.push(payment);
}

/// Returns the change feed: every customer once, then moves, and one change of tier.
fn customers(truth: &mut Truth, random: &mut Random) -> Vec<Row> {
    let mut now: Vec<Row> = (1..=CUSTOMERS)
        .map(|of| Row {
            id: of,
            of,
            event: 0,
            arrival: 0,
            cents: 0,
            word: random.choose(&TIERS),
            other: random.choose(&CITIES),
        })
        .collect();
    let mut feed = now.clone();
    let mut times: Vec<i64> = (0..100).map(|_| random.between(1, SPAN)).collect();
    times.sort_unstable();
    let changer = random.between(0, CUSTOMERS) as usize;
    let middle = SPAN / 2 + random.between(0, 60_000);
    times.insert(times.partition_point(|time| *time < middle), middle);
    for (number, event) in times.into_iter().enumerate() {
        let is_change = event == middle && !feed.iter().any(|row| row.event == middle);
        let of = if is_change {
            changer
        } else {
            random.between(0, CUSTOMERS) as usize
        };
        let row = &mut now[of];
        (row.id, row.event) = (CUSTOMERS + number as i64 + 1, event);
        row.arrival = event + random.between(50, 1_000);
        if is_change {
            row.word = if row.word == "gold" { "silver" } else { "gold" };
            truth.add(Fault {
                kind: "tier changes",
                subject: format!("C{:03}", row.of),
                start: event,
                end: event,
                rows: 1,
                size: 1.0,
            });
        } else {
            row.other = random.choose(&CITIES);
        }
        feed.push(row.clone());
    }
    feed
}

/// Returns the orders as JSON texts, with five texts among them that are no orders.
fn lines(orders: &[Row], truth: &mut Truth, random: &mut Random) -> PolarsResult<DataFrame> {
    let text = |row: &Row| {
        serde_json::json!({
            "order_id": format!("O{:04}", row.id),
            "customer_id": format!("C{:03}", row.of),
            "event_ms": super::truth::EPOCH_MS + row.event,
            "amount_cents": row.cents,
        })
        .to_string()
    };
    let mut lines: Vec<(i64, String)> = orders.iter().map(|row| (row.arrival, text(row))).collect();
    for number in 0..MALFORMED {
        let row = &orders[random.between(0, ORDERS) as usize];
        let whole = text(row);
        let broken = match number {
            0 => whole[..whole.len() / 2].to_owned(),
            1 => whole.replace("amount_cents\":", "amount_cents\":-"),
            2 => whole.replace("\"customer_id\"", "customer_id"),
            3 => String::from("hello?"),
            _ => whole.replace(':', "="),
        };
        // A minus sign is still JSON: only whoever knows orders sees that it is wrong.
        truth.add(Fault {
            kind: "malformed",
            subject: broken.chars().take(40).collect(),
            start: row.arrival,
            end: row.arrival,
            rows: 1,
            size: broken.len() as f64,
        });
        lines.push((row.arrival, broken));
    }
    lines.sort_by_key(|line| line.0);
    let frame = df!(
        "arrival_time" => lines.iter().map(|line| line.0).collect::<Vec<_>>(),
        "text" => lines.iter().map(|line| line.1.as_str()).collect::<Vec<_>>(),
    )?;
    with_times(frame, &["arrival_time"])
}

/// Returns rows with their ids under these names.
fn table(rows: &[Row], id: [&str; 2], of: [&str; 2]) -> PolarsResult<DataFrame> {
    let wide = |head: &str| if head == "C" { 3 } else { 4 };
    let name = |head: &str, number: i64| format!("{head}{number:0wide$}", wide = wide(head));
    let frame = df!(
        id[0] => rows.iter().map(|row| name(id[1], row.id)).collect::<Vec<_>>(),
        of[0] => rows.iter().map(|row| name(of[1], row.of)).collect::<Vec<_>>(),
        "event_time" => rows.iter().map(|row| row.event).collect::<Vec<_>>(),
        "arrival_time" => rows.iter().map(|row| row.arrival).collect::<Vec<_>>(),
        "amount_cents" => rows.iter().map(|row| row.cents).collect::<Vec<_>>(),
        "word" => rows.iter().map(|row| row.word).collect::<Vec<_>>(),
        "other" => rows.iter().map(|row| row.other).collect::<Vec<_>>(),
    )?;
    with_times(frame, &["event_time", "arrival_time"])
}
