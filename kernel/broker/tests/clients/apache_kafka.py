#!/usr/bin/env python3
"""Starts Apache Kafka on this machine from the jars of Maven's central repository.

    apache_kafka.py                   one node, until Ctrl-C
    apache_kafka.py --nodes 3         three nodes
    apache_kafka.py --jars            only fetches the jars and prints their folder

Needs Java 17 or newer and Maven (Debian: apt install default-jdk-headless maven). Nothing of Kafka
has to be installed: no archive, no start scripts. The data is gone when it stops.
"""

import argparse
import contextlib
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

VERSION = "4.3.1"
CACHE = (
    pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "headwater"
)

# Enough for a laptop: a small heap, the quick compiler, one collector thread.
JVM = [
    "-Xms128m",
    "-Xmx1g",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
]

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version>
<dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{0}</version></dependency>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>{0}</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
</dependencies></project>
"""

# Timers as short as in lessons; everything else is Kafka's default.
SETTINGS = """process.roles=broker,controller
node.id={id}
controller.quorum.bootstrap.servers={quorum}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={logs}
num.partitions=4
default.replication.factor={replicas}
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={in_sync}
group.initial.rebalance.delay.ms=0
log.retention.check.interval.ms=1000
log.cleaner.backoff.ms=1000
log.segment.delete.delay.ms=1000
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
"""


def jars():
    """Returns the folder with the jars; fetches them the first time."""
    for tool in ("java", "mvn"):
        if not shutil.which(tool):
            sys.exit(
                f"error: there is no `{tool}` here\n  try:  apt install default-jdk-headless maven"
            )
    folder = CACHE / f"apache-kafka-{VERSION}"
    if (folder / "complete").exists():
        return folder
    print(f"fetching Apache Kafka {VERSION} into {folder} ...", file=sys.stderr, flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pom.xml").write_text(POM.format(VERSION))
    goal = [
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        f"-DoutputDirectory={folder}/lib",
    ]
    subprocess.run(
        ["mvn", "-q", "-f", str(folder / "pom.xml"), *goal], check=True, stdout=sys.stderr
    )
    (folder / "complete").touch()
    return folder


def java(*arguments, **options):
    """Runs a class of Kafka's to its end and returns what it printed."""
    command = ["java", *JVM, "-cp", f"{jars()}/lib/*", *arguments]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, **options
    ).stdout.strip()


def free_ports(nodes):
    """Returns the first of `nodes` free ports in a row whose numbers plus 1000 are free too."""
    while True:
        first = random.randrange(20000, 30000)
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            for port in [*range(first, first + nodes), *range(first + 1000, first + 1000 + nodes)]:
                held.enter_context(socket.create_server(("127.0.0.1", port)))
            return first


class ApacheKafka:
    """A cluster that runs until the `with` block ends."""

    def __init__(self, nodes=1, port=None):
        self.nodes, self.port, self.processes = nodes, port or free_ports(nodes), {}
        self.bootstrap = ",".join(f"127.0.0.1:{self.port + i}" for i in range(nodes))

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="apache-kafka-"))
        ids = range(1, self.nodes + 1)
        places = {i: f"127.0.0.1:{self.port + 1000 + i - 1}" for i in ids}
        cluster = java("kafka.tools.StorageTool", "random-uuid")
        voters = ",".join(
            f"{i}@{places[i]}:{java('kafka.tools.StorageTool', 'random-uuid')}" for i in ids
        )
        for i in ids:
            settings = SETTINGS.format(
                id=i,
                port=self.port + i - 1,
                controller=self.port + 1000 + i - 1,
                quorum=",".join(places.values()),
                logs=self.folder / f"log{i}",
                replicas=self.nodes,
                in_sync=min(2, self.nodes),
            )
            (self.folder / f"{i}.properties").write_text(settings)
            quorum = ["--standalone"] if self.nodes == 1 else ["--initial-controllers", voters]
            java(
                "kafka.tools.StorageTool", "format", "-t", cluster, "-c", self.settings(i), *quorum
            )
            self.start(i)
        self.wait()
        return self

    def settings(self, node):
        return str(self.folder / f"{node}.properties")

    def start(self, node):
        log = open(self.folder / f"{node}.log", "a")
        command = ["java", *JVM, "-cp", f"{jars()}/lib/*", "kafka.Kafka", self.settings(node)]
        # Ctrl-C reaches this script alone, which then stops the nodes in order.
        self.processes[node] = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )

    def wait(self, patience=90):
        """Returns once every node answers a metadata request."""
        tool = "org.apache.kafka.tools.BrokerApiVersionsCommand"
        end = time.time() + patience
        while True:
            with contextlib.suppress(subprocess.CalledProcessError, subprocess.TimeoutExpired):
                told = java(tool, "--bootstrap-server", self.bootstrap, timeout=30)
                if told.count("(id: ") >= self.nodes:
                    return
            dead = [node for node, process in self.processes.items() if process.poll() is not None]
            if dead or time.time() > end:
                logs = "\n".join((self.folder / f"{node}.log").read_text()[-2000:] for node in dead)
                raise RuntimeError(f"Apache Kafka does not answer; ended nodes: {dead}\n{logs}")
            time.sleep(0.5)

    def __exit__(self, *_):
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=1, choices=(1, 3))
    parser.add_argument("--port", type=int, help="the first port; default: one that is free")
    parser.add_argument("--jars", action="store_true", help="only fetch the jars")
    args = parser.parse_args()
    if args.jars:
        print(jars() / "lib")
        return
    with ApacheKafka(args.nodes, args.port) as kafka:
        pids = ",".join(str(process.pid) for process in kafka.processes.values())
        print(
            f"Apache Kafka {VERSION} at {kafka.bootstrap}, until Ctrl-C, process {pids}", flush=True
        )
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
