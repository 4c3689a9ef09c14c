#!/usr/bin/env python3
"""Compares what two brokers say of their settings (DescribeConfigs), field by field.

    python kernel/broker/tests/clients/configs.py APACHE_KAFKA EMBEDDED

Both are `host:port`. Needs no client library: the request is written here. A difference that is meant
stands in MEANT, with its reason; any other one is printed, and the script ends with 1.
"""
import socket
import struct
import sys
import uuid

TOPIC, BROKER = 2, 4

# What differs and why. A name alone stands for all of its fields.
MEANT = {}


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        (value,) = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return value

    def text(self):
        size = self.take("h")
        if size < 0:
            return None
        self.at += size
        return self.data[self.at - size : self.at].decode()

    def array(self, element):
        return [element() for _ in range(max(self.take("i"), 0))]


def string(text):
    return struct.pack(">h", len(text)) + text.encode()


def ask(connection, key, version, body):
    frame = struct.pack(">hhih", key, version, 1, -1) + body
    connection.sendall(struct.pack(">i", len(frame)) + frame)
    stream = connection.makefile("rb")
    (size,) = struct.unpack(">i", stream.read(4))
    reader = Reader(stream.read(size))
    assert reader.take("i") == 1
    return reader


def connect(address):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=20)


def node(connection):
    """Metadata version 1, of no topic: the id of the first broker."""
    reader = ask(connection, 3, 1, struct.pack(">i", 0))
    count = reader.take("i")
    assert count > 0
    return reader.take("i")


def create_topic(connection, name):
    body = struct.pack(">i", 1) + string(name) + struct.pack(">ihiiib", 1, 1, 0, 0, 20_000, 0)
    reader = ask(connection, 19, 2, body)
    reader.take("i"), reader.take("i"), reader.text()
    error = reader.take("h")
    assert error == 0, f"CreateTopics: error {error} {reader.text()}"


def describe(connection, kind, name):
    """DescribeConfigs version 3: a dictionary of settings, each a dictionary of fields."""
    body = struct.pack(">ib", 1, kind) + string(name) + struct.pack(">ibb", -1, 1, 1)
    reader = ask(connection, 32, 3, body)
    reader.take("i"), reader.take("i")
    error, message = reader.take("h"), reader.text()
    assert error == 0, f"DescribeConfigs: error {error} {message}"
    reader.take("b"), reader.text()

    def setting():
        name, value = reader.text(), reader.text()
        fields = {
            "value": value,
            "read only": bool(reader.take("b")),
            "source": reader.take("b"),
            "sensitive": bool(reader.take("b")),
        }
        fields["synonyms"] = reader.array(lambda: (reader.text(), reader.text(), reader.take("b")))
        fields["type"] = reader.take("b")
        fields["documented"] = bool(reader.text())
        return name, fields

    return dict(reader.array(setting))


def all_settings(address):
    with connect(address) as connection:
        topic = f"configs-{uuid.uuid4().hex[:8]}"
        create_topic(connection, topic)
        return {
            "topic": describe(connection, TOPIC, topic),
            "broker": describe(connection, BROKER, str(node(connection))),
        }


def differences(kind, theirs, ours):
    for name in sorted(set(theirs) | set(ours)):
        if name not in ours:
            yield name, "", "is there", "is not there"
        elif name not in theirs:
            yield name, "", "is not there", "is there"
        else:
            for field, value in theirs[name].items():
                if value != ours[name][field]:
                    yield name, field, value, ours[name][field]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    theirs, ours = all_settings(sys.argv[1]), all_settings(sys.argv[2])
    unexplained = 0
    for kind in ("topic", "broker"):
        for name, field, value, other in differences(kind, theirs[kind], ours[kind]):
            reason = MEANT.get((kind, name, field)) or MEANT.get((kind, name)) or MEANT.get((kind, field))
            unexplained += reason is None
            print(f"{kind} {name} {field}: Apache Kafka {value!r}, embedded {other!r}: {reason or 'NOT MEANT'}")
    print(f"{unexplained} differences that are not meant")
    return unexplained != 0


if __name__ == "__main__":
    sys.exit(main())
