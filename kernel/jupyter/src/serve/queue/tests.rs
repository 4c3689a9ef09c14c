//! The queue under a clock that the tests move.

use super::*;

fn text(queue: &mut Queue, now: Instant, cell: u64, text: &str) {
    queue.push_text(now, cell, None, StreamName::Stdout, text);
}

fn update(id: &str, text: &str) -> Post {
    let data = [("text/plain".to_owned(), text.to_owned())].into();
    Post::Update {
        id: id.to_owned(),
        data,
    }
}

/// What leaves the queue if nobody pushes any more, with the time that it took.
fn drain(queue: &mut Queue, begun: Instant) -> Vec<(u128, String)> {
    let (mut now, mut sent) = (begun, Vec::new());
    loop {
        match queue.next(now) {
            Next::Nothing => return sent,
            Next::Wait(wait) => now += wait,
            Next::Send(outgoing) => {
                let said = match outgoing.post {
                    Post::Stream { text, .. } => text,
                    Post::Update { data, .. } => data["text/plain"].clone(),
                    other => format!("{other:?}"),
                };
                sent.push(((now - begun).as_millis(), said));
            }
        }
    }
}

#[test]
fn first_text_leaves_at_once_and_later_text_is_gathered() {
    let (mut queue, now) = (Queue::new(), Instant::now());
    text(&mut queue, now, 1, "a\n");
    assert_eq!(drain(&mut queue, now), [(0, "a\n".to_owned())]);
    text(&mut queue, now, 1, "b");
    text(&mut queue, now, 1, "c\n");
    assert_eq!(drain(&mut queue, now), [(50, "bc\n".to_owned())]);
}

#[test]
fn unfinished_line_waits_a_moment_for_a_question_and_becomes_its_prompt() {
    let (mut queue, now) = (Queue::new(), Instant::now());
    text(&mut queue, now, 1, "hello\nname? ");
    assert!(matches!(queue.next(now), Next::Wait(_)));
    assert_eq!(queue.take_unfinished(1), "name? ");
    assert_eq!(drain(&mut queue, now), [(0, "hello\n".to_owned())]);
    text(&mut queue, now, 1, "city? ");
    assert_eq!(queue.take_unfinished(1), "city? ");
    assert!(queue.is_empty());
    text(&mut queue, now, 1, "no question");
    assert_eq!(drain(&mut queue, now), [(50, "no question".to_owned())]);
    assert_eq!(queue.take_unfinished(1), "", "it is on the page");
}

#[test]
fn text_leaves_before_what_follows_it() {
    let (mut queue, now) = (Queue::new(), Instant::now());
    text(&mut queue, now, 1, "a");
    queue.push(None, Post::Idle);
    drain(&mut queue, now);
    text(&mut queue, now, 1, "b");
    queue.push(None, Post::Idle);
    text(&mut queue, now, 1, "late");
    let expected = [
        (0, "b".to_owned()),
        (0, "Idle".to_owned()),
        (50, "late".to_owned()),
    ];
    assert_eq!(drain(&mut queue, now), expected);
}

#[test]
fn text_of_two_cells_is_not_mixed() {
    let (mut queue, now) = (Queue::new(), Instant::now());
    for (cell, part) in [(1, "a"), (2, "b"), (1, "a")] {
        text(&mut queue, now, cell, part);
    }
    let sent: Vec<_> = drain(&mut queue, now)
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    assert_eq!(sent, ["aa", "b"]);
}

#[test]
fn newest_update_wins_where_the_older_has_not_left() {
    let (mut queue, now) = (Queue::new(), Instant::now());
    queue.push(None, update("chart", "1"));
    queue.push(None, update("other", "x"));
    queue.push(None, update("chart", "2"));
    assert_eq!(
        drain(&mut queue, now),
        [(0, "2".to_owned()), (0, "x".to_owned())]
    );
    assert_eq!(queue.bytes(), 0);
}

#[test]
fn too_much_text_is_skipped_until_the_window_ends() {
    let (mut queue, now) = (Queue::new(), Instant::now());
    let line = format!("{}\n", "x".repeat(1023));
    for _ in 0..600 {
        text(&mut queue, now, 1, &line);
    }
    let sent = drain(&mut queue, now);
    assert_eq!(sent.len(), 1);
    let shown = sent[0]
        .1
        .lines()
        .filter(|line| line.starts_with('x'))
        .count();
    assert_eq!(
        sent[0].0, 1000,
        "one message says so, when text is taken again"
    );
    assert!(
        sent[0]
            .1
            .ends_with(&format!("... {} lines skipped\n", 600 - shown)),
        "{shown}"
    );
    text(&mut queue, now + Duration::from_secs(1), 1, "again\n");
    assert_eq!(
        drain(&mut queue, now + Duration::from_secs(2))[0].1,
        "again\n"
    );
}

#[test]
fn messages_never_exceed_their_rate() {
    let (mut queue, now) = (Queue::new(), Instant::now());
    for _ in 0..500 {
        queue.push(None, Post::Clear { wait: true });
    }
    let sent = drain(&mut queue, now);
    assert_eq!(sent.len(), 500);
    assert_eq!(
        sent.iter().filter(|(ms, _)| *ms < 5).count(),
        100,
        "a burst at first"
    );
    assert!(
        (1990..2100).contains(&sent[499].0),
        "then 200 a second: {} ms",
        sent[499].0
    );
}
