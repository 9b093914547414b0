#!/usr/bin/env python3
"""Draws the plots of this folder from results of `knack sim sweep` and `knack sim run`.

  plot.py recall-under-attack.svg 'sybils around the commonest skills=DIR' 'censors=DIR' ...   folders of sweeps over a share of attackers
  plot.py load.svg '1,000 nodes=DIR' ...                                                      folders of runs

Shares of a sweep are of the honest nodes; the plot says how many they are of all. Bands are 95 % intervals over five seeds.
"""

import csv
import statistics
import sys
from collections import defaultdict
from pathlib import Path

COLOURS = ["#D55E00", "#0072B2", "#009E73", "#CC79A7"]
LEFT, RIGHT, TOP, BOTTOM = 72, 928, 54, 490
T_95 = {3: 4.303, 4: 3.182, 5: 2.776, 10: 2.262, 20: 2.093}


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def frame(title, height, x_name, y_name, ticks):
    out = [
        f'<svg role="img" aria-label="{title}" width="960" height="{height}" viewBox="0 0 960 {height}" '
        'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" fill="#282828">',
        f'<rect width="960" height="{height}" fill="#FFFFFF"/><text x="18" y="31" font-size="16">{title}</text>',
    ]
    for at, name in ticks["x"]:
        out.append(f'<path d="M{at:.0f} {TOP}V{BOTTOM}" stroke="#D6D6D6"/>')
        out.append(f'<text x="{at:.0f}" y="508" font-size="12" text-anchor="middle">{name}</text>')
    for at, name in ticks["y"]:
        out.append(f'<path d="M{LEFT} {at:.0f}H{RIGHT}" stroke="#D6D6D6"/>')
        out.append(f'<text x="63" y="{at + 4:.0f}" font-size="12" text-anchor="end">{name}</text>')
    out.append(f'<path d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}" fill="none" stroke="#282828"/>')
    out.append(f'<text x="500" y="534" font-size="13.5" text-anchor="middle">{x_name}</text>')
    out.append(
        f'<text transform="translate(24 272) rotate(-90)" font-size="13.5" text-anchor="middle">{y_name}</text>'
    )
    return out


def line(points, colour):
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline fill="none" stroke="{colour}" stroke-width="2.5" points="{path}"/>'


def key(x, y, colour, name, dashed=False):
    dash = ' stroke-dasharray="5 4"' if dashed else ' '
    return (
        f'<path d="M{x} {y}h26" stroke="{colour}" stroke-width="3"{dash.rstrip()}/>'
        f'<text x="{x + 34}" y="{y + 4}" font-size="13">{name}</text>'
    )


def recall(sources):
    x = lambda share: 96 + 19.81 * share
    y = lambda value: 478 - 408 * value
    ticks = {
        "x": [(x(share), share) for share in (0, 10, 20, 30, 40)],
        "y": [(y(n / 5), f"{n / 5:g}") for n in range(6)],
    }
    title = "Recall@10 of searches in cells, by share of hostile nodes"
    out = frame(title, 600, "hostile nodes, of all nodes (%)", "recall@10, mean (share)", ticks)
    for place, (name, folder) in enumerate(sources):
        colour, by_share = COLOURS[place], defaultdict(list)
        for row in rows(folder / "runs.csv"):
            (swept,) = [name for name in row if name.startswith("adversaries.")]
            of_honest = float(row[swept].rstrip(" %")) / 100
            by_share[round(100 * of_honest / (1 + of_honest), 1)].append(float(row["recall_mean"]))
        points = []
        for share, values in sorted(by_share.items()):
            mean = statistics.mean(values)
            half = T_95[len(values)] * statistics.stdev(values) / len(values) ** 0.5
            points.append((x(share), y(mean)))
            top, bottom = y(min(1, mean + half)), y(max(0, mean - half))
            out.append(f'<path d="M{x(share):.1f} {top:.1f}V{bottom:.1f}" stroke="{colour}" stroke-width="1.5"/>')
        out.append(line(points, colour))
        out += [f'<circle cx="{at:.1f}" cy="{up:.1f}" r="5" fill="{colour}"/>' for at, up in points]
        out.append(key(92 + 430 * (place % 2), 556 + 22 * (place // 2), colour, name))
    return out


def load(sources):
    x = lambda share: LEFT + 844 * share
    y = lambda share: BOTTOM - 422 * share
    ticks = {
        "x": [(x(n / 5), f"{n / 5:g}") for n in range(6)],
        "y": [(y(n / 5), f"{n / 5:g}") for n in range(6)],
    }
    title = "How evenly messages reach nodes that keep cells, in an hour (Lorenz curve)"
    out = frame(title, 560, "nodes, least loaded first (share of all)", "messages received (share of all)", ticks)
    out.append(f'<path d="M{x(0)} {y(0)}L{x(1)} {y(1)}" stroke="#888888" stroke-dasharray="5 4"/>')
    for place, (name, folder) in enumerate(sources):
        counts = sorted(int(row["messages"]) for row in rows(folder / "load.csv"))
        total, nodes, so_far, sums = sum(counts), len(counts), 0, [0]
        for count in counts:
            so_far += count
            sums.append(so_far)
        points = [(x(n / 200), y(sums[round(nodes * n / 200)] / total)) for n in range(201)]
        gini = 1 - sum(sums[n] + sums[n + 1] for n in range(nodes)) / total / nodes
        out.append(line(points, COLOURS[place]))
        told = f"{name}: Gini {gini:.2f}, mean {total / nodes:,.0f}, most {counts[-1]:,} messages"
        out.append(key(102, 90 + 21 * place, COLOURS[place], told))
    out.append(key(102, 90 + 21 * len(sources), "#888888", "all alike", dashed=True))
    return out


def main():
    if len(sys.argv) < 3 or any("=" not in argument for argument in sys.argv[2:]):
        sys.exit(__doc__)
    target = Path(sys.argv[1])
    sources = [(name, Path(folder)) for name, _, folder in (a.partition("=") for a in sys.argv[2:])]
    draw = load if target.name.startswith("load") else recall
    target.write_text("\n".join(draw(sources)) + "\n</svg>\n")


main()
