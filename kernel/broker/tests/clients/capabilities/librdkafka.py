"""What the checks do with confluent-kafka (librdkafka): topics, records in, records out."""

import os
import time

from .harness import Fail, check, unique
from .metadata import wait_for_leaders

BS = os.environ["BOOTSTRAP"]

_A = []


def admin(**k):
    """one AdminClient per child process, kept alive (a collected one cancels its futures with _DESTROY)"""
    from confluent_kafka.admin import AdminClient

    if not _A:
        _A.append(AdminClient({"bootstrap.servers": BS, "socket.timeout.ms": 15000, **k}))
    return _A[0]


def make_topic(n=1, config=None, name=None, tmo=15):
    """creates a topic on as many nodes as REPLICATION says"""
    from confluent_kafka.admin import NewTopic

    t = name or unique()
    new = NewTopic(
        t,
        num_partitions=n,
        replication_factor=int(os.environ.get("REPLICATION", "1")),
        config=config or {},
    )
    try:
        admin().create_topics([new], operation_timeout=tmo, request_timeout=tmo)[t].result(tmo + 5)
    except Exception as e:
        raise Fail(f"create_topics: {e}")
    wait_for_leaders(t, n)
    return t


def partition_count(t):
    return len(admin().list_topics(t, timeout=10).topics[t].partitions)


def producer(**k):
    from confluent_kafka import Producer

    return Producer(
        {
            "bootstrap.servers": BS,
            "linger.ms": 5,
            "message.timeout.ms": 20000,
            **{a.replace("_", "."): b for a, b in k.items()},
        }
    )


def consumer(group=None, **k):
    from confluent_kafka import Consumer

    d = {
        "bootstrap.servers": BS,
        "group.id": group or unique("g"),
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "session.timeout.ms": 6000,
        "heartbeat.interval.ms": 500,
    }
    d.update({a.replace("_", "."): b for a, b in k.items()})
    if d.get("group.protocol") == "consumer":
        d.pop("session.timeout.ms")
        d.pop("heartbeat.interval.ms")
    return Consumer(d)


def send(t, items, p=None, **k):
    p = p or producer(**k)
    errs = []
    ok = []

    def cb(e, m):
        errs.append(e) if e else ok.append((m.partition(), m.offset()))

    for it in items:
        kw = dict(it) if isinstance(it, dict) else {"value": it}
        while True:
            try:
                p.produce(t, on_delivery=cb, **kw)
                break
            except BufferError:
                p.poll(0.1)
        p.poll(0)
    p.flush(30)
    if errs:
        raise Fail(f"{len(errs)} delivery errors, first: {errs[0]}")
    check(len(ok) == len(items), f"acked {len(ok)} of {len(items)}")
    return ok


def read(t, n, tmo=15, c=None, parts=None, start=-2, **k):
    """assign by hand, read until n messages or idle to the high watermark"""
    from confluent_kafka import TopicPartition

    own = c is None
    c = c or consumer(**k)
    if parts is None:
        parts = list(range(partition_count(t)))
    c.assign([TopicPartition(t, x, start) for x in parts])
    out = []
    end = time.time() + tmo
    while len(out) < n and time.time() < end:
        for m in c.consume(1000, 0.5):
            if m.error():
                raise Fail(f"consume: {m.error()}")
            out.append(m)
    if own:
        c.close()
    return out
