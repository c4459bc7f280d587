"""The charts of the status page as pictures: their numbers, their axes, their gaps."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.measure.histogram import Histogram
from gateway.measure.series import Sample
from gateway.status.axis import levels, logarithmic
from gateway.status.charts import CHARTS, COLUMNS, HEIGHT, RANGES, WIDTH, render, words

SVG = "{http://www.w3.org/2000/svg}"
LARGEST = 25_000  # characters of one picture


class Made:
    """Samples as a Series gives them."""

    def __init__(self, samples: list[Sample]) -> None:
        self.samples = samples

    def seconds(self) -> list[Sample]:
        return self.samples

    def minutes(self) -> list[Sample]:
        return self.samples


def sample(at: float, *, span: float = 1.0, sessions: int = 0, requests: int = 0, took: float = 0.0) -> Sample:
    histogram = Histogram()
    for _ in range(requests):
        histogram.add(took)
    counts = tuple(histogram.counts)
    return Sample(at, span, sessions, 0, 0, requests, 0, 0, 0, counts, counts)


def drawn(samples: list[Sample], name: str = "minutes") -> dict[str, ET.Element]:
    return {key: ET.fromstring(text) for key, text in render(Made(samples), name).items()}


def lines(picture: ET.Element) -> dict[str, list[float | None]]:
    """The numbers of each line."""
    return {
        path.attrib["data-name"]: [
            float(text) if text else None for text in path.attrib["data-values"].split(",")
        ]
        for path in picture.iter(f"{SVG}path")
        if "data-values" in path.attrib
    }


def texts(picture: ET.Element, kind: str) -> list[str]:
    return [one.text or "" for one in picture.iter(f"{SVG}text") if one.get("class") == kind]


@pytest.mark.parametrize("name", RANGES)
def test_without_data_every_chart_says_so(name: str) -> None:
    for picture in drawn([], name).values():
        assert texts(picture, "empty") == ["No data yet"]


def test_a_chart_has_a_role_a_title_and_its_newest_lowest_and_highest_values_in_words() -> None:
    picture = drawn([sample(1000.0 + at, sessions=at) for at in range(60)])["sessions"]
    assert picture.get("role") == "img"
    named = {one.get("id"): one.text for one in picture if one.get("id")}
    labels = picture.attrib["aria-labelledby"].split()
    assert [named[label] for label in labels] == [
        "Live sessions, last 10 minutes",
        "newest 59, from 0 to 59.",
    ]


def test_where_nobody_served_there_is_a_gap() -> None:
    samples = [sample(1000.0 + at, sessions=5) for at in (*range(100), *range(200, 300))]
    picture = drawn(samples)["sessions"]
    values = lines(picture)[""]
    assert values[-50:] == [5.0] * 50 and values[-99:-52] == [None] * 47
    path = next(one for one in picture.iter(f"{SVG}path") if "data-values" in one.attrib)
    assert path.attrib["d"].count("M") == 2


def test_a_peak_of_one_second_keeps_its_height_and_its_place_as_time_goes_on() -> None:
    samples = [sample(1000.0 + at, requests=90 if at == 101 else 1) for at in range(400)]
    for until in (200, 201, 333, 400):
        values = lines(drawn(samples[:until])["requests"])[""]
        assert [value for value in values if value is not None and value > 1] == [90.0]


def test_rates_are_by_the_second_in_both_ranges() -> None:
    picture = drawn([sample(86400.0 + 60 * at, span=60.0, requests=30) for at in range(1440)], "hours")[
        "requests"
    ]
    assert set(lines(picture)[""]) <= {0.5, None}
    assert texts(picture, "y")[-1].endswith("/s")


def test_times_have_three_quantiles_and_units() -> None:
    picture = drawn([sample(1000.0 + at, requests=10, took=0.004) for at in range(60)])["program"]
    quantiles = lines(picture)
    assert list(quantiles) == ["p50", "p95", "p99"]
    assert all(0.0025 <= (values[-1] or 0) <= 0.005 for values in quantiles.values())
    assert all(text.endswith((" µs", " ms", " s")) for text in texts(picture, "y"))


@given(
    st.lists(
        st.tuples(st.floats(0, 90_000), st.integers(0, 10**6), st.integers(0, 20), st.floats(0, 100)),
        max_size=40,
    ),
    st.sampled_from(sorted(RANGES)),
)
def test_whatever_comes_is_a_small_picture_within_its_frame(
    rows: list[tuple[float, int, int, float]], name: str
) -> None:
    samples = [
        sample(1e9 + at, sessions=sessions, requests=requests, took=took)
        for at, sessions, requests, took in sorted(rows)
    ]
    for text in render(Made(samples), name).values():
        assert len(text) < LARGEST
        picture = ET.fromstring(text)
        for path in picture.iter(f"{SVG}path"):
            numbers = path.attrib["d"].translate(str.maketrans("MLHVZh", "      ")).split()
            assert all(0 <= float(number) <= max(WIDTH, HEIGHT) for number in numbers)


def test_a_day_of_noise_stays_small() -> None:
    samples = [
        sample(60.0 * at, span=60.0, sessions=at * 7919 % 500, requests=20, took=at % 97 / 50)
        for at in range(1440)
    ]
    pictures = render(Made(samples), "hours")
    assert list(pictures) == list(CHARTS)
    assert all(len(text) < LARGEST for text in pictures.values())
    assert all(len(values) == COLUMNS for values in lines(ET.fromstring(pictures["program"])).values())


@given(st.lists(st.floats(0, 1e9), max_size=20), st.booleans())
def test_an_axis_from_0_has_few_round_ticks_and_holds_every_value(values: list[float], whole: bool) -> None:
    scale = levels(values, whole=whole)
    assert scale.ticks[0] == 0 and 2 <= len(scale.ticks) <= 5
    assert scale.ticks[-1] >= max(values, default=0) * (1 - 1e-9)
    assert not whole or all(tick == int(tick) for tick in scale.ticks)


@given(st.lists(st.floats(1e-6, 1e3), max_size=20))
def test_a_logarithmic_axis_has_few_ticks_and_holds_every_value(values: list[float]) -> None:
    scale = logarithmic(values)
    assert 2 <= len(scale.ticks) <= 6
    assert all(0 <= scale.share(value) <= 1 for value in values)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, "", "0"), (1234.0, "", "1,234"), (3.5, "/s", "3.5/s"),
        (0.00025, "s", "250 µs"), (0.0123, "s", "12.3 ms"), (2.5, "s", "2.5 s"),
    ],
)  # fmt: skip
def test_values_read_with_their_units(value: float, unit: str, text: str) -> None:
    assert words(value, unit) == text
