# SPDX-License-Identifier: BSD-2-Clause
"""Contenders by turns, and what their times come to."""

import statistics


def quartiles(values):
    """The first quartile, the median and the third; of few values, the least and the greatest."""
    if len(values) < 4:
        return min(values), statistics.median(values), max(values)
    return tuple(statistics.quantiles(values, n=4, method="inclusive"))


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class Samples:
    """Seconds, or whatever was measured, of each contender, one for each round."""

    def __init__(self):
        self.values = {}

    def add(self, name, value):
        self.values.setdefault(name, []).append(value)

    def __getitem__(self, name):
        return self.values[name]

    def median(self, name):
        return statistics.median(self.values[name])

    def best(self, names):
        """The name with the least median."""
        return min(names, key=self.median)

    def ratios(self, over, under):
        """The ratio of each round: a busy minute hits both."""
        return [a / b for a, b in zip(self.values[over], self.values[under])]


def race(contenders, rounds, progress, show):
    """Runs each contender once a round; the order moves on by one, so that nobody always comes
    behind the same one. `show` makes text of a value."""
    samples = Samples()
    names = list(contenders)
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            samples.add(name, contenders[name]())
            progress(f"{turn + 1}/{rounds} {name}: {show(samples[name][-1])}")
    return samples
