#!/usr/bin/env python3
"""Logs in to the embedded broker with clients that others wrote: librdkafka, kafka-python, aiokafka.

    python kernel/broker/tests/clients/security.py

Starts `cargo run -p headwater-broker --example guarded` (or the program named by --server) and tries
every mechanism, with and without TLS, with the right and with a wrong password. Needs
confluent-kafka, kafka-python and aiokafka. Ends with 1 if anything was not as it should be.
"""
import argparse
import asyncio
import ssl
import subprocess
import sys
import time
import uuid

MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
USER, PASSWORD, WRONG = "ada", "engine", "motor"
PATIENCE_S = 20


class Refused(Exception):
    """The broker did not let the client in."""


def librdkafka(address, protocol, mechanism, password, certificate, topic):
    from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

    said = []
    config = {
        "bootstrap.servers": address,
        "security.protocol": protocol,
        "sasl.mechanism": mechanism,
        "sasl.username": USER,
        "sasl.password": password,
        "log_level": 0,
        "error_cb": said.append,
    }
    if protocol == "SASL_SSL":
        config["ssl.ca.location"] = certificate
    producer = Producer(config)
    producer.produce(topic, b"hello")
    deadline = time.monotonic() + PATIENCE_S
    while producer.flush(0.1) and time.monotonic() < deadline:
        if any(error.code() == KafkaError._AUTHENTICATION for error in said):
            raise Refused(str(said[0]))
    if len(producer):
        raise KafkaException(said[0] if said else KafkaError(KafkaError._TIMED_OUT))
    consumer = Consumer(config | {"group.id": topic, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    message = consumer.poll(PATIENCE_S)
    assert message is not None and message.value() == b"hello", message
    consumer.close()


def kafka_python(address, protocol, mechanism, password, certificate, topic):
    from kafka import KafkaConsumer, KafkaProducer
    from kafka.errors import KafkaError

    config = {
        "bootstrap_servers": address,
        "security_protocol": protocol,
        "sasl_mechanism": mechanism,
        "sasl_plain_username": USER,
        "sasl_plain_password": password,
        "ssl_cafile": certificate if protocol == "SASL_SSL" else None,
        "api_version_auto_timeout_ms": 3000,
    }
    # Newer versions do not take this setting any more.
    for key in set(config) - set(KafkaProducer.DEFAULT_CONFIG):
        del config[key]
    try:
        producer = KafkaProducer(**config, max_block_ms=5000)
        producer.send(topic, b"hello").get(timeout=PATIENCE_S)
    except KafkaError as error:
        # Its versions differ in what they call this; none of them may get in.
        raise Refused(repr(error))
    producer.close()
    consumer = KafkaConsumer(
        topic, **config, auto_offset_reset="earliest", consumer_timeout_ms=1000 * PATIENCE_S
    )
    assert next(consumer).value == b"hello"
    consumer.close()


def aiokafka(address, protocol, mechanism, password, certificate, topic):
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
    from aiokafka.errors import KafkaError

    context = ssl.create_default_context(cafile=certificate) if protocol == "SASL_SSL" else None
    config = {
        "bootstrap_servers": address,
        "security_protocol": protocol,
        "sasl_mechanism": mechanism,
        "sasl_plain_username": USER,
        "sasl_plain_password": password,
        "ssl_context": context,
    }

    async def both():
        producer = AIOKafkaProducer(**config)
        try:
            await producer.start()
        except KafkaError as error:
            raise Refused(repr(error))
        finally:
            if password == WRONG:
                await producer.stop()
        await producer.send_and_wait(topic, b"hello")
        await producer.stop()
        consumer = AIOKafkaConsumer(topic, **config, auto_offset_reset="earliest")
        await consumer.start()
        message = await asyncio.wait_for(consumer.getone(), PATIENCE_S)
        assert message.value == b"hello"
        await consumer.stop()

    asyncio.run(both())


def outcome(client, *arguments):
    topic = f"login-{uuid.uuid4().hex[:8]}"
    try:
        client(*arguments, topic)
    except Refused as refused:
        return f"refused ({refused})"
    except Exception as error:  # whatever a client makes of it, the table shows it
        return f"failed ({error!r})"
    return "in"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--server", help="the example, built before")
    command = ["cargo", "run", "--quiet", "-p", "headwater-broker", "--example", "guarded"]
    asked = parser.parse_args().server
    server = subprocess.Popen(
        [asked] if asked else command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        places = dict(server.stdout.readline().split(maxsplit=1) for _ in range(3))
        places = {key: value.strip() for key, value in places.items()}
        wrong = 0
        for client in (librdkafka, kafka_python, aiokafka):
            for protocol in ("SASL_PLAINTEXT", "SASL_SSL"):
                for mechanism in MECHANISMS:
                    for password, expected in ((PASSWORD, "in"), (WRONG, "refused")):
                        result = outcome(
                            client, places[protocol], protocol, mechanism, password, places["certificate"]
                        )
                        right = result.split()[0] == expected
                        wrong += not right
                        name = f"{client.__name__:13}{protocol:15}{mechanism:14}"
                        told = "right" if password == PASSWORD else "wrong"
                        print(f"{'ok  ' if right else 'FAIL'} {name} {told} password: {result[:150]}", flush=True)
        print(f"{36 - wrong} of 36 as they should be")
        return wrong != 0
    finally:
        server.stdin.close()
        server.wait(10)


if __name__ == "__main__":
    sys.exit(main())
