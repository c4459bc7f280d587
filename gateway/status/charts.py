"""The charts of the status page: samples to SVG.

The pictures carry no style of their own but classes (status.css), so that they follow the page into the dark.
Each has `<title>` and `<desc>` for who cannot see it, and its numbers in `data-` attributes for the script that
shows the value under the pointer. The x axis tells how long ago, which is true in every time zone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple, Protocol

from gateway.measure.series import Sample, quantile, together
from gateway.status.axis import Scale, levels, logarithmic

WIDTH, HEIGHT = 360, 134  # of the picture, in its own units
LEFT, TOP, BOTTOM = 50, 10, 112  # of the plot, which is one unit wide a column
Value = Callable[[Sequence[Sample]], float | None]


class Source(Protocol):
    """Where samples come from: a `Series`."""

    def seconds(self) -> list[Sample]:
        """The newest seconds."""

    def minutes(self) -> list[Sample]:
        """The newest minutes."""


class Range(NamedTuple):
    """`step` seconds for each column, all of them in words, and what stands below the x axis."""

    step: float
    words: str
    ticks: tuple[str, str, str]


class Chart(NamedTuple):
    """`lines`: a name, empty for a single one, and its value in a column (None: nothing to tell). `unit`: `s`
    for times, on a logarithmic axis; `/s` for rates; empty for counts."""

    title: str
    unit: str
    empty: str
    lines: tuple[tuple[str, Value], ...]


COLUMNS = 300
RIGHT = LEFT + COLUMNS - 1
RANGES = {
    "minutes": Range(2.0, "10 minutes", ("10 min ago", "5 min", "now")),
    "hours": Range(288.0, "24 hours", ("24 h ago", "12 h", "now")),
}


def render(series: Source, name: str) -> dict[str, str]:
    """`<svg>` texts by the name of the chart (CHARTS), for a range (RANGES)."""
    samples = series.minutes() if name == "hours" else series.seconds()
    columns = _columns(samples, RANGES[name])
    end = samples[-1].at if samples else 0.0
    whole = [[together(column)] if len(column) > 1 else column for column in columns]
    return {
        key: "".join(_picture(key, chart, RANGES[name], whole if chart.unit == "s" else columns, end))
        for key, chart in CHARTS.items()
    }


def _columns(samples: Sequence[Sample], reach: Range) -> list[list[Sample]]:
    """The samples of each column, the newest column last; empty where nobody served. A sample stays in its
    column as time goes on, so that a peak keeps its height."""
    if not samples:
        return []
    places = [math.ceil(sample.at / reach.step) for sample in samples]
    first = places[-1] - COLUMNS + 1
    columns: list[list[Sample]] = [[] for _ in range(COLUMNS)]
    for sample, place in zip(samples, places, strict=True):
        if 0 <= place - first < COLUMNS:
            columns[place - first].append(sample)
    return columns


def _highest(read: Callable[[Sample], float]) -> Value:
    return lambda samples: max(map(read, samples))


def _rate(read: Callable[[Sample], int]) -> Value:
    """The busiest sample's, so that no peak is lost."""
    return lambda samples: max(read(sample) / sample.span if sample.span else 0.0 for sample in samples)


def _quantiles(read: Callable[[Sample], tuple[int, ...]]) -> tuple[tuple[str, Value], ...]:
    """Of all requests of a column together: quantiles of seconds cannot be put together themselves."""

    def of(share: float) -> Value:
        return lambda samples: quantile(read(samples[0]), share)

    return tuple((f"p{share}", of(share / 100)) for share in (50, 95, 99))


CHARTS = {
    "sessions": Chart("Live sessions", "", "", (("", _highest(lambda one: one.sessions)),)),
    "requests": Chart("Requests per second", "/s", "", (("", _rate(lambda one: one.requests)),)),
    "gateway": Chart("The gateway's own time", "s", "No requests", _quantiles(lambda one: one.gateway)),
    "program": Chart("The programs' time", "s", "No requests", _quantiles(lambda one: one.program)),
    "starts": Chart("Program starts per second", "/s", "", (("", _rate(lambda one: one.starts)),)),
    "errors": Chart("Errors per second", "/s", "", (("", _rate(lambda one: one.errors)),)),
}


def _picture(key: str, chart: Chart, reach: Range, columns: list[list[Sample]], end: float) -> Iterator[str]:
    lines = [(name, [read(column) if column else None for column in columns]) for name, read in chart.lines]
    known = [value for _, values in lines for value in values if value is not None]
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart {key}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-labelledby="chart-{key}-title chart-{key}-desc" data-end="{end:.3f}" data-step="{reach.step:g}"'
        f' data-unit="{chart.unit}" data-left="{LEFT}" data-right="{RIGHT}" data-width="{WIDTH}">'
        f'<title id="chart-{key}-title">{escape(chart.title)}, last {reach.words}</title>'
        f'<desc id="chart-{key}-desc">{escape(_told(chart, lines, known))}</desc>'
    )
    scale = logarithmic(known) if chart.unit == "s" else levels(known, whole=not chart.unit)
    yield from _axes(scale._replace(ticks=scale.ticks if known else ()), chart.unit, reach)
    if not known:
        text = chart.empty if columns and chart.empty else "No data yet"
        yield f'<text class="empty" x="{(LEFT + RIGHT) // 2}" y="{(TOP + BOTTOM) // 2}">{text}</text>'
    for number, (name, values) in enumerate(lines):
        yield from _line(name, values, scale, number, single=len(lines) == 1)
    yield "</svg>"


def _told(chart: Chart, lines: Iterable[tuple[str, list[float | None]]], known: Sequence[float]) -> str:
    """The picture in words."""
    if not known:
        return "No data yet." if not chart.empty else f"{chart.empty} in this time."
    parts = []
    for name, values in lines:
        some = [value for value in values if value is not None]
        lowest, highest = words(min(some), chart.unit), words(max(some), chart.unit)
        parts.append(f"{name} newest {words(some[-1], chart.unit)}, from {lowest} to {highest}".strip())
    return "; ".join(parts) + "."


def words(value: float, unit: str) -> str:
    """A value for people: `12`, `3.5/s`, `1.2 ms`."""
    if unit != "s":
        return f"{_digits(value)}{unit}"
    if value < 0.001:
        return f"{_digits(value * 1e6)} µs"
    return f"{_digits(value * 1e3)} ms" if value < 1 else f"{_digits(value)} s"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _axes(scale: Scale, unit: str, reach: Range) -> Iterator[str]:
    for tick in scale.ticks:
        y = _y(scale, tick)
        yield f'<path class="grid" d="M{LEFT} {y}H{RIGHT}"/>'
        yield f'<text class="y" x="{LEFT - 6}" y="{y}">{words(tick, unit)}</text>'
    places = ((LEFT, "start"), ((LEFT + RIGHT) // 2, "middle"), (RIGHT, "end"))
    for (x, anchor), text in zip(places, reach.ticks, strict=True):
        yield f'<text class="x" x="{x}" y="{HEIGHT - 4}" text-anchor="{anchor}">{text}</text>'


def _y(scale: Scale, value: float) -> float:
    return round(BOTTOM - scale.share(value) * (BOTTOM - TOP), 1)


def _line(name: str, values: list[float | None], scale: Scale, number: int, *, single: bool) -> Iterator[str]:
    path, area = [], []
    for run in _runs([None if value is None else _y(scale, value) for value in values]):
        points = "L".join(f"{LEFT + at} {y:g}" for at, y in _bends(run))
        path.append(f"M{points}" + ("h0" if len(run) == 1 else ""))
        area.append(f"M{LEFT + run[0][0]} {BOTTOM}L{points}V{BOTTOM}Z")
    if single:
        yield f'<path class="area" d="{"".join(area)}"/>'
    numbers = ",".join("" if value is None else f"{value:.4g}" for value in values)
    yield f'<path class="line n{number}" data-name="{name}" data-values="{numbers}" d="{"".join(path)}"/>'


def _runs(values: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    """Neighbours with a value, with their places."""
    run: list[tuple[int, float]] = []
    for at, value in enumerate(values):
        if value is not None:
            run.append((at, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _bends(run: list[tuple[int, float]]) -> Iterator[tuple[int, float]]:
    """Without the points in the middle of a level stretch."""
    for number, point in enumerate(run):
        around = run[max(0, number - 1) : number + 2]
        if len(around) < 3 or any(y != point[1] for _, y in around):
            yield point
