"""What a gateway with `SetHandler server-metrics` at /metrics says of itself."""

from __future__ import annotations

import os

from prometheus_client.parser import text_string_to_metric_families

from gateway.keeper.table import Table, attach
from gateway.measure.series import Sample, Series
from tests.blackbox.harness import Gateway
from tests.blackbox.proc import descriptors

PREFIX = "persistent_cgi_"
METRICS = """
<Location /metrics>
  SetHandler server-metrics
  Require local
</Location>
"""


class Reading(dict[tuple[str, str], float]):
    """One answer: (name without prefix, `label=value` sorted, with commas) -> number; `kinds` by name, as TYPE
    says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.kinds: dict[str, str] = {}
        self.labels: set[str] = set()
        for family in text_string_to_metric_families(text):
            self.kinds[family.name] = family.type
            for sample in family.samples:
                labels = ",".join(sorted(f"{name}={value}" for name, value in sample.labels.items()))
                self[sample.name.removeprefix(PREFIX), labels] = sample.value
                self.labels |= set(sample.labels)

    def of(self, name: str, labels: str = "") -> float:
        """A number, 0 where there is none."""
        return self.get((name, labels), 0.0)


def read(gateway: Gateway) -> Reading:
    """The metrics now."""
    answer = gateway.get("/metrics")
    assert answer.status == 200, answer
    return Reading(answer.text)


def shared_table(gateway: Gateway) -> Table:
    """The gateway's shared table, by the keeper's own descriptor; to be closed."""
    number = next(one for one, what in descriptors(gateway.keeper).items() if "memfd:persistent-cgi" in what)
    return attach(os.open(f"/proc/{gateway.keeper}/fd/{number}", os.O_RDWR))


def seconds_of(gateway: Gateway) -> list[Sample]:
    """What the gateway has written of its last seconds."""
    table = shared_table(gateway)
    series = Series(table.history)
    try:
        return series.seconds()
    finally:
        series.close()
        table.close()
