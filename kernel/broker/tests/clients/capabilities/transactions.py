"""Transactions: visibility, offsets, fencing, time-out."""

import time

from .harness import Fail, check, unique, test
from .librdkafka import consumer, make_topic, producer, read, send


def transactional_producer(tid=None, **k):
    p = producer(transactional_id=tid or unique("tx"), **k)
    p.init_transactions(15)
    return p


@test(60)
def txn_commit_abort_read_committed():
    t = make_topic(2)
    p = transactional_producer()
    p.begin_transaction()
    for i in range(10):
        p.produce(t, b"c%d" % i, partition=i % 2)
    p.commit_transaction(15)
    p.begin_transaction()
    for i in range(10):
        p.produce(t, b"a%d" % i, partition=i % 2)
    p.flush(10)
    p.abort_transaction(15)
    p.begin_transaction()
    p.produce(t, b"end", partition=0)
    p.produce(t, b"end", partition=1)
    p.commit_transaction(15)
    rc = [m.value() for m in read(t, 99, 6, isolation_level="read_committed")]
    ru = [m.value() for m in read(t, 99, 6, isolation_level="read_uncommitted")]
    check(
        len(rc) == 12 and (not any((x.startswith(b"a") for x in rc))),
        f"read_committed saw {len(rc)}: {sorted(rc)[:14]}; read_uncommitted {len(ru)}",
    )
    check(len(ru) == 22, f"uncommitted {len(ru)} (22)")
    return "read_committed 12 (10 committed + 2), read_uncommitted 22"


@test(60)
def txn_open_blocks_read_committed_LSO():
    t = make_topic(1)
    send(t, [b"before"])
    p = transactional_producer()
    p.begin_transaction()
    p.produce(t, b"open")
    p.flush(10)
    send(t, [b"after"])
    time.sleep(0.5)
    a = [m.value() for m in read(t, 3, 3, isolation_level="read_committed")]
    b = [m.value() for m in read(t, 3, 3, isolation_level="read_uncommitted")]
    p.commit_transaction(15)
    c = [m.value() for m in read(t, 3, 5, isolation_level="read_committed")]
    check(a == [b"before"], f"during the open txn read_committed saw {a}")
    check(b == [b"before", b"open", b"after"], f"uncommitted {b}")
    check(c == b, f"after commit {c}")
    return "LSO holds: before -> [before]; after commit -> all 3"


@test(60)
def txn_send_offsets_exactly_once():
    from confluent_kafka import TopicPartition

    i, o = (make_topic(1), make_topic(1))
    g = unique("g")
    send(i, [b"%d" % x for x in range(20)])
    c = consumer(g, isolation_level="read_committed")
    c.subscribe([i])
    ms = []
    end = time.time() + 20
    while len(ms) < 10 and time.time() < end:
        ms += [m for m in c.consume(10 - len(ms), 0.5) if not m.error()]
    check(len(ms) == 10, f"read {len(ms)}")
    p = transactional_producer()
    p.begin_transaction()
    for m in ms:
        p.produce(o, b"x" + m.value())
    p.send_offsets_to_transaction([TopicPartition(i, 0, 10)], c.consumer_group_metadata(), 15)
    p.abort_transaction(15)
    a = c.committed([TopicPartition(i, 0)], 10)[0].offset
    p.begin_transaction()
    for m in ms:
        p.produce(o, b"y" + m.value())
    p.send_offsets_to_transaction([TopicPartition(i, 0, 10)], c.consumer_group_metadata(), 15)
    p.commit_transaction(15)
    b = c.committed([TopicPartition(i, 0)], 10)[0].offset
    c.close()
    out = [m.value() for m in read(o, 99, 5, isolation_level="read_committed")]
    check(a < 0, f"offset {a} visible after abort")
    check(b == 10, f"offset {b} after commit")
    check(len(out) == 10 and all((x[:1] == b"y" for x in out)), f"output {len(out)} {out[:3]}")
    return "abort: offset not stored; commit: offset 10 and exactly 10 outputs"


@test(60)
def txn_zombie_fenced():
    t = make_topic(1)
    tid = unique("tx")
    a = transactional_producer(tid)
    a.begin_transaction()
    a.produce(t, b"zombie")
    a.flush(10)
    b = transactional_producer(tid)
    b.begin_transaction()
    b.produce(t, b"live")
    b.commit_transaction(15)
    try:
        a.commit_transaction(15)
    except Exception as e:
        rc = [m.value() for m in read(t, 2, 4, isolation_level="read_committed")]
        check(rc == [b"live"], f"read_committed {rc}; error {e}")
        check(any((x in str(e) for x in ("FENCED", "INVALID_PRODUCER_EPOCH"))), f"{e}")
        return str(e)[:110]
    raise Fail("the old producer committed")


@test(60)
def txn_timeout_aborts():
    t = make_topic(1)
    p = transactional_producer(**{"transaction_timeout_ms": 3000, "message_timeout_ms": 2500})
    p.begin_transaction()
    p.produce(t, b"stuck")
    p.flush(10)
    send(t, [b"after"])
    end = time.time() + 30
    t0 = time.time()
    while time.time() < end:
        rc = [m.value() for m in read(t, 1, 2, isolation_level="read_committed")]
        if rc:
            break
    check(rc == [b"after"], f"{rc} after {time.time() - t0:.0f}s")
    return (
        f"open txn aborted by the broker, reader freed after {time.time() - t0:.0f}s (timeout 3 s)"
    )
