# SPDX-License-Identifier: BSD-2-Clause
"""The listeners that are compared: fpcache, the old shape in Python, the floor in C."""

import os
import sys

from suite.programs import Daemon


def fpcache_listener(ground, tree, database, log=None, options=()):
    """As a site runs it: the second clear and its list on the disk included."""
    state = ground.path("state")
    os.mkdir(state)
    return Daemon(
        [ground.fpcache, "listen", "--cache-dir", tree, "--state-dir", state,
         "--dsn", database.listener, *options], log)


def old_listener(tree, database, log=None):
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "old_listener.py")
    return Daemon([sys.executable, "-B", script, tree, database.listener], log)


def floor_listener(ground, tree, database, log=None):
    return Daemon([f"{ground.floor}/listen", tree, database.listener], log)
