"""The protocol by hand, where a client library would not do what a check needs."""

import socket
import struct
import time

from .harness import Fail, check
from .librdkafka import BS, admin


class Raw:

    def __init__(s, hostport=None):
        h, p = (hostport or BS.split(",")[0]).rsplit(":", 1)
        s.s = socket.create_connection((h, int(p)), 10)
        s.s.settimeout(15)
        s.n = 0

    def call(s, key, ver, body):
        s.n += 1
        h = struct.pack(">hhih", key, ver, s.n, 3) + b"raw"
        s.s.sendall(struct.pack(">i", len(h) + len(body)) + h + body)

        def rd(n):
            b = b""
            while len(b) < n:
                x = s.s.recv(n - len(b))
                if not x:
                    raise Fail("connection closed by broker")
                b += x
            return b

        n = struct.unpack(">i", rd(4))[0]
        r = rd(n)
        check(struct.unpack(">i", r[:4])[0] == s.n, "correlation")
        return r[4:]

    def api_versions(s):
        r = s.call(18, 0, b"")
        e, n = struct.unpack(">hi", r[:6])
        return {k: (a, b) for k, a, b in struct.iter_unpack(">hhh", r[6 : 6 + 6 * n])}

    def init_pid(s):
        end = time.time() + 15
        while True:
            r = s.call(22, 0, struct.pack(">hi", -1, 60000))
            _, e, pid, ep = struct.unpack(">ihqh", r[:16])
            # A cluster that just started may still load its coordinator (14, 15, 16): try again.
            if e not in (14, 15, 16) or time.time() > end:
                break
            time.sleep(0.2)
        check(e == 0, f"InitProducerId error {e}")
        return (pid, ep)

    def produce(s, t, part, batch, acks=-1):
        tb = t.encode()
        b = (
            struct.pack(">hhi", -1, acks, 10000)
            + struct.pack(">ih", 1, len(tb))
            + tb
            + struct.pack(">iii", 1, part, len(batch))
            + batch
        )
        r = s.call(0, 3, b)
        o = 4
        ln = struct.unpack(">h", r[o : o + 2])[0]
        o += 2 + ln + 4
        p, e, off = struct.unpack(">ihq", r[o : o + 14])
        return (e, off)


def varint(n):
    n = n << 1 ^ n >> 63
    o = b""
    while True:
        b = n & 127
        n >>= 7
        if n:
            o += bytes([b | 128])
        else:
            return o + bytes([b])


def batch(vals, pid, ep, seq):
    from kafka.record.util import calc_crc32c

    recs = b""
    for i, v in enumerate(vals):
        r = b"\x00" + varint(0) + varint(i) + varint(-1) + varint(len(v)) + v + varint(0)
        recs += varint(len(r)) + r
    ts = int(time.time() * 1000)
    body = struct.pack(">hiqqqhii", 0, len(vals) - 1, ts, ts, pid, ep, seq, len(vals)) + recs
    tail = struct.pack(">ibI", -1, 2, calc_crc32c(body)) + body
    return struct.pack(">qi", 0, len(tail)) + tail


def leader_raw(t, p=0):
    md = admin().list_topics(t, timeout=10)
    b = md.brokers[md.topics[t].partitions[p].leader]
    return Raw(f"{b.host}:{b.port}")
