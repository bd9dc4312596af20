# SPDX-License-Identifier: BSD-2-Clause
"""A picture of what a Prometheus has recorded, drawn by gnuplot: some panels of the dashboard, and when each fault began."""

import json
import subprocess
import urllib.parse
import urllib.request

STEP = 3
# Title, unit and curves: (query, name). Queries are the dashboard's, with one machine and a short interval.
PANELS = [
    ("State: 0 other, 1 listening, 2 draining, 3 refused, 4 disconnected", "",
     [("sum(fpcache_listener_state{state=\"listening\"}) + 2 * sum(fpcache_listener_state{state=\"draining\"})"
       " + 3 * sum(fpcache_listener_state{state=\"refused\"})"
       " + 4 * sum(fpcache_listener_state{state=\"disconnected\"})", "")]),
    ("Rows retired and files removed, a second (log scale)", "log",
     [("rate(fpcache_listener_rows_retired_total[10s])", "rows"),
      ("rate(fpcache_listener_files_removed_total[10s])", "files")]),
    ("Rows in the queue of ports at the last poll, rows to retry (log scale)", "log",
     [('fpcache_listener_queue_rows{queue="cache_clearing_ports"}', "rows"),
      ("fpcache_listener_retry_rows", "to retry")]),
    ("Seconds since health was proved", "",
     [("time() - (fpcache_listener_healthy_timestamp_seconds > 0)", "")]),
]


def values(address, query, start, end):
    """Times and values of a query's first series."""
    question = urllib.parse.urlencode({"query": query, "start": start, "end": end, "step": STEP})
    with urllib.request.urlopen(f"{address}/api/v1/query_range?{question}") as answer:
        result = json.load(answer)["data"]["result"]
    return [(float(time) - start, float(value)) for time, value in (result[0]["values"] if result else [])]


def draw(address, start, end, marks, path):
    """Draws from `start` to `end` (seconds since 1970). `marks`: times, and what began then."""
    script = [f'set terminal svg size 900,{170 * len(PANELS) + 40} font "sans-serif,11" background "white"',
              f'set output "{path}"', f"set multiplot layout {len(PANELS)},1 margins 0.08,0.98,0.05,0.97 spacing 0,0.06",
              f"set xrange [0:{end - start}]", "set grid", "set key top right", "set ytics nomirror"]
    for index, (time, _) in enumerate(marks):
        script.append(f'set arrow {index + 1} from {time - start}, graph 0 to {time - start}, graph 1 nohead lc rgb "#c0c0c0" dt 2')
    for index, (title, scale, curves) in enumerate(PANELS):
        script += [f'set title "{title}" offset 0,-0.7', "set logscale y" if scale == "log" else "unset logscale",
                   "set yrange [0.1:*]" if scale == "log" else "set yrange [0:*]"]
        if index == 0:
            script += [f'set label {n + 1} "{n + 1}" at {time - start + 1}, graph 0.93 tc rgb "#606060"'
                       for n, (time, _) in enumerate(marks)]
        if index == 1:
            script += [f"unset label {n + 1}" for n in range(len(marks))]
        if index == len(PANELS) - 1:
            script.append('set xlabel "seconds" offset 0,0.6')
        plots = [f'"-" with {"steps" if index == 0 else "lines"} lw 1.5 title "{name}"' if name
                 else f'"-" with {"steps" if index == 0 else "lines"} lw 1.5 notitle' for _, name in curves]
        script.append("plot " + ", ".join(plots))
        for query, _ in curves:
            points = values(address, query, start, end) or [(0, 0)]
            script += [f"{time:g} {value:g}" for time, value in points] + ["e"]
    subprocess.run(["gnuplot"], input="\n".join(script) + "\n", text=True, check=True)
