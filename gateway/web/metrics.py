"""`SetHandler server-metrics`: what the front counts, in the form of Prometheus or OpenMetrics."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from gateway import __version__
from gateway.keeper.reasons import NO_ENDINGS, Reason
from gateway.measure.histogram import Histogram
from gateway.measure.measures import Measures
from gateway.measure.sources import History, Starts, Traffic
from gateway.sessions.registry import Registry

PREFIX = "persistent_cgi_"
_KEEPER = "persistent_cgi_keeper"
_LIMITS = (
    "MaxPersistentCGI", "MaxPersistentCGIPerUser", "MaxPersistentCGIPerClient", "PersistentCGIClientRate",
    "PersistentCGISharedSessions",
)  # fmt: skip
_USUAL_STATES = ("first", "idle", "busy", "ending")
_USUAL_DIGITS = (2, 3, 4, 5)
_USUAL_STATUSES = (404, 410, 500, 502, 503, 504)


class Sources(NamedTuple):
    """Where the numbers come from."""

    registry: Registry
    measures: Measures
    starts: Callable[[], Starts]
    traffic: Callable[[], Traffic]
    history: Callable[[], History]


class Metrics:
    """The text for whoever asks."""

    def __init__(self, sources: Sources) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Collected(sources))
        ProcessCollector(registry=self._registry)
        ProcessCollector(_KEEPER, os.getppid, registry=self._registry)

    def text(self, accept: str) -> tuple[bytes, str]:
        """The metrics, and their Content-Type: OpenMetrics where the Accept header asks for it."""
        try:
            encode, kind = choose_encoder(accept)
            return encode(self._registry), kind
        except (TypeError, ValueError):  # a version that is not numbers
            encode, kind = choose_encoder("")
            return encode(self._registry), kind


class _Collected(Collector):
    """Reads the numbers when they are asked for."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def describe(self) -> Iterator[Metric]:
        """Nothing is read to register it."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Every metric, in the order of docs/operations.md."""
        yield InfoMetricFamily(
            PREFIX + "build", "The gateway.", {"version": __version__, "python": platform.python_version()}
        )
        yield from _sessions(self._sources.registry)
        yield from _requests(self._sources.measures)
        text = "Requests to living sessions that the session lane answered."
        yield _counter("lane_requests", text, self._sources.registry.tally.in_lane)
        yield from self._processes()
        yield from self._limits()

    def _processes(self) -> Iterator[Metric]:
        measures, registry = self._sources.measures, self._sources.registry
        starts, history = self._sources.starts(), self._sources.history()
        found = Counter(instance.state.name.lower() for instance in registry.instances.values())
        states = {state: found[state] for state in (*_USUAL_STATES, *sorted(found.keys() - {*_USUAL_STATES}))}
        yield _gauge("instances", "Programs that run, by state.", "state", states)
        yield _counter("starts", "Processes that were started for a request.", registry.tally.starts)
        text = "From the order to the head of the first response."
        yield _histogram("start_seconds", text, "way", measures.starts)
        waiting = {"start": starts.waiting, "session": registry.waiting}
        yield _gauge("queue_length", "Requests that wait.", "queue", waiting)
        yield _histogram("queue_seconds", "How long requests have waited.", "queue", measures.queued)
        text = "From a question to the keeper to its answer."
        yield _histogram("keeper_seconds", text, "message", measures.keeper)
        yield _histogram("loop_lag_seconds", "How late a timer of each second came.", "", {"": measures.lag})
        yield _counter("reloads", "Reloads since the gateway began.", history.reloads)
        yield _counter("reloads_refused", "Reloads that left the old settings.", history.refused)
        yield _counter("front_failures", "Fronts that died since the gateway began.", history.failures)

    def _limits(self) -> Iterator[Metric]:
        registry, starts, traffic = self._sources.registry, self._sources.starts(), self._sources.traffic()
        used = {
            "MaxPersistentCGI": registry.persistent,
            "MaxCGIJobs": starts.jobs,
            "MaxConnections": traffic.connections,
        }
        most = {
            "MaxPersistentCGI": registry.limits.persistent,
            "MaxCGIJobs": starts.most,
            "MaxConnections": traffic.most,
        }
        yield _gauge("limit", "The limits.", "directive", most)
        yield _gauge("limit_used", "How much of them is used.", "directive", used)
        yield _counter("received_bytes", "Bytes of clients.", traffic.received)
        yield _counter("sent_bytes", "Bytes to clients.", traffic.sent)


def _sessions(registry: Registry) -> Iterator[Metric]:
    living = GaugeMetricFamily(PREFIX + "sessions", "Living sessions.", labels=("host", "cgi_name"))
    names = Counter(session.name for held in registry.sessions.values() for session in held)
    for (host, cgi_name), count in sorted(names.items()):
        living.add_metric((host, cgi_name.decode("utf-8", "backslashreplace")), count)
    yield living
    yield _counter("sessions_created", "Sessions that have begun.", registry.tally.created)
    ended = CounterMetricFamily(PREFIX + "sessions_ended", "Sessions that are over.", labels=("reason",))
    words = dict.fromkeys(reason.word for reason in Reason if reason not in NO_ENDINGS)
    for word in words:  # all of them: a rate needs a beginning
        ended.add_metric((word,), registry.tally.ended[word])
    yield ended
    refused = {limit: registry.tally.refused[limit] for limit in _LIMITS}
    yield _counters("sessions_refused", "Sessions that a limit did not let begin.", "directive", refused)


def _requests(measures: Measures) -> Iterator[Metric]:
    yield _counters("requests", "Requests that are over.", "request", measures.requests)
    digits = sorted({*_USUAL_DIGITS, *measures.answers})
    answers = {f"{digit}xx": measures.answers[digit] for digit in digits}
    yield _counters("program_responses", "Responses of programs.", "code", answers)
    statuses = sorted({*_USUAL_STATUSES, *measures.refusals})
    refusals = {str(status): measures.refusals[status] for status in statuses}
    yield _counters("error_responses", "Errors that the gateway answered itself.", "code", refusals)
    yield _histogram("program_seconds", "What programs took of a request.", "request", measures.program)
    yield _histogram("gateway_seconds", "What the gateway took of a request.", "request", measures.gateway)


def _gauge(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(PREFIX + name, text, labels=(label,))
    for value, number in values.items():
        family.add_metric((value,), number)
    return family


def _counter(name: str, text: str, value: int) -> Metric:
    return CounterMetricFamily(PREFIX + name, text, value)


def _counters(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(PREFIX + name, text, labels=(label,))
    for value, number in values.items():
        family.add_metric((value,), number)
    return family


def _histogram(name: str, text: str, label: str, values: Mapping[str, Histogram]) -> Metric:
    """`label` is empty for a single one."""
    family = HistogramMetricFamily(PREFIX + name, text, labels=(label,) if label else ())
    for value, histogram in values.items():
        family.add_metric((value,) if label else (), histogram.buckets(), histogram.total)
    return family
