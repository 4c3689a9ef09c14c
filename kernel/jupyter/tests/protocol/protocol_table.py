"""Each message of the protocol, sent and heard once, as a table. Ends with 1 on any difference."""

import os
import signal
import sys
import time
import traceback

import zmq

from front import Difference, Front, same

ROWS = []
DELIMITER = b"<IDS|MSG>"


def row(channel, message):
    def add(check):
        ROWS.append((channel, message, check))
        return check

    return add


@row("iopub", "iopub_welcome, status: starting")
def _(front):
    heard = front.until(lambda m: m.state == "starting")
    same([m.state for m in heard], ["iopub_welcome", "starting"], "first words")
    same([m.parent for m in heard], [{}, {}], "parents")
    same(heard[0].content["subscription"], "", "subscription")


@row("shell", "kernel_info_request")
def _(front):
    info, _ = front.exchange("shell", "kernel_info_request", {}, "kernel_info_reply")
    same(info["status"], "ok", "status")
    rustc = os.popen("rustc --version").read().split()[1]
    same(info["language_info"]["version"], rustc, "version of the language")


@row("control", "kernel_info_request")
def _(front):
    front.exchange("control", "kernel_info_request", {}, "kernel_info_reply")


@row("shell", "connect_request")
def _(front):
    ports, _ = front.exchange("shell", "connect_request", {}, "connect_reply")
    manager = front.manager
    same(ports["iopub_port"], manager.iopub_port, "iopub_port")
    same(ports["stdin_port"], manager.stdin_port, "stdin_port")


@row("hb", "ping")
def _(front):
    front.heartbeat.send(b"any bytes \x00\xff")
    if not front.heartbeat.poll(10_000):
        raise Difference("no echo within 10 s")
    same(front.heartbeat.recv(), b"any bytes \x00\xff", "echo")


@row("shell", "execute_request: a value")
def _(front):
    reply, said = front.execute("1 + 1", ["execute_input", "execute_result"])
    same(reply["execution_count"], 1, "the first count")
    same(said[1].content, {"code": "1 + 1", "execution_count": 1}, "execute_input")
    same(said[2].content["data"], {"text/plain": "2"}, "execute_result")
    same((reply["payload"], reply["user_expressions"]), ([], {}), "payload and expressions")


@row("shell", "execute_request: only code given")
def _(front):
    content = {"code": "let zebra_count = 3;"}
    reply, _ = front.exchange("shell", "execute_request", content, "execute_reply", ["execute_input"])
    same(reply["execution_count"], 2, "store_history is the default")


@row("shell", "execute_request: silent")
def _(front):
    front.execute('println!("quiet"); 2', [], silent=True)


@row("shell", "execute_request: store_history false")
def _(front):
    front.execute(":help", ["execute_input", "execute_result"], store_history=False)
    reply, _ = front.execute(":help", ["execute_input", "execute_result"])
    same(reply["execution_count"], 3, "count")


@row("shell", "execute_request: user_expressions")
def _(front):
    wanted = {"next": "zebra_count + 1", "wrong": "no_such_name"}
    reply, _ = front.execute("", user_expressions=wanted)
    values = reply["user_expressions"]
    same(values["next"], {"status": "ok", "data": {"text/plain": "4"}, "metadata": {}}, "a value")
    same(values["wrong"]["status"], "error", "a wrong one")


@row("shell", "execute_request: payload page")
def _(front):
    reply, _ = front.execute("?Tumbling")
    same([page["source"] for page in reply["payload"]], ["page"], "payload")


@row("shell", "execute_request: error, stop_on_error")
def _(front):
    requests = [
        front.send("shell", "execute_request", {"code": code})
        for code in ['std::thread::sleep(std::time::Duration::from_millis(300)); panic!("on purpose")', "1", "2"]
    ]
    expected = ["error", "aborted", "aborted"]
    heard = front.finish(*requests)
    for request, status in zip(requests, expected):
        published = ["execute_input", "error"] if status == "error" else []
        reply, said = front.checked(heard, request, "shell", "execute_reply", published)
        same(reply["status"], status, "status")
        if status == "error":
            told = {name: reply[name] for name in ("ename", "evalue", "traceback")}
            same(said[2].content, told, "error and reply")
            if not any("\x1b[" in line for line in told["traceback"]):
                raise Difference("a traceback without colours")


@row("shell", "execute_request: stop_on_error false")
def _(front):
    first = front.send("shell", "execute_request", {"code": 'panic!("go on")', "stop_on_error": False})
    second = front.send("shell", "execute_request", {"code": ":vars"})
    heard = front.finish(first, second)
    replies = [m.content["status"] for m in heard if m.type == "execute_reply"]
    same(replies, ["error", "ok"], "replies")
    same([m.is_under(first) for m in heard if m.type == "error"], [True], "error")


@row("shell", "100 cells queued")
def _(front):
    requests = [front.send("shell", "execute_request", {"code": ":vars", "silent": n % 2 == 0}) for n in range(100)]
    heard = front.finish(*requests)
    order = [m.parent["msg_id"] for m in heard if m.type == "execute_reply"]
    same(order, [request["header"]["msg_id"] for request in requests], "order of replies")
    idle = [m.parent["msg_id"] for m in heard if m.state == "idle"]
    same(idle, order, "order of idle")


@row("iopub", "stream: stdout, stderr")
def _(front):
    _, said = front.execute('println!("out"); eprintln!("err");', ["execute_input", "stream", "stream"])
    streams = {m.content["name"]: m.content["text"] for m in said if m.type == "stream"}
    same(streams, {"stdout": "out\n", "stderr": "err\n"}, "streams")


@row("iopub", "display_data, update_display_data")
def _(front):
    code = """let shown = show_mime([("text/html", "<b>1</b>"), ("application/json", "[1]")]);
shown.update([("text/html", "<b>2</b>")]);"""
    published = ["execute_input", "display_data", "update_display_data"]
    _, said = front.execute(code, published)
    first, second = said[2].content, said[3].content
    same(first["data"], {"text/html": "<b>1</b>", "application/json": [1]}, "data")
    same(first["transient"], second["transient"], "display_id")


@row("iopub", "clear_output")
def _(front):
    _, said = front.execute("clear_output(false); clear_output(true);", ["execute_input", "clear_output", "clear_output"])
    same([m.content["wait"] for m in said[2:4]], [False, True], "wait")


@row("stdin", "input_request, input_reply")
def _(front):
    code = 'print!("name? "); let mut line = String::new(); std::io::stdin().read_line(&mut line)?; line'
    request = front.send("shell", "execute_request", {"code": code, "allow_stdin": True})
    asked = front.until(lambda m: m.channel == "stdin")
    same(asked[-1].content, {"prompt": "name? ", "password": False}, "input_request")
    same(asked[-1].is_under(request), True, "its parent is the cell")
    front.send("stdin", "input_reply", {"value": "Ada"})
    heard = asked + front.finish(request)
    _, said = front.checked(heard, request, "shell", "execute_reply", ["execute_input", "execute_result"])
    same(said[2].content["data"]["text/plain"], '"Ada\\n"', "the line")


@row("stdin", "allow_stdin false")
def _(front):
    code = "let mut line = String::new(); std::io::stdin().read_line(&mut line)?;"
    reply, _ = front.execute(code, ["execute_input", "stream", "error"])
    same("takes no input" in reply["evalue"], True, "the reason")


@row("stdin", "allow_stdin, but nobody listens on stdin")
def _(front):
    code = "let mut line = String::new(); std::io::stdin().read_line(&mut line)?;"
    shell = front.manager.connect_shell(identity=b"a front end without stdin")
    try:
        request = front.session.msg("execute_request", {"code": code, "allow_stdin": True})
        front.session.send(shell, request)
        if not shell.poll(10_000):
            raise Difference("no reply within 10 s")
        reply = front.read("shell", shell)
        same("does not listen" in reply.content["evalue"], True, "the reason")
        front.finish(request, reply=False)
    finally:
        shell.close(0)


@row("shell", "inspect_request")
def _(front):
    for code, cursor, found in [("zebra_count", 4, True), ("no_such_name", 4, False), ("", 0, False)]:
        content = {"code": code, "cursor_pos": cursor, "detail_level": 0}
        reply, _ = front.exchange("shell", "inspect_request", content, "inspect_reply")
        same((reply["status"], reply["found"]), ("ok", found), code)
        same("text/plain" in reply["data"], found, "data")
    front.exchange("shell", "inspect_request", {"code": "zebra_count"}, "inspect_reply")


@row("shell", "complete_request")
def _(front):
    code = "let é = zebra_c"
    reply, _ = front.exchange("shell", "complete_request", {"code": code, "cursor_pos": len(code)}, "complete_reply")
    same(reply["matches"], ["zebra_count"], "matches")
    same((reply["cursor_start"], reply["cursor_end"]), (8, len(code)), "cursors count characters")
    reply, _ = front.exchange("shell", "complete_request", {"code": code}, "complete_reply")
    same(reply["matches"], ["zebra_count"], "without a cursor")


@row("shell", "is_complete_request")
def _(front):
    for code, status in [("1 + 1", "complete"), ("fn f() {", "incomplete"), ("let )", "invalid"), (":dep x\nuse x::", "unknown")]:
        reply, _ = front.exchange("shell", "is_complete_request", {"code": code}, "is_complete_reply")
        same(reply["status"], status, code)
        if status == "incomplete":
            same(reply["indent"], "    ", "indent")
        else:
            same("indent" in reply and reply["indent"] != "", False, "an indent of complete code")


@row("shell", "history_request: tail, range, search")
def _(front):
    def history(**content):
        reply, _ = front.exchange("shell", "history_request", {"raw": True} | content, "history_reply")
        return reply["history"]

    newest = history(hist_access_type="tail", n=1, output=False)
    session = newest[0][0]
    first = [session, 1, "1 + 1"]
    same(history(hist_access_type="range", session=session, start=1, stop=2, output=False), [first], "range")
    same(history(hist_access_type="range", session=0, start=1, stop=2, output=True), [[session, 1, ["1 + 1", "2"]]], "range, output")
    same(history(hist_access_type="search", pattern="1 + ?", n=1, unique=True, output=False), [first], "search")


@row("shell", "comm_info_request, comm_open, comm_msg, comm_close")
def _(front):
    def comms(**content):
        return front.exchange("shell", "comm_info_request", content, "comm_info_reply")[0]["comms"]

    same(comms(), {}, "no comm is open")
    target = {"target_name": "headwater.variables"}
    _, said = front.exchange("shell", "comm_open", {"comm_id": "panel", "data": {}} | target, None, ["comm_msg"])
    names = [variable["name"] for variable in said[1].content["data"]["variables"]]
    same("zebra_count" in names, True, "a variable")
    same(comms(**target), {"panel": target}, "open comms")
    same(comms(target_name="other"), {}, "open comms of another target")
    message = {"comm_id": "panel", "data": {"refresh": True}}
    _, said = front.exchange("shell", "comm_msg", message, None, ["comm_msg"], buffers=[b"\x00\xff"])
    same(said[1].buffers, [b"\x00\xff"], "buffers")
    front.exchange("shell", "comm_close", {"comm_id": "panel", "data": {}}, None)
    same(comms(), {}, "closed")


@row("shell", "comm_open for an unknown target")
def _(front):
    content = {"comm_id": "lost", "target_name": "nobody", "data": {}}
    _, said = front.exchange("shell", "comm_open", content, None, ["comm_close"])
    same(said[1].content["comm_id"], "lost", "comm_id")


@row("shell", "requests during a cell: busy again")
def _(front):
    cell = front.send("shell", "execute_request", {"code": "println!(\"go\"); for _ in 0..100 { headwater::streams::interrupt::check()?; std::thread::sleep(std::time::Duration::from_millis(20)); }"})
    front.until(lambda m: m.type == "stream")
    front.send("shell", "comm_info_request", {})
    heard = front.until(lambda m: m.state == "busy" and m.is_under(cell))
    states = [(m.state, m.is_under(cell)) for m in heard if m.channel == "iopub"]
    same(states, [("busy", False), ("idle", False), ("busy", True)], "states")
    stop = front.send("control", "interrupt_request", {})
    heard += front.finish(cell, stop)
    if not any(m.type == "comm_info_reply" for m in heard):
        heard += front.until(lambda m: m.type == "comm_info_reply")


@row("control", "interrupt_request")
def _(front):
    interrupted(front, lambda: front.send("control", "interrupt_request", {}))


@row("signal", "SIGINT")
def _(front):
    interrupted(front, lambda: os.kill(front.manager.provisioner.pid, signal.SIGINT))


def interrupted(front, interrupt):
    code = "println!(\"go\"); loop { headwater::streams::interrupt::check()?; std::thread::sleep(std::time::Duration::from_millis(5)); }"
    cell = front.send("shell", "execute_request", {"code": code})
    heard = front.until(lambda m: m.type == "stream")
    request = interrupt()
    heard += front.finish(*filter(None, [cell, request]))
    reply = [m.content for m in heard if m.type == "execute_reply"][0]
    same((reply["status"], reply["ename"]), ("error", "Interrupted"), "the cell")
    if request:
        answered = [m.content for m in heard if m.is_under(request) and m.channel == "control"]
        same(answered, [{"status": "ok"}], "interrupt_reply")
    result, _ = front.execute("zebra_count", ["execute_input", "execute_result"])
    same(result["status"], "ok", "variables are kept")


@row("control", "debug_request")
def _(front):
    content = {"type": "request", "command": "debugInfo", "seq": 1, "arguments": {}}
    reply, _ = front.exchange("control", "debug_request", content, "debug_reply")
    same((reply["success"], reply["status"]), (False, "error"), "refused")


@row("shell", "malformed content of a known request")
def _(front):
    requests = [("execute_request", {}), ("execute_request", {"code": 5}), ("complete_request", {"code": []}),
                ("inspect_request", {}), ("is_complete_request", {}), ("history_request", {"hist_access_type": "all"}),
                ("comm_info_request", {"target_name": 1}), ("shutdown_request", {"restart": "perhaps"})]
    for kind, content in requests:
        reply, _ = front.exchange("shell", kind, content, kind.replace("_request", "_reply"))
        same(reply["status"], "error", kind)


@row("all", "wrong HMAC, wrong delimiter, garbled frames")
def _(front):
    request = front.session.msg("shutdown_request", {"restart": False})
    frames = front.session.serialize(request)
    for channel in ("shell", "control", "stdin"):
        socket = front.sockets[channel]
        for broken in [
            [DELIMITER, b"0" * 64, *frames[2:]],
            [DELIMITER, b"no hexadecimal", *frames[2:]],
            [b"<IDS|MSH>", *frames[1:]],
            frames[:3], [DELIMITER], [b""], [b"\xff" * 1000],
            [DELIMITER, frames[1], b"{", *frames[3:]],
        ]:
            socket.send_multipart(broken)
    front.exchange("control", "kernel_info_request", {}, "kernel_info_reply")
    same(front.execute("1", ["execute_input", "execute_result"])[0]["status"], "ok", "it goes on")


@row("control", "shutdown_request: restart")
def _(front):
    reply, _ = front.exchange("control", "shutdown_request", {"restart": True}, "shutdown_reply")
    same(reply, {"status": "ok", "restart": True}, "shutdown_reply")
    ends(front)


@row("shell", "shutdown_request")
def _(front):
    other = Front()
    try:
        other.until(lambda m: m.state == "starting")
        reply, _ = other.exchange("shell", "shutdown_request", {"restart": False}, "shutdown_reply")
        same(reply, {"status": "ok", "restart": False}, "shutdown_reply")
        ends(other)
    finally:
        other.close()


def ends(front):
    deadline = time.monotonic() + 10
    while front.manager.is_alive():
        if time.monotonic() > deadline:
            raise Difference("the kernel still runs after 10 s")
        time.sleep(0.02)


def main():
    begun, differences = time.monotonic(), 0
    front = Front()
    try:
        for channel, message, check in ROWS:
            started = time.monotonic()
            try:
                check(front)
                result = "as specified"
            except (Difference, zmq.ZMQError, ValueError) as difference:
                differences += 1
                result = f"DIFFERENT: {difference}"
                if not isinstance(difference, Difference):
                    traceback.print_exc()
            print(f"{channel:8} {message:56} {time.monotonic() - started:5.1f} s  {result}", flush=True)
    finally:
        front.close()
    print(f"{len(ROWS)} rows, {differences} different, {time.monotonic() - begun:.0f} s")
    sys.exit(1 if differences or not ROWS else 0)


if __name__ == "__main__":
    main()
