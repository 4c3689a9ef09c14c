"""Produce: order, timestamps, codecs, sizes, acknowledgements."""

import os
import time

from .harness import Fail, check, unique, test
from .librdkafka import make_topic, partition_count, producer, read, send


@test()
def produce_keyed_order_per_key():
    t = make_topic(6)
    N = 10000
    send(
        t,
        [{"key": b"k%d" % (i % 100), "value": b"%d" % i} for i in range(N)],
        partitioner="murmur2_random",
    )
    ms = read(t, N, 30)
    check(len(ms) == N, f"{len(ms)} of {N}")
    kp = {}
    last = {}
    bad = 0
    for m in ms:
        kp.setdefault(m.key(), set()).add(m.partition())
        v = int(m.value())
        if last.get(m.key(), -1) >= v:
            bad += 1
        last[m.key()] = v
    check(all((len(s) == 1 for s in kp.values())), "a key is on >1 partition")
    check(bad == 0, f"{bad} out of order")
    offs = {}
    for m in ms:
        offs.setdefault(m.partition(), []).append(m.offset())
    check(all((o == list(range(len(o))) for o in offs.values())), "offsets not dense from 0")
    return f"{N} msgs, 100 keys, each on 1 partition in order; partitions used {sorted(offs)}"


@test()
def produce_timestamps_headers_nulls():
    t = make_topic(1, {"retention.ms": "-1"})
    h = [("a", b"1"), ("bin", bytes(range(256))), ("nul", None), ("a", b"2")]
    send(
        t,
        [
            {"key": b"k", "value": b"v", "headers": h, "timestamp": 1600000000123},
            {"key": None, "value": b"nokey"},
            {"key": b"tomb", "value": None},
        ],
    )
    m = read(t, 3)
    check(len(m) == 3, f"{len(m)}")
    check(m[0].headers() == h, f"headers {m[0].headers()}")
    check(m[0].timestamp() == (1, 1600000000123), f"ts {m[0].timestamp()}")
    check(m[1].key() is None and m[2].value() is None, "null key / tombstone lost")
    return "CreateTime ms exact, 4 headers (dup, binary, null), null key and tombstone kept"


@test()
def topic_logappendtime():
    t = make_topic(1, {"message.timestamp.type": "LogAppendTime"})
    send(t, [{"value": b"v", "timestamp": 1000}])
    m = read(t, 1)[0]
    check(
        m.timestamp()[0] == 2 and abs(m.timestamp()[1] / 1000.0 - time.time()) < 60,
        f"timestamp {m.timestamp()}",
    )
    return str(m.timestamp())


@test(60)
def compression_gzip_snappy_lz4_zstd():
    r = {}
    for z in ("gzip", "snappy", "lz4", "zstd"):
        try:
            t = make_topic(1)
            send(
                t,
                [b"%06d" % i + b"abc" * 50 for i in range(1000)],
                **{"compression_type": z, "linger_ms": 50},
            )
            m = read(t, 1000, 10)
            r[z] = (
                len(m) == 1000
                and all((int(x.value()[:6]) == i for i, x in enumerate(m)))
                or f"{len(m)} read"
            )
        except Exception as e:
            r[z] = f"ERR {e}"[:80]
    check(all((v is True for v in r.values())), str(r))
    return str(r)


@test()
def message_1MB_ok():
    t = make_topic(1)
    b = os.urandom(990000)
    send(t, [b])
    m = read(t, 1)
    check(m and m[0].value() == b, "not equal")
    return "990,000 B round trip (librdkafka message.max.bytes default is 1,000,000 with overhead)"


@test()
def message_too_large_client_side():
    from confluent_kafka import KafkaException

    try:
        producer().produce(make_topic(1), b"x" * 1100000)
    except KafkaException as e:
        return str(e)[:80]
    raise Fail("no client error")


@test()
def message_too_large_broker_side():
    t = make_topic(1)
    try:
        send(t, [os.urandom(3 << 20)], **{"message_max_bytes": 8 << 20})
    except Fail as e:
        check("SIZE_TOO_LARGE" in str(e) or "too large" in str(e).lower(), f"other error: {e}")
        return str(e)[:110]
    raise Fail(
        "3 MiB accepted on a default topic (Kafka default max.message.bytes=1048588 rejects it)"
    )


@test()
def message_5MiB_with_max_message_bytes():
    t = make_topic(1, {"max.message.bytes": str(8 << 20)})
    b = os.urandom(5 << 20)
    send(t, [b], **{"message_max_bytes": 8 << 20})
    m = read(
        t,
        1,
        10,
        **{
            "fetch_message_max_bytes": 8 << 20,
            "fetch_max_bytes": 16 << 20,
            "receive_message_max_bytes": 32 << 20,
        },
    )
    check(m and m[0].value() == b, "lost")
    return "5 MiB ok"


@test()
def acks_0_1_all():
    t = make_topic(1)
    for a in ("0", "1", "all"):
        send(t, [b"a" + a.encode()] * 5, acks=a)
    n = len(read(t, 15))
    check(n == 15, f"{n}/15")
    return "15/15"


@test()
def unknown_topic_is_error_without_autocreate():
    """informative: what happens on produce to a topic nobody created"""
    t = unique("nope")
    try:
        send(t, [b"x"], **{"message_timeout_ms": 6000})
    except Fail as e:
        return f"error: {e}"[:100]
    return f"AUTO-CREATED with {partition_count(t)} partition(s)"
