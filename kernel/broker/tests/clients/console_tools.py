#!/usr/bin/env python3
"""Kafka's own Java tools against the embedded broker: what people type at work must work here.

    console_tools.py                  one node in memory, then three nodes on disk
    console_tools.py --apache         Apache Kafka, to see that the expectations are Kafka's

Each step runs one tool from Kafka's jars and compares what it prints. After the disk run
DumpLogSegments, Kafka's own reader of segment files, checks what the embedded broker left.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

from apache_kafka import JVM, ApacheKafka, jars
from run import EMBEDDED, embedded

TOOLS = "org.apache.kafka.tools"


class Tools:
    def __init__(self, bootstrap):
        self.bootstrap, self.steps = bootstrap, 0

    def run(self, tool, *arguments, stdin=None, want=(), unwanted=()):
        """Runs a tool and stops the script where its output is not as it should be."""
        command = ["java", *JVM, "-cp", f"{jars()}/lib/*", tool, *map(str, arguments)]
        start = time.time()
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=90)
        told = done.stdout + done.stderr
        missing = [text for text in want if text not in told]
        surplus = [text for text in unwanted if text in told]
        name, seconds = tool.rsplit(".", 1)[-1], time.time() - start
        if done.returncode or missing or surplus:
            print(f"FAIL {name} {' '.join(map(str, arguments))}\n{told}")
            sys.exit(f"error: exit code {done.returncode}, missing {missing}, unwanted {surplus}")
        self.steps += 1
        print(f"ok   {name} {' '.join(map(str, arguments[2:]))} [{seconds:.1f} s]", flush=True)
        return told

    def __call__(self, tool, *arguments, **expectations):
        return self.run(tool, "--bootstrap-server", self.bootstrap, *arguments, **expectations)


def walk(bootstrap, replicas):
    """What a newcomer types in the first hour with Kafka."""
    tools, topic = Tools(bootstrap), f"tools-{time.time_ns()}"
    topics, groups = f"{TOOLS}.TopicCommand", f"{TOOLS}.consumer.group.ConsumerGroupCommand"
    create = ["--create", "--topic", topic, "--partitions", 3, "--replication-factor", replicas]
    tools(topics, *create, want=[f"Created topic {topic}"])
    tools(topics, "--list", want=[topic])
    described = ["PartitionCount: 3", f"ReplicationFactor: {replicas}", "Partition: 2", "Isr: "]
    tools(topics, "--describe", "--topic", topic, want=described)
    tools(topics, "--alter", "--topic", topic, "--partitions", 4)
    tools(topics, "--describe", "--topic", topic, want=["PartitionCount: 4"])

    records = "".join(f"k{i % 5}:value {i}\n" for i in range(100))
    keyed = ["--reader-property", "parse.key=true", "--reader-property", "key.separator=:"]
    tools(f"{TOOLS}.ConsoleProducer", "--topic", topic, *keyed, stdin=records)
    group = f"group-{topic}"
    read = ["--topic", topic, "--from-beginning", "--max-messages", 100, "--timeout-ms", 30000]
    told = tools(
        f"{TOOLS}.consumer.ConsoleConsumer",
        *read,
        *["--group", group],
        *["--formatter-property", "print.key=true", "--formatter-property", "print.partition=true"],
        want=["Processed a total of 100 messages"],
    )
    values = {line.split("\t")[-1] for line in told.splitlines() if "value " in line}
    assert values == {f"value {i}" for i in range(100)}, f"{len(values)} of 100 values came"

    tools(f"{TOOLS}.GetOffsetShell", "--topic", topic, want=[f"{topic}:0:", f"{topic}:3:"])
    tools(groups, "--list", want=[group])
    tools(groups, "--describe", "--group", group, want=[topic, "LAG"])
    reset = ["--reset-offsets", "--to-earliest", "--topic", topic, "--execute"]
    tools(groups, "--group", group, *reset, want=[topic])
    tools(groups, "--describe", "--group", group, "--state", want=["Empty"])
    tools(groups, "--delete", "--group", group, want=["successful"])
    tools(f"{TOOLS}.GroupsCommand", "--list", unwanted=[group])

    configs, entity = "kafka.admin.ConfigCommand", [
        "--entity-type",
        "topics",
        "--entity-name",
        topic,
    ]
    tools(configs, *entity, "--alter", "--add-config", "retention.ms=123456")
    tools(configs, *entity, "--describe", want=["retention.ms=123456"])
    tools(configs, *entity, "--describe", "--all", want=["min.insync.replicas", "segment.bytes"])

    performance = ["--topic", topic, "--num-records", 20000, "--record-size", 100]
    properties = ["--command-property", f"bootstrap.servers={bootstrap}", "--throughput", -1]
    transaction = ["--transactional-id", topic, "--transaction-duration-ms", 300]
    run = f"{TOOLS}.ProducerPerformance"
    tools.run(run, *performance, *properties, want=["20000 records sent"])
    tools.run(run, *performance, *properties, *transaction, want=["20000 records sent"])
    tools(f"{TOOLS}.TransactionsCommand", "list", want=["TransactionalId", topic])
    describe = ["describe", "--transactional-id", topic]
    tools(f"{TOOLS}.TransactionsCommand", *describe, want=["CompleteCommit"])
    consume = ["--topic", topic, "--num-records", 20000, "--timeout", 30000]
    tools(f"{TOOLS}.ConsumerPerformance", *consume, want=["data.consumed"])
    committed = ["--command-property", "isolation.level=read_committed"]
    tools(
        f"{TOOLS}.consumer.ConsoleConsumer",
        *["--topic", topic, "--from-beginning", "--max-messages", 40100, "--timeout-ms", 30000],
        *committed,
        want=["Processed a total of 40100 messages"],
    )
    tools(f"{TOOLS}.consumer.ConsoleConsumer", *new_protocol(topic), want=["total of 10 messages"])

    tools(topics, "--delete", "--topic", topic)
    tools(topics, "--list", unwanted=[topic])
    return tools.steps


def new_protocol(topic):
    """A member of a group that speaks the consumer protocol of KIP-848."""
    read = [
        "--topic",
        topic,
        "--max-messages",
        10,
        "--timeout-ms",
        30000,
        "--group",
        f"848-{topic}",
    ]
    protocol = ["group.protocol=consumer", "auto.offset.reset=earliest"]
    return [*read, *[part for line in protocol for part in ("--command-property", line)]]


def keep_something(bootstrap):
    """Leaves a topic behind whose files are looked at once the broker has stopped."""
    tools = Tools(bootstrap)
    create = ["--create", "--topic", "kept", "--partitions", 1, "--replication-factor", 3]
    tools(f"{TOOLS}.TopicCommand", *create)
    lines = "".join(f"line {i}\n" for i in range(500))
    tools(f"{TOOLS}.ConsoleProducer", "--topic", "kept", stdin=lines)


def dump(folder):
    """Kafka's own reader over the files of all three nodes."""
    tools = Tools("none")
    segments = sorted(pathlib.Path(folder).glob("**/kept-0/*.log"))
    assert len(segments) == 3, f"segment files of three replicas, found {segments}"
    for segment in segments:
        indexes = f"{segment.with_suffix('.index')},{segment.with_suffix('.timeindex')}"
        arguments = ["--deep-iteration", "--print-data-log", "--files", f"{segment},{indexes}"]
        wanted, wrong = ["line 499", "isvalid: true"], ["isvalid: false", "Mismatches", "Invalid"]
        tools.run(f"{TOOLS}.DumpLogSegments", *arguments, want=wanted, unwanted=wrong)
    return tools.steps


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--apache", action="store_true", help="against Apache Kafka instead")
    args = parser.parse_args()
    jars()
    if args.apache:
        with ApacheKafka(1) as kafka:
            print(f"== {walk(kafka.bootstrap, 1)} steps of Kafka's tools passed on Apache Kafka")
        return
    with embedded(EMBEDDED["memory"][0]) as bootstrap:
        print(f"== {walk(bootstrap, 1)} steps of Kafka's tools passed on one node")
    with tempfile.TemporaryDirectory() as folder:
        with embedded(["--nodes", "3", "--data", folder]) as bootstrap:
            steps = walk(bootstrap, 3)
            keep_something(bootstrap)
        print(f"== {steps + dump(folder)} steps passed on three nodes and their files")


if __name__ == "__main__":
    main()
