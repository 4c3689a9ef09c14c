"""Clients that share no code with librdkafka: kafka-python, aiokafka."""

import time

from .harness import an_hour_ago, check, unique, test
from .librdkafka import BS, admin, make_topic, read, send


@test(60)
def kafka_python_produce_group_consume():
    from kafka import KafkaProducer, KafkaConsumer

    t = make_topic(3)
    p = KafkaProducer(bootstrap_servers=BS, acks="all")
    fs = [
        p.send(t, key=b"k%d" % (i % 7), value=b"%d" % i, headers=[("h", b"1")]) for i in range(500)
    ]
    p.flush(20)
    [f.get(10) for f in fs]
    p.close()
    c = KafkaConsumer(
        t,
        bootstrap_servers=BS,
        group_id=unique("g"),
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        consumer_timeout_ms=12000,
        session_timeout_ms=6000,
        heartbeat_interval_ms=1000,
    )
    v = []
    for m in c:
        v.append(int(m.value))
        if len(v) == 500:
            break
    c.commit()
    e = c.end_offsets(c.assignment())
    c.close()
    check(sorted(v) == list(range(500)), f"{len(v)}/500")
    return f"500/500 in a group, end offsets sum {sum(e.values())}"


@test(60)
def kafka_python_admin_and_offsets_for_times():
    from kafka import KafkaConsumer, TopicPartition
    from kafka.admin import KafkaAdminClient, NewTopic

    a = KafkaAdminClient(bootstrap_servers=BS)
    t = unique("kp")
    a.create_topics([NewTopic(name=t, num_partitions=2, replication_factor=1)])
    time.sleep(0.3)
    T0 = an_hour_ago()
    send(t, [{"value": b"x", "partition": 0, "timestamp": T0 + i} for i in range(5)])
    c = KafkaConsumer(bootstrap_servers=BS)
    tp = TopicPartition(t, 0)
    r = c.offsets_for_times({tp: T0 + 2})
    d = a.describe_topics([t])
    a.delete_topics([t])
    c.close()
    check(r[tp] and r[tp].offset == 2, str(r))
    return f"offsets_for_times -> {r[tp].offset}; describe/delete ok"


@test(60)
def aiokafka_group_and_transaction():
    import asyncio
    from aiokafka import AIOKafkaProducer, AIOKafkaConsumer

    t = make_topic(2)

    async def go():
        p = AIOKafkaProducer(bootstrap_servers=BS, transactional_id=unique("tx"))
        await p.start()
        async with p.transaction():
            for i in range(20):
                await p.send_and_wait(t, b"c%d" % i)
        await p.begin_transaction()
        [await p.send_and_wait(t, b"a%d" % i) for i in range(5)]
        await p.abort_transaction()
        async with p.transaction():
            await p.send_and_wait(t, b"end")
        await p.stop()
        c = AIOKafkaConsumer(
            t,
            bootstrap_servers=BS,
            group_id=unique("g"),
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        await c.start()
        o = []
        end = time.time() + 15
        while len(o) < 21 and time.time() < end:
            for ms in (await c.getmany(timeout_ms=1000)).values():
                o += [m.value for m in ms]
        await c.commit()
        await c.stop()
        return o

    o = asyncio.run(asyncio.wait_for(go(), 50))
    check(
        len(o) == 21 and (not any((x[:1] == b"a" for x in o))),
        f"{len(o)} read, aborted seen {sum((x[:1] == b'a' for x in o))}",
    )
    return "21 committed, 0 aborted"


@test(60)
def aiokafka_plain_produce_consume():
    import asyncio
    from aiokafka import AIOKafkaProducer, AIOKafkaConsumer

    t = make_topic(2)

    async def go():
        p = AIOKafkaProducer(bootstrap_servers=BS)
        await p.start()
        [await p.send(t, b"%d" % i) for i in range(300)]
        await p.stop()
        c = AIOKafkaConsumer(
            t, bootstrap_servers=BS, group_id=unique("g"), auto_offset_reset="earliest"
        )
        await c.start()
        o = []
        end = time.time() + 15
        while len(o) < 300 and time.time() < end:
            for ms in (await c.getmany(timeout_ms=1000)).values():
                o += [int(m.value) for m in ms]
        await c.stop()
        return o

    o = asyncio.run(asyncio.wait_for(go(), 50))
    check(sorted(o) == list(range(300)), f"{len(o)}/300")
    return "300/300"
