"""Runs a program in a terminal of its own and plays a dialogue with it.

terminal.py DIALOGUE PROGRAM ARGUMENT…

A dialogue is a list of steps, one a line: `expect TEXT` waits until the terminal shows it, `type TEXT` types it
(Python escapes are read), `resize ROWS COLUMNS` makes the terminal another size, `end STATUS` waits until the program
ends with it.
"""

import errno
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

DEADLINE = 60


class Terminal:
    def __init__(self, command):
        self.shown = b""
        self.all = b""
        self.process, self.side = pty.fork()
        if self.process == 0:
            os.execvp(command[0], command)
        self.resize(24, 80)

    def resize(self, rows, columns):
        fcntl.ioctl(self.side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.kill(self.process, signal.SIGWINCH)

    def type(self, text):
        os.write(self.side, text.encode().decode("unicode_escape").encode("latin-1"))

    def read(self, deadline):
        """Whether there was something to read before the deadline; not at the end of the terminal."""
        while not select.select([self.side], [], [], 0.5)[0]:
            if time.monotonic() > deadline:
                self.fail("nothing more shown within the deadline")
            # A client does not hear of a size that came before it listened.
            os.kill(self.process, signal.SIGWINCH)
        try:
            more = os.read(self.side, 65536)
        except OSError as problem:
            if problem.errno != errno.EIO:
                raise
            more = b""
        self.shown += more
        self.all += more
        return bool(more)

    def expect(self, text):
        wanted = text.encode()
        deadline = time.monotonic() + DEADLINE
        while wanted not in self.shown:
            if not self.read(deadline):
                self.fail(f"the program ended before it showed {text!r}")
        self.shown = self.shown[self.shown.index(wanted) + len(wanted) :]

    def end(self, status):
        deadline = time.monotonic() + DEADLINE
        while self.read(deadline):
            pass
        _, ended = os.waitpid(self.process, 0)
        if os.waitstatus_to_exitcode(ended) != status:
            self.fail(f"the program ended with {os.waitstatus_to_exitcode(ended)}, not {status}")

    def fail(self, what):
        os.close(self.side)
        sys.exit(f"{what}; all that was shown: {self.all!r}")


def main():
    terminal = Terminal(sys.argv[2:])
    for step in sys.argv[1].splitlines():
        verb, _, argument = step.strip().partition(" ")
        if verb == "expect":
            terminal.expect(argument)
        elif verb == "type":
            terminal.type(argument)
        elif verb == "resize":
            terminal.resize(*map(int, argument.split()))
        elif verb == "end":
            terminal.end(int(argument))
            return
        elif verb:
            sys.exit(f"no step: {step}")
    sys.exit("the dialogue has no end")


main()
