# SPDX-License-Identifier: BSD-2-Clause
"""Ctrl-C and its like: they end a run by way of its cleaning up, and never that itself."""

import contextlib
import signal

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def arrange():
    """Has each of them raise KeyboardInterrupt, unless whoever started us had it ignored."""
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def ignore():
    """From now on they do nothing, nor to programs that are started: impatience must not leave a
    million files behind."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def undisturbed():
    """Puts them off until what must not be left half done is done. Programs that are started
    meanwhile need a session of their own, or a terminal's Ctrl-C reaches them."""
    told = []
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, lambda *_: told.append(True))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if told:
        raise KeyboardInterrupt
