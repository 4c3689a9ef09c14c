"""jupyter console: cells typed in a terminal."""

import os
import re
import sys

import pexpect

PATIENCE_SECONDS = 60
# What a terminal program paints: colours, movements, titles.
PAINT = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\x1b[=>]|\r")


class Console:
    """`jupyter console` on a terminal of its own."""

    def __init__(self, place):
        # Without it the console waits two seconds for a terminal to tell where its cursor is.
        surroundings = os.environ | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
        command = ["-m", "jupyter", "console", "--kernel", "headwater"]
        self.terminal = pexpect.spawn(
            sys.executable, command, env=surroundings, encoding="utf-8", timeout=PATIENCE_SECONDS, dimensions=(40, 120), cwd=place.own
        )
        self.seen = ""
        self.prompt(1)

    def prompt(self, number):
        """Waits until the console asks for cell `number`."""
        self.wait(rf"In \[{number}\]:")

    def wait(self, pattern):
        """Waits for a pattern in what is on the terminal, without its paint; returns what came before."""
        found = None
        try:
            while (found := re.search(pattern, self.seen)) is None:
                self.terminal.expect(r".+")
                self.seen += PAINT.sub("", self.terminal.after)
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            raise AssertionError(f"no `{pattern}` on the terminal ({type(error).__name__}):\n{self.seen[-1500:]}") from None
        before, self.seen = self.seen[: found.start()], self.seen[found.end() :]
        return before

    def type(self, text):
        self.terminal.send(text)

    def close(self):
        self.terminal.close(force=True)


def with_console(check):
    def run(place):
        console = Console(place)
        try:
            check(console)
        finally:
            console.close()

    run.__doc__ = check.__doc__
    return run


@with_console
def result(console):
    """Enter runs a cell and shows its result"""
    console.type("6 * 7\r")
    console.wait(r"Out\[1\]:\s*42")
    console.prompt(2)


@with_console
def unfinished_line(console):
    """Enter in an unfinished cell opens the next line, indented"""
    console.type("fn double(n: i32) -> i32 {\r")
    console.wait(r"\.\.\.:")
    console.type("2 * n\r")
    console.wait(r"\.\.\.:")
    console.type("}\r")
    console.prompt(2)
    console.type("double(21)\r")
    console.wait(r"Out\[2\]:\s*42")


@with_console
def error_in_colour(console):
    """a compile error points into the line, and the console goes on"""
    console.type("let n: i32 = true;\r")
    console.wait(r"mismatched types")
    console.prompt(2)
    console.type("1 + 1\r")
    console.wait(r"Out\[2\]:\s*2")


@with_console
def completion(console):
    """Tab completes the name of a variable"""
    console.type("let departures_count = 20;\r")
    console.prompt(2)
    console.type("departures_c\t")
    console.wait(r"departures_count")
    console.type(" + 1\r")
    console.wait(r"Out\[2\]:\s*21")


@with_console
def question(console):
    """read_line in a cell asks the person"""
    console.type('let mut name = String::new(); print!("your name: "); std::io::stdin().read_line(&mut name)?;\r')
    console.wait(r"your name:")
    console.type("Ada\r")
    console.prompt(2)
    console.type("name.trim().len()\r")
    console.wait(r"Out\[2\]:\s*3")


@with_console
def endless_loop(console):
    """Ctrl-C ends an endless loop with a message, and the console goes on"""
    console.type("println!(\"{}\", \"round\".repeat(2)); loop {}\r")
    console.wait(r"roundround")
    console.terminal.sendintr()
    console.wait(r"[Ii]nterrupt")
    console.prompt(2)
    console.type("1 + 1\r")
    console.wait(r"Out\[2\]:\s*2")


FRONT_ENDS = [("jupyter console", "jupyter-console", [result, unfinished_line, error_in_colour, completion, question, endless_loop])]
