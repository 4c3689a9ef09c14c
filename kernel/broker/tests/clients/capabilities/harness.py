"""The list of checks, and what a check says: a line of what it saw, or `Fail`."""

import time
import uuid

# name, function, seconds after which it counts as hanging
TESTS = []


class Fail(Exception):
    pass


def test(timeout=40):
    def add(f):
        TESTS.append((f.__name__, f, timeout))
        return f

    return add


def check(condition, message):
    if not condition:
        raise Fail(message)


def unique(prefix="t"):
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def an_hour_ago():
    """milliseconds; older records may be deleted while a check runs, since topics keep seven days"""
    return int(time.time() * 1000) - 3_600_000
