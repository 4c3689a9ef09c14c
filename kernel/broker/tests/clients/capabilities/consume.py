"""Consume: positions, look-ups by time, watermarks, lag."""

import time

from .harness import an_hour_ago, check, unique, test
from .librdkafka import consumer, make_topic, producer, read, send
from .raw import batch


@test()
def consume_earliest_latest_offset():
    from confluent_kafka import TopicPartition

    t = make_topic(1)
    send(t, [b"%d" % i for i in range(100)])
    a = read(t, 100)
    b = read(t, 30, start=70)
    c = consumer()
    c.assign([TopicPartition(t, 0, -1)])
    for _ in range(4):
        c.consume(1, 0.5)
    send(t, [b"new"])
    m = c.consume(1, 5)
    c.close()
    check([int(x.value()) for x in a] == list(range(100)), f"earliest: {len(a)}")
    check(
        [int(x.value()) for x in b] == list(range(70, 100)),
        f"offset 70: {len(b)} {b and b[0].value()}",
    )
    check(m and m[0].value() == b"new", f"latest got {m and m[0].value()}")
    return "earliest 0..99, offset 70..99, latest only the new one"


@test()
def consume_offset_mid_batch():
    t = make_topic(1)
    send(t, [b"%d" % i for i in range(1000)], linger_ms=200)
    m = read(t, 500, start=500)
    check(m and m[0].offset() == 500 and (len(m) == 500), f"{len(m)}, first {m and m[0].offset()}")
    return "offset 500 within a 1000-record batch"


@test()
def consume_offsets_for_times():
    from confluent_kafka import TopicPartition

    t = make_topic(1)
    T0 = an_hour_ago()
    p = producer(linger_ms=0)
    for i in range(50):
        send(
            t,
            [{"value": b"%d" % i, "timestamp": T0 + i * 1000}],
            p=p,
        )
    c = consumer()
    r = {
        q: c.offsets_for_times([TopicPartition(t, 0, T0 + q)], 10)[0].offset
        for q in (0, 20500, 49000, 60000)
    }
    c.close()
    check(r[0] == 0 and r[20500] == 21 and (r[49000] == 49), str(r))
    return f"{r} (after the last: {r[60000]})"


@test()
def consume_offsets_for_times_in_batch():
    from confluent_kafka import TopicPartition

    t = make_topic(1)
    T0 = an_hour_ago()
    send(t, [{"value": b"%d" % i, "timestamp": T0 + i * 1000} for i in range(50)], linger_ms=200)
    c = consumer()
    r = c.offsets_for_times([TopicPartition(t, 0, T0 + 20500)], 10)[0].offset
    c.close()
    check(r == 21, f"{r}, expected 21 (record-exact inside a batch)")
    return "21"


@test()
def watermarks_and_lag():
    from confluent_kafka import TopicPartition

    t = make_topic(2)
    g = unique("g")
    send(t, [{"value": b"x", "partition": 0}] * 30 + [{"value": b"x", "partition": 1}] * 10)
    c = consumer(g)
    c.assign([TopicPartition(t, 0, -2)])
    n = 0
    end = time.time() + 10
    ms = []
    while len(ms) < 12 and time.time() < end:
        ms += c.consume(12 - len(ms), 0.5)
    c.commit(offsets=[TopicPartition(t, 0, 12)], asynchronous=False)
    w = [c.get_watermark_offsets(TopicPartition(t, p), 10) for p in (0, 1)]
    com = c.committed([TopicPartition(t, 0), TopicPartition(t, 1)], 10)
    c.close()
    check(w == [(0, 30), (0, 10)], f"watermarks {w}")
    check(com[0].offset == 12 and com[1].offset < 0, str(com))
    return f"watermarks {w}, committed 12, lag 18 + 10"


@test()
def offset_out_of_range_reset():
    from confluent_kafka import TopicPartition

    t = make_topic(1)
    send(t, [b"%d" % i for i in range(10)])
    c = consumer()
    c.assign([TopicPartition(t, 0, 5000)])
    ms = []
    end = time.time() + 12
    while len(ms) < 10 and time.time() < end:
        ms += [m for m in c.consume(10, 0.5) if not m.error()]
    c.close()
    check(len(ms) == 10 and ms[0].offset() == 0, f"{len(ms)} after out-of-range")
    return "offset 5000 of 10 -> auto.offset.reset=earliest -> 0"
