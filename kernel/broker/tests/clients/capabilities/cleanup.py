"""Retention and compaction."""

import os
import time

from .harness import check, test
from .librdkafka import consumer, make_topic, read, send


@test(100)
def retention_ms_deletes():
    from confluent_kafka import TopicPartition

    t = make_topic(1, {"retention.ms": "2000", "segment.ms": "1000"})
    old = int(time.time() * 1000) - 3600000
    for k in range(5):
        send(t, [{"value": b"o" * 100, "timestamp": old} for i in range(300)])
        time.sleep(0.3)
    time.sleep(2)
    send(t, [b"new"])
    c = consumer()
    end = time.time() + float(os.environ.get("MAINT_WAIT", 75))
    t0 = time.time()
    while time.time() < end:
        lo, hi = c.get_watermark_offsets(TopicPartition(t, 0), 10)
        if lo > 0:
            break
        time.sleep(1)
    c.close()
    n = len(read(t, 1501, 5))
    check(
        lo > 0 or n < 1501,
        f"low watermark {lo}, {n} of 1501 still readable after {time.time() - t0:.0f}s",
    )
    return f"low watermark {lo}, {n} of 1501 readable after {time.time() - t0:.0f}s"


@test(100)
def retention_bytes_deletes():
    from confluent_kafka import TopicPartition

    t = make_topic(1, {"retention.bytes": "50000", "segment.ms": "200"})
    for k in range(5):
        send(t, [{"value": os.urandom(100)} for i in range(300)])
        time.sleep(0.3)
    c = consumer()
    end = time.time() + float(os.environ.get("MAINT_WAIT", 75))
    t0 = time.time()
    while time.time() < end:
        lo, hi = c.get_watermark_offsets(TopicPartition(t, 0), 10)
        if lo > 0:
            break
        time.sleep(1)
    c.close()
    n = len(read(t, 1500, 5))
    check(lo > 0, f"low {lo}, {n} readable after {time.time() - t0:.0f}s")
    return f"low {lo}, {n} of 1500 readable after {time.time() - t0:.0f}s"


@test(100)
def compaction_keeps_last_per_key():
    t = make_topic(
        1,
        {
            "cleanup.policy": "compact",
            "segment.ms": "500",
            "min.cleanable.dirty.ratio": "0.01",
            "min.compaction.lag.ms": "0",
            "max.compaction.lag.ms": "1000",
            "delete.retention.ms": "500",
        },
    )
    for k in range(10):
        send(t, [{"key": b"k%d" % (i % 10), "value": b"%d-%d" % (k, i)} for i in range(100)])
        time.sleep(0.15)
    send(t, [{"key": b"k0", "value": None}])
    time.sleep(1)
    send(t, [{"key": b"zz", "value": b"roll"}])
    end = time.time() + float(os.environ.get("MAINT_WAIT", 75))
    t0 = time.time()
    n = 1002
    while time.time() < end:
        ms = read(t, 1002, 3)
        n = len(ms)
        if n < 1002:
            break
    last = {}
    for m in ms:
        last[m.key()] = m.value()
    check(n < 1002, f"all {n} records still there after {time.time() - t0:.0f}s")
    check(
        all((last.get(b"k%d" % i) == b"9-%d" % (90 + i) for i in range(1, 10))),
        f"latest values wrong {last}",
    )
    return f"1002 -> {n} records, {len(last)} keys, latest values right, after {time.time() - t0:.0f}s; offsets kept: first {ms[0].offset()} last {ms[-1].offset()}"
