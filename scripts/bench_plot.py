"""The plot of docs/performance.md, from the rows of its tables. Its colors are on a ground of its own, for light pages and dark."""

import math
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT = 860, 300, 40
BAR, GAP = 18, 7
GREY, BLUE, ORANGE, GREEN = "#7a828e", "#0b62c4", "#c2570c", "#1a7f37"
INK, PALE, GROUND = "#1f2328", "#d5d9df", "#ffffff"


def text(x, y, words, anchor="start", size=13, fill=INK, weight="normal"):
    return (f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-size="{size}" fill="{fill}" '
            f'font-weight="{weight}">{escape(words)}</text>')


def line(x1, y1, x2, y2, color=PALE, width=1):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" stroke-width="{width}"/>'


def step_of(most):
    """A round distance between some six marks."""
    rough = most / 6
    power = 10 ** math.floor(math.log10(rough))
    return next(power * times for times in (1, 2, 5, 10) if power * times >= rough)


def bars(top, title, rows):
    """rows: (label, microseconds, ratio to the first, color)."""
    parts = [text(20, top + 22, title, size=15, weight="bold")]
    most = max(value for _, value, _, _ in rows)
    scale = (WIDTH - LEFT - RIGHT - 120) / most
    start, end = top + 44, top + 44 + len(rows) * (BAR + GAP)
    step = step_of(most)
    for mark in range(int(most / step) + 1):
        x = LEFT + mark * step * scale
        parts += [line(x, start - 4, x, end), text(x, end + 14, f"{mark * step:g}", "middle", 12, GREY)]
    for at, (label, value, ratio, color) in enumerate(rows):
        y = start + at * (BAR + GAP)
        parts.append(text(LEFT - 10, y + 14, label, "end"))
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{value * scale:.1f}" height="{BAR}" fill="{color}"/>')
        parts.append(text(LEFT + value * scale + 8, y + 14, f"{value:.1f} µs, {ratio:.2f} of bare"))
    parts.append(text(LEFT, end + 32, "CPU time of the server per request, in microseconds", size=12, fill=GREY))
    return parts, end + 46


def curves(top, title, names, series):
    """names: labels along the axis, with bytes; series: (label, color, (bytes, ratio) of each point)."""
    left, right, height = 70, WIDTH - 190, 220
    parts = [text(20, top + 22, title, size=15, weight="bold")]
    start, end = top + 44, top + 44 + height
    most = max(1.0, *(value for _, _, points in series for _, value in points)) * 1.1
    least_log, most_log = math.log(names[0][1]), math.log(names[-1][1])

    def x_of(size):
        return left + (math.log(size) - least_log) / max(most_log - least_log, 1e-9) * (right - left)

    def y_of(value):
        return end - value / most * height

    step = step_of(most)
    for mark in range(int(most / step) + 1):
        y = y_of(mark * step)
        parts += [line(left, y, right, y), text(left - 8, y + 4, f"{mark * step:g}", "end", 12, GREY)]
    parts.append(line(left, y_of(1), right, y_of(1), GREY, 1.5))
    for label, size in names:
        parts.append(text(x_of(size), end + 18, label, "middle", 12, GREY))
    for label, color, points in series:
        dots = [(x_of(size), y_of(value)) for size, value in points]
        parts.append('<polyline points="' + " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
                     + f'" fill="none" stroke="{color}" stroke-width="2.5"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{color}"/>' for x, y in dots]
    # Each has its name beside its end, below the one before.
    lowest = -math.inf
    for y, x, label, color in sorted((y_of(points[-1][1]), x_of(points[-1][0]), label, color) for label, color, points in series):
        lowest = max(y + 4, lowest + 16)
        parts.append(text(x + 10, lowest, label, fill=color, weight="bold"))
    parts.append(text(left, end + 38, "size of the body, on a logarithmic scale; upward, CPU time as a ratio (1 is as much)", size=12, fill=GREY))
    return parts, end + 52


def svg(panels):
    """panels: functions of the top that return parts and the bottom."""
    parts, top = [], 10
    for panel in panels:
        more, top = panel(top)
        parts += more
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}" '
            f'font-family="system-ui, sans-serif" role="img"><title>What a delivery costs</title>'
            f'<rect width="{WIDTH}" height="{top}" rx="6" fill="{GROUND}" stroke="{PALE}"/>')
    return "\n".join([head, *parts, "</svg>"]) + "\n"
