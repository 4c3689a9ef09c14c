"""What is announced, and what idempotence does."""

from .harness import check, test
from .librdkafka import make_topic, producer, read, send
from .raw import Raw, batch, leader_raw


@test()
def api_versions_table():
    v = Raw().api_versions()
    N = {
        0: "Produce",
        1: "Fetch",
        2: "ListOffsets",
        3: "Metadata",
        8: "OffsetCommit",
        9: "OffsetFetch",
        10: "FindCoordinator",
        11: "JoinGroup",
        12: "Heartbeat",
        13: "LeaveGroup",
        14: "SyncGroup",
        15: "DescribeGroups",
        16: "ListGroups",
        19: "CreateTopics",
        20: "DeleteTopics",
        21: "DeleteRecords",
        22: "InitProducerId",
        23: "OffsetForLeaderEpoch",
        24: "AddPartitionsToTxn",
        25: "AddOffsetsToTxn",
        26: "EndTxn",
        28: "TxnOffsetCommit",
        32: "DescribeConfigs",
        33: "AlterConfigs",
        37: "CreatePartitions",
        42: "DeleteGroups",
        44: "IncrementalAlterConfigs",
        47: "OffsetDelete",
        60: "DescribeCluster",
        61: "DescribeProducers",
        65: "DescribeTransactions",
        66: "ListTransactions",
        68: "ConsumerGroupHeartbeat",
        69: "ConsumerGroupDescribe",
        75: "DescribeTopicPartitions",
        76: "ShareGroupHeartbeat",
    }
    miss = [n for k, n in N.items() if k not in v]
    return f"{len(v)} APIs; missing: {miss}; Produce{v.get(0)} Fetch{v.get(1)} ListOffsets{v.get(2)} JoinGroup{v.get(11)} CreateTopics{v.get(19)} CGHeartbeat{v.get(68)}"


@test()
def idempotent_duplicate_batch_dropped():
    t = make_topic(1)
    r = leader_raw(t)
    pid, ep = r.init_pid()
    b0 = batch([b"a", b"b", b"c"], pid, ep, 0)
    r1 = r.produce(t, 0, b0)
    r2 = r.produce(t, 0, b0)
    r3 = r.produce(t, 0, batch([b"d"], pid, ep, 3))
    got = [m.value() for m in read(t, 9, 4)]
    check(r1[0] == 0 and r2[0] in (0, 46) and (r3[0] == 0), f"replies {r1} {r2} {r3}")
    check(got == [b"a", b"b", b"c", b"d"], f"log {got} replies {r1} {r2} {r3}")
    return f"retry of the same batch: reply {r2}, log has 4 records, not 7"


@test()
def idempotent_sequence_gap_rejected():
    t = make_topic(1)
    r = leader_raw(t)
    pid, ep = r.init_pid()
    a = r.produce(t, 0, batch([b"a"], pid, ep, 0))
    g = r.produce(t, 0, batch([b"z"], pid, ep, 7))
    check(a[0] == 0 and g[0] == 45, f"replies {a} {g} (want 45 OUT_OF_ORDER_SEQUENCE_NUMBER)")
    return str(g)


@test()
def at_least_once_duplicate_without_idempotence():
    t = make_topic(1)
    r = leader_raw(t)
    b = batch([b"a"], -1, -1, -1)
    r.produce(t, 0, b)
    x = r.produce(t, 0, b)
    n = len(read(t, 2, 5))
    check(x[0] == 0 and n == 2, f"{x} {n}")
    return "same batch twice without a producer id: 2 records (the duplicate to show)"


@test()
def idempotent_producer_librdkafka_10k():
    t = make_topic(3)
    send(
        t,
        [{"key": b"%d" % (i % 50), "value": b"%d" % i} for i in range(10000)],
        enable_idempotence=True,
    )
    m = read(t, 10000, 20)
    v = {int(x.value()) for x in m}
    check(len(m) == 10000 == len(v), f"{len(m)} {len(v)}")
    return "10000/10000"
