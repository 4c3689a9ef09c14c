"""Topics, configs, offsets and groups through the admin API."""

import time

from .harness import an_hour_ago, Fail, check, unique, test
from .librdkafka import admin, consumer, make_topic, read, send
from .metadata import wait_for_leaders


@test()
def admin_create_describe_n_partitions():
    t = make_topic(6)
    md = admin().list_topics(timeout=10)
    check(t in md.topics, "topic not in metadata")
    check(len(md.topics[t].partitions) == 6, f"{len(md.topics[t].partitions)} partitions")
    return f"{t}: 6 partitions, brokers={[(b.id, b.host, b.port) for b in md.brokers.values()]}"


@test()
def admin_create_existing_is_error():
    from confluent_kafka.admin import NewTopic

    t = make_topic(1)
    try:
        admin().create_topics([NewTopic(t, 1, 1)])[t].result(15)
    except Exception as e:
        check("TOPIC_ALREADY_EXISTS" in str(e), f"other error {e}")
        return str(e)[:90]
    raise Fail("no error for an existing topic")


@test()
def admin_delete_topic():
    t = make_topic(2)
    admin().delete_topics([t])[t].result(15)
    end = time.time() + 10
    while t in admin().list_topics(timeout=10).topics:
        check(time.time() < end, "still listed after delete")
        time.sleep(0.1)
    return "gone from metadata"


@test()
def admin_describe_topics_api():
    from confluent_kafka import TopicCollection

    t = make_topic(3)
    d = admin().describe_topics(TopicCollection([t]))[t].result(15)
    check(len(d.partitions) == 3, f"{len(d.partitions)}")
    return f"id={d.topic_id} leader={d.partitions[0].leader.id} isr={[n.id for n in d.partitions[0].isr]}"


@test()
def admin_describe_cluster():
    d = admin().describe_cluster().result(15)
    return f"cluster={d.cluster_id} controller={d.controller and d.controller.id} nodes={[n.id for n in d.nodes]}"


@test()
def admin_create_partitions():
    from confluent_kafka.admin import NewPartitions

    t = make_topic(2)
    admin().create_partitions([NewPartitions(t, 5)])[t].result(15)
    wait_for_leaders(t, 5)
    send(t, [{"value": b"x", "partition": 4}])
    check(len(read(t, 1)) == 1, "new partition unreadable")
    return "2 -> 5, new partition usable"


@test()
def admin_describe_configs():
    from confluent_kafka.admin import ConfigResource

    t = make_topic(1, {"cleanup.policy": "compact", "retention.ms": "123456"})
    r = ConfigResource(ConfigResource.Type.TOPIC, t)
    c = admin().describe_configs([r])[r].result(15)
    check(
        c and "retention.ms" in c and (c["retention.ms"].value == "123456"),
        f"retention.ms not 123456; {len(c)} keys: {[(k, v.value) for k, v in c.items()][:5]}",
    )
    check(c["cleanup.policy"].value == "compact", "cleanup.policy lost")
    return f"{len(c)} config keys, retention.ms=123456"


@test()
def admin_describe_configs_defaults():
    from confluent_kafka.admin import ConfigResource

    t = make_topic(1)
    r = ConfigResource(ConfigResource.Type.TOPIC, t)
    c = admin().describe_configs([r])[r].result(15)
    want = ["retention.ms", "cleanup.policy", "segment.bytes", "max.message.bytes"]
    miss = [w for w in want if w not in c]
    check(not miss, f"{len(c)} keys, missing defaults {miss}")
    return f"{len(c)} keys"


@test()
def admin_incremental_alter_configs():
    from confluent_kafka.admin import ConfigResource, ConfigEntry, AlterConfigOpType

    t = make_topic(1)
    r = ConfigResource(
        ConfigResource.Type.TOPIC,
        t,
        incremental_configs=[
            ConfigEntry("retention.ms", "777000", incremental_operation=AlterConfigOpType.SET)
        ],
    )
    admin().incremental_alter_configs([r])[r].result(15)
    q = ConfigResource(ConfigResource.Type.TOPIC, t)
    end = time.time() + 5
    while True:
        # The node that is asked may hear of the change a moment after it was acknowledged.
        c = admin().describe_configs([q])[q].result(15)
        stored = "retention.ms" in c and c["retention.ms"].value == "777000"
        if stored or time.time() > end:
            break
        time.sleep(0.1)
    check(stored, "not stored")
    return "retention.ms set and read back"


@test()
def admin_list_offsets():
    from confluent_kafka import TopicPartition
    from confluent_kafka.admin import OffsetSpec

    t = make_topic(1)
    T0 = an_hour_ago()
    send(t, [{"value": b"%d" % i, "timestamp": T0 + i * 1000} for i in range(10)])
    tp = TopicPartition(t, 0)
    a = admin()
    r = {}
    for n, s in (
        ("earliest", OffsetSpec.earliest()),
        ("latest", OffsetSpec.latest()),
        ("ts", OffsetSpec.for_timestamp(T0 + 4500)),
        ("max_ts", OffsetSpec.max_timestamp()),
    ):
        try:
            r[n] = a.list_offsets({tp: s})[tp].result(15).offset
        except Exception as e:
            r[n] = f"ERR {e}"[:80]
    check(
        r["earliest"] == 0 and r["latest"] == 10 and (r["ts"] == 5) and (r["max_ts"] in (9,)),
        str(r),
    )
    return str(r)


@test()
def admin_delete_records():
    from confluent_kafka import TopicPartition

    t = make_topic(1)
    send(t, [b"%d" % i for i in range(100)])
    admin().delete_records([TopicPartition(t, 0, 60)])
    for _, f in admin().delete_records([TopicPartition(t, 0, 60)]).items():
        f.result(15)
    c = consumer()
    lo, hi = c.get_watermark_offsets(TopicPartition(t, 0), 10)
    c.close()
    got = read(t, 40, 6)
    check(lo == 60, f"low watermark {lo}, {len(got)} readable")
    check(len(got) == 40, f"{len(got)} read")
    return f"low=60 high={hi}, 40 read"


@test(60)
def admin_groups_list_describe_offsets_alter_delete():
    from confluent_kafka import TopicPartition, ConsumerGroupTopicPartitions as CG

    t = make_topic(2)
    g = unique("g")
    send(t, [{"value": b"x", "partition": i % 2} for i in range(20)])
    c = consumer(g)
    c.subscribe([t])
    n = 0
    end = time.time() + 20
    while n < 20 and time.time() < end:
        n += len(c.consume(20, 0.5))
    check(n == 20, f"read {n}/20")
    c.commit(asynchronous=False)
    a = admin()
    out = {}

    def step(k, f):
        try:
            out[k] = f()
        except Exception as e:
            out[k] = f"ERR {str(e)[:70]}"

    step("list", lambda: g in [x.group_id for x in a.list_consumer_groups().result(15).valid])
    step(
        "describe",
        lambda: (lambda d: (str(d.state).split(".")[-1], len(d.members), d.partition_assignor))(
            a.describe_consumer_groups([g])[g].result(15)
        ),
    )
    step(
        "offsets",
        lambda: sorted(
            (
                (p.partition, p.offset)
                for p in a.list_consumer_group_offsets([CG(g)])[g].result(15).topic_partitions
            )
        ),
    )
    c.close()
    time.sleep(1)
    step(
        "alter(reset)",
        lambda: [
            p.offset
            for p in a.alter_consumer_group_offsets([CG(g, [TopicPartition(t, 0, 3)])])[g]
            .result(15)
            .topic_partitions
        ],
    )
    step(
        "offsets2",
        lambda: sorted(
            (
                (p.partition, p.offset)
                for p in a.list_consumer_group_offsets([CG(g)])[g].result(15).topic_partitions
            )
        ),
    )
    step("delete", lambda: a.delete_consumer_groups([g])[g].result(15) or "ok")
    step("gone", lambda: g not in [x.group_id for x in a.list_consumer_groups().result(15).valid])
    good = (
        out["list"] is True
        and isinstance(out["describe"], tuple)
        and (out["offsets"] == [(0, 10), (1, 10)])
        and ((0, 3) in (out["offsets2"] if isinstance(out["offsets2"], list) else []))
        and (out["delete"] == "ok")
        and (out["gone"] is True)
    )
    check(good, str(out))
    return str(out)
