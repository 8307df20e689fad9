#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""plot.py FILE.tsv FOLDER - draws what a benchmark wrote: of choosing.tsv FOLDER/choosing-bytes.svg and
choosing-cpu.svg, of NAME.tsv FOLDER/performance-NAME.svg.

The colours are of middle lightness, so that all pictures can be read on white and on black.
"""

import csv
import math
import sys

WIDTH, HEIGHT = 360, 230  # of a panel
LEFT, TOP, GAP_X, GAP_Y = 64, 84, 76, 74

STYLES = {
    "stream + new connections": ("#d1620b", "", "square"),
    "stream + kept connection": ("#b8860b", "6 3", "circle"),
    "answers as streams": ("#2e8b57", "2 3", "diamond"),
    "WebSocket": ("#2f7fd0", "", "circle"),
    "WebSocket, compressed": ("#a05bc8", "6 3", "square"),
}
PANELS = (
    ("chat", "chat: a prompt, 50 tokens back"),
    ("room", "room: a line said, ten heard"),
    ("game", "game: keys up, the state down"),
    ("notifications", "notifications: nothing up"),
)
PICTURES = (
    ("choosing-bytes.svg", "wire_bytes", 1, "Bytes on the wire for each exchange", "bytes"),
    ("choosing-cpu.svg", "cpu_ns", 1000, "CPU time of the server for each exchange", "microseconds"),
)
HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img"
 font-family="Helvetica, Arial, sans-serif" font-size="12">
<title>{title}</title>
<style>
text {{ fill: #6e7781 }} .title {{ font-size: 15px; font-weight: bold }} .panel {{ font-weight: bold }}
.grid {{ stroke: #808890; stroke-opacity: .3 }} .frame {{ stroke: #808890; fill: none }}
</style>
"""


def ticks(low, high):
    """Round numbers that lie between: 1, 2, 3, 5 and 7 times the powers of ten."""
    found = []
    for power in range(int(math.floor(math.log10(low))), int(math.ceil(math.log10(high))) + 1):
        found += [m * 10**power for m in (1, 2, 3, 5, 7) if low <= m * 10**power <= high]
    return found


def around(values):
    """A range that holds the values and begins and ends at a tick."""
    low, high = min(values) / 1.02, max(values) * 1.02
    return max(t for t in ticks(low / 10, low)), min(t for t in ticks(high, high * 10))


def scale(value, low, high, length):
    return (math.log10(value) - math.log10(low)) / (math.log10(high) - math.log10(low)) * length


def marker(shape, x, y, colour):
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="{colour}"/>'
    turn = f' transform="rotate(45 {x:.1f} {y:.1f})"' if shape == "diamond" else ""
    return f'<rect x="{x - 2.8:.1f}" y="{y - 2.8:.1f}" width="5.6" height="5.6" fill="{colour}"{turn}/>'


def line(points, way):
    colour, dash, shape = STYLES[way]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"{dashes}/>'
    for x, y in points:
        yield marker(shape, x, y, colour)


def panel(x0, y0, title, unit, curves):
    values = [value for curve in curves.values() for _, value in curve]
    low, high = around(values)
    yield f'<text class="panel" x="{x0}" y="{y0 - 9}">{title}</text>'
    for tick in ticks(low, high):
        y = y0 + HEIGHT - scale(tick, low, high, HEIGHT)
        yield f'<line class="grid" x1="{x0}" x2="{x0 + WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{x0 - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:,.0f}</text>'
    for tick in (1, 10, 100, 1000):
        x = x0 + scale(tick, 1, 1000, WIDTH)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{y0}" y2="{y0 + HEIGHT}"/>'
        yield f'<text x="{x:.1f}" y="{y0 + HEIGHT + 16}" text-anchor="middle">{tick}</text>'
    yield f'<rect class="frame" x="{x0}" y="{y0}" width="{WIDTH}" height="{HEIGHT}"/>'
    yield f'<text x="{x0 + WIDTH / 2}" y="{y0 + HEIGHT + 32}" text-anchor="middle">exchanges in a visit</text>'
    middle = y0 + HEIGHT / 2
    yield (
        f'<text x="{x0 - 50}" y="{middle}" text-anchor="middle" '
        f'transform="rotate(-90 {x0 - 50} {middle})">{unit}</text>'
    )
    for way, curve in curves.items():
        points = [(x0 + scale(n, 1, 1000, WIDTH), y0 + HEIGHT - scale(v, low, high, HEIGHT)) for n, v in curve]
        yield from line(points, way)


def legend(ways):
    x, y = LEFT, 44
    for way in ways:
        yield from line([(x, y - 4), (x + 20, y - 4)], way)
        yield f'<text x="{x + 28}" y="{y}">{way}</text>'
        x += 44 + 6.2 * len(way)


def picture(rows, column, divisor, title, unit):
    width, height = LEFT + 2 * WIDTH + GAP_X + 16, TOP + 2 * HEIGHT + GAP_Y + 44
    yield HEAD.format(w=width, h=height, title=title)
    yield f'<text class="title" x="{LEFT}" y="22">{title}</text>'
    present = [way for way in STYLES if any(row["way"] == way for row in rows)]
    yield from legend(present)
    for i, (scene, name) in enumerate(PANELS):
        curves = {}
        for way in present:
            curve = [
                (int(row["n"]), float(row[column]) / divisor)
                for row in rows
                if row["scene"] == scene and row["way"] == way
            ]
            if curve:
                curves[way] = curve
        if curves:
            x0, y0 = LEFT + i % 2 * (WIDTH + GAP_X), TOP + i // 2 * (HEIGHT + GAP_Y)
            yield from panel(x0, y0, name, unit, curves)
    yield "</svg>"


# ---- Bars: who takes how many times as long -------------------------------------------------------

BARS = {
    "weir": "#2f7fd0",
    "ws_echo_server": "#2f7fd0",
    "limit": "#808890",
    "memchr loop": "#808890",
    "wslay": "#d1620b",
    "echo_wslay": "#d1620b",
    "wslay, frames": "#b8860b",
    "beast": "#2e8b57",
    "echo_beast": "#2e8b57",
    "websocketpp": "#a05bc8",
    "echo_websocketpp": "#a05bc8",
    "snprintf": "#b8860b",
    "eventsource-parser": "#a05bc8",
}
BAR_HEIGHT, BAR_WIDTH, BAR_LEFT = 11, 520, 190
BAR_TITLES = {
    "websocket": "Frames: time as a multiple of weir's",
    "handshake": "The opening handshake: time as a multiple of weir's",
    "streams": "Event streams: time as a multiple of weir's",
    "echo": "Echo over the loopback: the server's CPU time as a multiple of weir's",
}


def multiples(rows):
    """(group, row, [(column, multiple of weir's time)]), in the order of the file."""
    tables = {}
    for group, row, column, value in rows:
        tables.setdefault((group, row), []).append((column, float(value)))
    for (group, row), cells in tables.items():
        own = next((v for c, v in cells if c in ("weir", "ws_echo_server")), None)
        if own is None:
            continue
        rate = "MB/s" in group
        yield group, row, [(c, own / v if rate else v / own) for c, v in cells if c in BARS]


def bars(name, rows):
    tables = list(multiples(rows))
    columns = [c for c in BARS if any(c == column for _, _, cells in tables for column, _ in cells)]
    low, high = 0.25, max(m for _, _, cells in tables for _, m in cells) * 1.05
    groups = len({group for group, _, _ in tables})
    height = 70 + sum(BAR_HEIGHT * len(cells) + 8 for _, _, cells in tables) + 26 * groups
    yield HEAD.format(w=BAR_LEFT + BAR_WIDTH + 70, h=height, title=BAR_TITLES[name])
    yield f'<text class="title" x="16" y="22">{BAR_TITLES[name]}</text>'
    x = 16
    for column in columns:
        yield f'<rect x="{x}" y="33" width="10" height="10" fill="{BARS[column]}"/>'
        yield f'<text x="{x + 14}" y="42">{column}</text>'
        x += 30 + 6.4 * len(column)
    y, last = 52, None
    bottom = height - 8
    for tick in (t for t in (0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200) if t < high):
        at = BAR_LEFT + scale(tick, low, high, BAR_WIDTH)
        yield f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="52" y2="{bottom}"/>'
        yield f'<text x="{at:.1f}" y="{bottom + 6}" font-size="9" text-anchor="middle">{tick:g}x</text>'
    for group, row, cells in tables:
        if group != last:
            y += 22
            yield f'<text class="panel" x="16" y="{y}">{group.split(",")[0].split(" (")[0]}</text>'
            y += 4
            last = group
        yield f'<text x="{BAR_LEFT - 8}" y="{y + BAR_HEIGHT * len(cells) / 2 + 4:.1f}" text-anchor="end">{row}</text>'
        for column, multiple in cells:
            width = scale(max(multiple, low), low, high, BAR_WIDTH)
            yield (
                f'<rect x="{BAR_LEFT}" y="{y}" width="{width:.1f}" height="{BAR_HEIGHT - 2}" '
                f'fill="{BARS[column]}"/>'
            )
            yield f'<text x="{BAR_LEFT + width + 4:.1f}" y="{y + BAR_HEIGHT - 2}" font-size="9">{multiple:.2g}</text>'
            y += BAR_HEIGHT
        y += 8
    yield "</svg>"


def write(path, lines):
    with open(path, "w", encoding="utf-8") as file:
        for text in lines:
            file.write(text if text.endswith("\n") else text + "\n")
    print(path)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    path, folder = sys.argv[1], sys.argv[2]
    name = path.rsplit("/", 1)[-1].removesuffix(".tsv")
    with open(path, encoding="utf-8", newline="") as file:
        if name in BAR_TITLES:
            write(f"{folder}/performance-{name}.svg", bars(name, list(csv.reader(file, delimiter="\t"))))
            return
        rows = list(csv.DictReader(file, delimiter="\t"))
    for name, column, divisor, title, unit in PICTURES:
        write(f"{folder}/{name}", picture(rows, column, divisor, title, unit))


main()
