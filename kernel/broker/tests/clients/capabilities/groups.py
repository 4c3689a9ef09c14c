"""Consumer groups: three protocols, crashes, static members."""

import multiprocessing as mp
import os
import threading
import time

from .harness import Fail, check, unique, test
from .librdkafka import BS, consumer, make_topic, read, send


class Member(threading.Thread):

    def __init__(s, g, t, **k):
        super().__init__(daemon=True)
        s.c = consumer(g, **k)
        s.asg = set()
        s.stop_ = False
        s.ev = []
        s.got = []
        s.err = []
        s.t = t
        s.start()

    def run(s):
        def on_a(c, ps):
            s.ev.append(("assign", len(ps)))

        def on_r(c, ps):
            s.ev.append(("revoke", len(ps)))

        s.c.subscribe([s.t], on_assign=on_a, on_revoke=on_r)
        while not s.stop_:
            for m in s.c.consume(100, 0.1):
                if m.error():
                    s.err.append(str(m.error()))
                else:
                    s.got.append((m.partition(), m.offset()))
            s.asg = {p.partition for p in s.c.assignment()}
        s.c.close()

    def stop(s):
        s.stop_ = True
        s.join(15)


def settled(ms, n, tmo=25):
    end = time.time() + tmo
    t0 = time.time()
    while time.time() < end:
        a = [m.asg for m in ms]
        if (
            sum(map(len, a)) == n
            and len(set().union(*a)) == n
            and (min(map(len, a)) >= n // len(ms))
        ):
            time.sleep(0.7)
            b = [m.asg for m in ms]
            if a == b:
                return ([sorted(x) for x in a], time.time() - t0)
        time.sleep(0.1)
    raise Fail(
        f"did not settle in {tmo}s: {[sorted(m.asg) for m in ms]} errors {[m.err[:1] for m in ms]}"
    )


def group_run(**k):
    t = make_topic(6)
    g = unique("g")
    send(t, [{"value": b"x", "partition": i % 6} for i in range(600)])
    a = Member(g, t, **k)
    s1, t1 = settled([a], 6)
    b = Member(g, t, **k)
    s2, t2 = settled([a, b], 6)
    c = Member(g, t, **k)
    s3, t3 = settled([a, b, c], 6)
    ev_join = [list(m.ev) for m in (a, b, c)]
    c.stop()
    s4, t4 = settled([a, b], 6)
    got = a.got + b.got + c.got
    for m in (a, b):
        m.stop()
    check(len(set(got)) == 600, f"{len(set(got))} of 600 distinct read")
    return f"1->{s1} {t1:.1f}s; 2->{s2} {t2:.1f}s; 3->{s3} {t3:.1f}s; leave->{s4} {t4:.1f}s; first member events {a.ev}"


@test(110)
def group_3_members_eager_range():
    return group_run(partition_assignment_strategy="range")


@test(110)
def group_3_members_cooperative_sticky():
    r = group_run(partition_assignment_strategy="cooperative-sticky")
    return r


@test(110)
def group_3_members_kip848_consumer_protocol():
    return group_run(group_protocol="consumer")


@test(60)
def group_committed_offsets_resume():
    t = make_topic(1)
    g = unique("g")
    send(t, [b"%d" % i for i in range(100)])

    def take(n):
        c = consumer(g)
        c.subscribe([t])
        o = []
        end = time.time() + 15
        while len(o) < n and time.time() < end:
            o += [int(m.value()) for m in c.consume(n - len(o), 0.5) if not m.error()]
        c.commit(asynchronous=False)
        c.close()
        return o

    a = take(50)
    b = take(50)
    check(a == list(range(50)) and b == list(range(50, 100)), f"a={len(a)} b={b[:3]}..")
    return "50 read+committed, next consumer resumed at 50"


@test(60)
def group_auto_commit_resume():
    t = make_topic(1)
    g = unique("g")
    send(t, [b"%d" % i for i in range(100)])

    def take(n):
        c = consumer(g, **{"enable_auto_commit": True, "auto_commit_interval_ms": 500})
        c.subscribe([t])
        o = []
        end = time.time() + 15
        while len(o) < n and time.time() < end:
            o += [int(m.value()) for m in c.consume(n - len(o), 0.5) if not m.error()]
        c.close()
        return o

    a = take(40)
    b = take(60)
    check(a == list(range(40)) and b == list(range(40, 100)), f"a={len(a)} b={b[:3]}")
    return "resumed at 40"


def _crash_member(g, t, q):
    c = consumer(g)
    c.subscribe([t])
    while True:
        c.consume(100, 0.2)
        q.put(sorted((p.partition for p in c.assignment())))


@test(110)
def group_member_crash_session_timeout():
    t = make_topic(4)
    g = unique("g")
    q = mp.Queue()
    p = mp.Process(target=_crash_member, args=(g, t, q), daemon=True)
    p.start()
    a = Member(g, t)
    end = time.time() + 25
    while time.time() < end and len(a.asg) != 2:
        time.sleep(0.2)
    check(len(a.asg) == 2, f"survivor has {a.asg}")
    time.sleep(1)
    p.kill()
    t0 = time.time()
    s, dt = settled([a], 4, float(os.environ.get("CRASH_WAIT", 30)))
    a.stop()
    return f"kill -9 of a member: survivor owns all 4 after {time.time() - t0 - 0.7:.1f}s (session.timeout 6 s)"


@test(60)
def group_static_membership():
    t = make_topic(4)
    g = unique("g")
    a = Member(g, t, group_instance_id="a", session_timeout_ms=12000)
    b = Member(g, t, group_instance_id="b", session_timeout_ms=12000)
    s, _ = settled([a, b], 4)
    n = len(a.ev)
    b.stop()
    time.sleep(1.5)
    b2 = Member(g, t, group_instance_id="b", session_timeout_ms=12000)
    s2, _ = settled([a, b2], 4)
    ev = a.ev[n:]
    a.stop()
    b2.stop()
    check(s == s2 and (not ev), f"before {s} after {s2}, other member saw {ev}")
    return f"b restarted, same partitions {s2}, member a saw no rebalance"


@test(40)
def group_regex_subscription():
    pre = unique("rx")
    t1 = make_topic(1, name=pre + "-a")
    t2 = make_topic(1, name=pre + "-b")
    send(t1, [b"1"])
    send(t2, [b"2"])
    c = consumer()
    c.subscribe(["^" + pre + "-.*"])
    o = []
    end = time.time() + 15
    while len(o) < 2 and time.time() < end:
        o += [m.topic() for m in c.consume(2, 0.5) if not m.error()]
    c.close()
    check(sorted(o) == [t1, t2], str(o))
    return "both topics by ^regex"
