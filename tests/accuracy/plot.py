"""A plot as SVG: how large a share of the durations is off by at most so much, by kind of witness."""

import math
from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 736, 56, 356
MOST_MS = 10_000
TICKS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000)
LINES = (
    ("WEB_PHONE", "web phone", "#0b6e4f", ""),
    ("TELEPHONY_SESSION", "telephony session", "#1f4e9c", "7 3"),
    ("ACTIVE_CALL", "active call", "#c2410c", "2 3"),
    ("RINGOUT", "ringout", "#7c3aed", "9 3 2 3"),
)


def plot(errors: Mapping[str, Sequence[int]], title: str) -> str:
    """Return the drawing; errors are absolute, in milliseconds."""
    drawn = [(name, label, colour, dash) for name, label, colour, dash in LINES if errors.get(name)]
    parts = [*_frame(title), *(_line(sorted(errors[name]), colour, dash) for name, _, colour, dash in drawn)]
    for row, (name, label, colour, dash) in enumerate(drawn):
        y = BOTTOM - 22 - 20 * (len(drawn) - 1 - row)
        parts.append(f'<line x1="{RIGHT - 236}" y1="{y - 4}" x2="{RIGHT - 204}" y2="{y - 4}" {_stroke(colour, dash)}/>')
        parts.append(f'<text x="{RIGHT - 196}" y="{y}">{label} ({len(errors[name]):,})</text>')
    return "\n".join([*parts, "</svg>", ""])


def _stroke(colour: str, dash: str) -> str:
    return f'stroke="{colour}" stroke-width="2.5" stroke-dasharray="{dash}"'


def _x(milliseconds: float) -> float:
    return LEFT + (RIGHT - LEFT) * math.log10(min(MOST_MS, max(1.0, milliseconds))) / math.log10(MOST_MS)


def _y(share: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * share


def _frame(title: str) -> list[str]:
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="system-ui, sans-serif" font-size="13" fill="#222">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="30" font-size="16" font-weight="600">{title}</text>',
    ]
    for tick in TICKS:
        label = f"{tick // 1000} s" if tick >= 1000 else f"{tick} ms"
        parts.append(f'<line x1="{_x(tick):.1f}" y1="{TOP}" x2="{_x(tick):.1f}" y2="{BOTTOM}" stroke="#e5e5e5"/>')
        parts.append(f'<text x="{_x(tick):.1f}" y="{BOTTOM + 20}" text-anchor="middle">{label}</text>')
    for share in (0, 0.25, 0.5, 0.75, 1):
        parts.append(f'<line x1="{LEFT}" y1="{_y(share):.1f}" x2="{RIGHT}" y2="{_y(share):.1f}" stroke="#e5e5e5"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{_y(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>')
    parts.append(f'<text x="{(LEFT + RIGHT) / 2}" y="{BOTTOM + 46}" text-anchor="middle">off by at most</text>')
    return parts


def _line(errors: Sequence[int], colour: str, dash: str) -> str:
    """Draw the share of errors up to each of 200 places on the axis."""
    points = []
    index = 0
    for step in range(201):
        edge = MOST_MS ** (step / 200)
        while index < len(errors) and errors[index] <= edge:
            index += 1
        points.append(f"{_x(edge):.1f},{_y(index / len(errors)):.1f}")
    return f'<polyline fill="none" {_stroke(colour, dash)} points="{" ".join(points)}"/>'
