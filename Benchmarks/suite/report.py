# SPDX-License-Identifier: BSD-2-Clause
"""The table: for each target what came of it, and every contender's times."""

import math

from suite.samples import quartiles


def duration(seconds):
    """In three figures."""
    for unit, scale in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
        value = seconds * scale
        if value >= 1:
            break
    return f"{value:.{max(0, 2 - int(math.log10(max(value, 1))))}f} {unit}"


def number(value):
    return f"{value:,.0f}"


def ratio(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def megabytes(kilobytes):
    """Of a million bytes, from the kernel's kilobytes of 1,024."""
    return f"{kilobytes * 1024 / 1e6:.1f} MB"


def spread(values, show):
    """A median, and the quartiles in brackets."""
    low, middle, high = quartiles(values)
    return f"{show(middle)} ({show(low)}–{show(high)})"


class Report:
    def __init__(self):
        self.verdicts = []
        self.contenders = []
        self.remarks = []

    def verdict(self, work, ours, peer, figure, target, met):
        """A target: what fpcache needed, what its peer did, the figure that is judged."""
        self.verdicts.append((work, ours, peer, figure, target, "met" if met else "**missed**"))

    def ratio(self, work, peer, samples, ours, theirs, at_most):
        """A target of the kind `at most so many times the peer's`."""
        values = samples.ratios(ours, theirs)
        self.verdict(
            work, duration(samples.median(ours)), f"{peer}: {duration(samples.median(theirs))}",
            spread(values, ratio), f"≤ {at_most:g}", quartiles(values)[1] <= at_most)

    def speedup(self, work, peer, samples, ours, theirs, at_least):
        """A target of the kind `at least so many times faster than the peer`."""
        values = samples.ratios(theirs, ours)
        self.verdict(
            work, duration(samples.median(ours)), f"{peer}: {duration(samples.median(theirs))}",
            f"{spread(values, ratio)} times faster", f"≥ {at_least:g} times faster",
            quartiles(values)[1] >= at_least)

    def samples(self, work, samples, show=duration, notes=None):
        """Every contender of a work, for whoever wants to judge the noise."""
        for name, values in samples.values.items():
            self.add_contender(work, name, values, show, (notes or {}).get(name, ""))

    def add_contender(self, work, name, values, show, note=""):
        low, middle, high = quartiles(values)
        self.contenders.append((
            work, name, show(middle), f"{show(low)}–{show(high)}",
            f"{show(min(values))}–{show(max(values))}", str(len(values)), note))

    def remark(self, text):
        self.remarks.append(text)

    def failed(self, row, failure):
        self.verdicts.append((f"`{row}`", "", "", "", "", f"**failed**: {failure.message}"))

    @property
    def misses(self):
        return sum(verdict[-1] != "met" for verdict in self.verdicts)

    def markdown(self, machine):
        lines = ["# fpcache's benchmark", ""]
        lines += [f"- {fact}" for fact in machine]
        lines += ["", "Medians, with quartiles in brackets. A ratio is the median of the rounds' "
                  "own ratios, contenders taking turns within each round.", "", "## Targets", ""]
        lines += table(["work", "fpcache", "peer", "measured", "target", ""], self.verdicts)
        lines += ["", "## Every contender", ""]
        lines += table(
            ["work", "contender", "median", "quartiles", "least–most", "n", "remark"],
            self.contenders)
        if self.remarks:
            lines += ["", "## Remarks", ""]
            lines += [f"- {remark}" for remark in self.remarks]
        return "\n".join(lines) + "\n"


def table(heads, rows):
    """A Markdown table whose columns stand below each other, so that it reads as it is."""
    cells = [heads] + [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row]
                       for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]

    def line(row):
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return [line(cells[0]), rule] + [line(row) for row in cells[1:]]
