"""What one node knows of a topic, asked by hand: client libraries ask whichever node they like."""

import os
import socket
import struct
import time

from .harness import Fail


def leaders(node, topic):
    """returns the leader of each partition that `node` knows, or none where it knows no such topic"""
    host, port = node.rsplit(":", 1)
    name = topic.encode()
    body = struct.pack(">hhihih", 3, 0, 1, -1, 1, len(name)) + name
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.settimeout(10)
        connection.sendall(struct.pack(">i", len(body)) + body)
        answer = connection.makefile("rb")
        (size,) = struct.unpack(">i", answer.read(4))
        rest = answer.read(size)[4:]

    def take(form):
        nonlocal rest
        size = struct.calcsize(form)
        values, rest = struct.unpack(form, rest[:size]), rest[size:]
        return values[0]

    def skip(size):
        nonlocal rest
        rest = rest[size:]

    for _ in range(take(">i")):  # brokers: id, host, port
        skip(4)
        skip(take(">h") + 4)
    take(">i")  # one topic: error, name
    error = take(">h")
    skip(take(">h"))
    found = []
    for _ in range(take(">i")):  # partitions: error, number, leader, replicas, in-sync set
        skip(6)
        found.append(take(">i"))
        skip(4 * take(">i"))
        skip(4 * take(">i"))
    return [] if error else found


def wait_for_leaders(topic, partitions, patience=15):
    """A real cluster answers CreateTopics before every node has heard of the topic."""
    end = time.time() + patience
    for node in os.environ["BOOTSTRAP"].split(","):
        while True:
            found = leaders(node, topic)
            if len(found) == partitions and all(leader >= 0 for leader in found):
                break
            if time.time() > end:
                raise Fail(f"{node} knows leaders {found} of {topic} after {patience} s")
            time.sleep(0.05)
