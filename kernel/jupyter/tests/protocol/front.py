"""A front end on Jupyter's own sockets and signatures that keeps each message as it was sent."""

import json
import time
import uuid
from dataclasses import dataclass

import jsonschema
import zmq
from jupyter_client import KernelManager

import schemas
from kernelspec import NAME

SECONDS = 30


class Difference(Exception):
    """What the kernel said is not what the protocol asks for."""


@dataclass
class Message:
    channel: str
    header: dict
    parent: dict
    metadata: dict
    content: dict
    buffers: list

    @property
    def type(self):
        return self.header["msg_type"]

    @property
    def state(self):
        """The type, or the state where it is one."""
        return self.content.get("execution_state", self.type)

    def is_under(self, request):
        return self.parent.get("msg_id") == request["header"]["msg_id"]


class Front:
    """One front end with a kernel of its own."""

    def __init__(self):
        # The ports are ours from the start, not chosen anew when the kernel starts.
        self.manager = KernelManager(kernel_name=NAME, cache_ports=False)
        # The sockets are there before the kernel is, so that nothing can be missed.
        self.manager.write_connection_file()
        self.session = self.manager.session
        identity = uuid.uuid4().bytes
        connect = {
            "iopub": self.manager.connect_iopub,
            "shell": lambda: self.manager.connect_shell(identity=identity),
            "stdin": lambda: self.manager.connect_stdin(identity=identity),
            "control": self.manager.connect_control,
        }
        self.sockets = {name: make() for name, make in connect.items()}
        self.heartbeat = self.manager.connect_hb()
        self.poller = zmq.Poller()
        for socket in self.sockets.values():
            self.poller.register(socket, zmq.POLLIN)
        self.seen_ids = set()
        self.kernel_session = None
        self.manager.start_kernel()

    def send(self, channel, message_type, content, buffers=None):
        request = self.session.msg(message_type, content)
        self.session.send(self.sockets[channel], request, buffers=buffers)
        return request

    def hear(self, seconds=SECONDS):
        """The next message; it is checked against the schema of its type."""
        if not self.poller.poll(seconds * 1000):
            raise Difference(f"nothing was said within {seconds} s")
        # Output sent before a reply is heard before it.
        for channel, socket in self.sockets.items():
            if socket.poll(0):
                return self.read(channel, socket)
        raise AssertionError("one of them can be read")

    def read(self, channel, socket):
        _, frames = self.session.feed_identities(socket.recv_multipart())
        # Raises where the signature is wrong.
        self.session.deserialize(frames, content=False)
        parts = [json.loads(frame) for frame in frames[1:5]]
        message = Message(channel, *parts, [bytes(frame) for frame in frames[5:]])
        self.check(message)
        return message

    def check(self, message):
        validate(message.header, schemas.HEADER, f"header of {message.type}")
        if not isinstance(message.metadata, dict) or not isinstance(message.parent, dict):
            raise Difference(f"metadata or parent of {message.type} is no object")
        if message.type not in schemas.CONTENT:
            raise Difference(f"`{message.type}` is not of the protocol")
        validate(message.content, schemas.CONTENT[message.type], message.type)
        if message.header["msg_id"] in self.seen_ids:
            raise Difference(f"msg_id {message.header['msg_id']} came twice")
        self.seen_ids.add(message.header["msg_id"])
        self.kernel_session = self.kernel_session or message.header["session"]
        if message.header["session"] != self.kernel_session:
            raise Difference("the kernel changed its session")

    def until(self, wanted):
        """Everything up to the first message that is wanted."""
        heard, deadline = [], time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            heard.append(self.hear(max(0.01, deadline - time.monotonic())))
            if wanted(heard[-1]):
                return heard
        raise Difference("what was waited for did not come")

    def finish(self, *requests, reply=True):
        """Everything until each request has its idle and its reply: sockets keep no common order."""
        heard = []

        def is_done(message):
            heard.append(message)
            return all(self.is_finished(request, heard, reply) for request in requests)

        self.until(is_done)
        return heard

    @staticmethod
    def is_finished(request, heard, reply):
        own = [m for m in heard if m.is_under(request)]
        replied = any(m.channel in ("shell", "control") for m in own)
        return any(m.state == "idle" for m in own) and (replied or not reply)

    def exchange(self, channel, message_type, content, reply_type, published=(), buffers=None):
        """Sends a request and checks everything that it causes, in kind and order."""
        request = self.send(channel, message_type, content, buffers)
        heard = self.finish(request, reply=bool(reply_type))
        return self.checked(heard, request, channel, reply_type, published)

    def checked(self, heard, request, channel, reply_type, published):
        """Checks what was said under one request; returns its reply and what was published."""
        heard = [m for m in heard if m.is_under(request) and m.channel != "stdin"]
        replies = [m for m in heard if m.channel in ("shell", "control")]
        expected = [(channel, reply_type)] if reply_type else []
        if [(m.channel, m.type) for m in replies] != expected:
            raise Difference(f"replies {[(m.channel, m.type) for m in replies]}, not {expected}")
        for message in heard:
            sent = {k: v for k, v in request["header"].items() if k != "date"}
            same = {k: v for k, v in message.parent.items() if k != "date"}
            if sent != same:
                raise Difference(f"parent of {message.type} is {same}, not {sent}")
        states = [m.state for m in heard if m.channel == "iopub"]
        if states != ["busy", *published, "idle"]:
            raise Difference(f"published {states}, not {['busy', *published, 'idle']}")
        return replies[0].content if replies else None, [m for m in heard if m.channel == "iopub"]

    def execute(self, code, published=("execute_input",), **fields):
        content = {
            "code": code, "silent": False, "store_history": True,
            "user_expressions": {}, "allow_stdin": False, "stop_on_error": True,
        }
        return self.exchange("shell", "execute_request", content | fields, "execute_reply", published)

    def close(self):
        self.manager.shutdown_kernel(now=True)
        for socket in [*self.sockets.values(), self.heartbeat]:
            socket.close(0)


def validate(value, schema, what):
    errors = list(jsonschema.Draft202012Validator(schema).iter_errors(value))
    if errors:
        raise Difference(f"{what}: {errors[0].message} at {list(errors[0].absolute_path)}")


def same(have, want, what):
    if have != want:
        raise Difference(f"{what}: {have!r}, not {want!r}")
