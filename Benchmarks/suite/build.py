# SPDX-License-Identifier: BSD-2-Clause
"""Builds what is measured and what it is measured beside."""

import os
import subprocess

from suite.database import ROOT
from suite.failure import Failure
from suite.ground import progress

FLOOR = f"{ROOT}/.build/floor"


def floor():
    """The floor's programs.
    - Returns: the folder that holds them."""
    make("-C", "Benchmarks/floor", f"OUT={FLOOR}")
    return FLOOR


def fpcache():
    """The program that FPCACHE_BIN names, or else the release build of what is here.
    - Returns: its path."""
    named = os.environ.get("FPCACHE_BIN")
    if not named:
        progress("building the release program")
        make("build")
    path = named or f"{ROOT}/.build/release/fpcache"
    if not os.access(path, os.X_OK) or os.path.isdir(path):
        raise Failure(f"there is no program {path}", "FPCACHE_BIN=path/to/fpcache, or none of it")
    return path


def make(*arguments):
    """Runs make, whose words are shown only if it fails."""
    # Flags of the make that runs us are not for this one.
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    result = subprocess.run(["make", *arguments], cwd=ROOT, env=environment, text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)
    if result.returncode != 0:
        raise Failure(f"a build failed:\n{result.stdout}", f"by hand: make {' '.join(arguments)}")
