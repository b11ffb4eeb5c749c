"""The door of the command ``chainrule``: how signals end it, heeded before anything is imported.

It stands beside the package because importing anything of chainrule imports NumPy first, which
takes a while.  What is slow to hear is not asked: in a long call of a library Python hears no
signal, so a thread listens, and ends the command as long as it has nothing to lose.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

ASK_TO_END = [
    signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
GRACE = 0.05  # seconds in which Python itself may hear a signal
RARELY = 1000  # collections of younger objects before one of all, in place of 10
NOTHING_SAVED = "interrupted: nothing was saved"
SHOW_CURSOR = b"\x1b[?25h\n"  # a bar that moves hides it
heard: list[signal.Signals] = []  # the signals that asked this process to end
terminals: list[int] = []  # of stdout and stderr, those that are one
done: list[int] = []  # the exit code of the command, once its work is done
can_unwind = threading.Event()  # a KeyboardInterrupt is caught, and clears up what was begun
at_stake = threading.Event()  # there is something to save before the end


def main() -> None:
    """Run the command."""
    heed_signals()
    # A full collection goes through all that is imported, for 0.1 s in which no signal is heard
    gc.set_threshold(*gc.get_threshold()[:2], RARELY)
    from chainrule.commands.app import main

    main()


def heed_signals() -> None:
    """Let SIGTERM and SIGHUP end a command as Ctrl-C does, and a second Ctrl-C at once.

    A signal that the process was started to ignore, as by nohup, stays ignored.
    """
    if any(signal.getsignal(number) is _hear for number in ASK_TO_END):
        return
    terminals.extend(stream for stream in (1, 2) if os.isatty(stream))
    _let_them(_hear)
    atexit.register(_let_them, signal.SIG_IGN)  # the last to be called: nothing can last after it
    come, signals = os.pipe()
    os.set_blocking(signals, False)
    signal.set_wakeup_fd(signals, warn_on_full_buffer=False)
    with suppress(RuntimeError):  # where no thread can be started, Python alone hears them
        threading.Thread(target=_listen, args=(come,), daemon=True).start()


def _let_them(be_heard: Callable[..., Any] | signal.Handlers) -> None:
    for number in ASK_TO_END:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, be_heard)


def _hear(number: int, frame: object) -> None:
    if done:
        os._exit(done[0])
    first = not heard
    _take_in(number)
    if first and can_unwind.is_set():
        raise KeyboardInterrupt(*by_name())
    if first:
        _end_with_nothing()
    if number == signal.SIGINT:
        if 2 in terminals:
            os.write(2, SHOW_CURSOR)
        if spool := sys.modules.get("chainrule.engine.spool"):
            for left in [left for left in list(spool.made) if left.remove.alive]:
                with suppress(OSError):
                    os.write(2, f"chainrule: left behind: {left.folder}\n".encode())
        os._exit(interrupted())


def _listen(come: int) -> None:
    """End the command when a signal comes that Python hears late or never, if nothing is lost."""
    while True:
        number = os.read(come, 1)[0]
        time.sleep(GRACE)
        if done:
            os._exit(done[0])
        if not heard and not at_stake.is_set() and signal.getsignal(number) is _hear:
            _take_in(number)
            _end_with_nothing()


def _take_in(number: int) -> None:
    heard.append(signal.Signals(number))
    if heard[-1].name == "SIGHUP":  # the terminal is gone, and writing to it would fail
        for stream in terminals:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)


def _end_with_nothing() -> NoReturn:
    with suppress(OSError):
        os.write(2, f"chainrule: {NOTHING_SAVED}\n".encode())
    os._exit(interrupted())


def by_name() -> tuple[str, ...]:
    """Return what ended the command, unless it was Ctrl-C."""
    return () if heard[0] == signal.SIGINT else (heard[0].name,)


def interrupted() -> int:
    """Return the exit code of a command that a signal has ended: 130 for Ctrl-C."""
    return 128 + (heard[0] if heard else signal.SIGINT)


def leave_if_asked(code: object = None) -> None:
    """End the process at once if a signal has asked for it: Python takes a while to clear up."""
    if heard:
        if cores := sys.modules.get("chainrule.engine.cores"):
            cores.end_processes()
        _flush()
        os._exit(code if isinstance(code, int) else interrupted())


def no_longer_heed(code: object) -> None:
    """Let a signal only hasten the end while Python clears up: what was asked is done.

    The exit code is that of what was done.
    """
    _flush()
    done.append(code if isinstance(code, int) else int(code is not None))


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
