# SPDX-License-Identifier: BSD-2-Clause
"""What the suite cannot go on after: what failed, and what to try."""


class Failure(Exception):
    def __init__(self, message, advice):
        super().__init__(message)
        self.message = message
        self.advice = advice
