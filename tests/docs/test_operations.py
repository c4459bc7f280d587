"""docs/operations.md: its tables of metrics, alert rules, dashboard and examples are those of the gateway."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gateway.keeper.reasons import Reason
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import ROOT, Gateway
from tests.blackbox.measured import Reading, read

TEXT = (ROOT / "docs" / "operations.md").read_text()
ALERTS = ROOT / "docs" / "alerts.yml"
DASHBOARD: dict[str, Any] = json.loads((ROOT / "docs" / "grafana-dashboard.json").read_text())
KEEPER = "persistent_cgi_keeper_process_"
_NAME = re.compile(r"\b(?:persistent_cgi|process)_\w+")
_PARTS = re.compile(r"_(?:bucket|count|sum)$")


def section(title: str) -> str:
    """What stands below a heading."""
    return TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def directives(title: str) -> str:
    """The examples of a section that are directives."""
    return "\n".join(
        text for text in re.findall(r"```apache\n(.*?)```", section(title), re.S) if "SetHandler" in text
    )


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared(directives("Metrics") + directives("Health"))


@pytest.fixture(scope="module")
def reading(gateway: Gateway) -> Reading:
    """The metrics when each has a sample."""
    gateway.get("/cgi-bin/child?handle=lives")
    return read(gateway)


def names(reading: Reading) -> set[str]:
    """The metrics by the names that stand in the table: counters with `_total`, histograms bare."""
    suffixes = {"counter": "_total", "info": "_info"}
    return {name + suffixes.get(kind, "") for name, kind in reading.kinds.items()}


def asked() -> list[str]:
    """What the dashboard asks Prometheus for."""
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def test_the_table_has_every_metric_and_no_other(reading: Reading) -> None:
    rows = [line.split(" | ") for line in section("Metrics").splitlines() if line.startswith("| `")]
    told = {name.strip("`") for row in rows for name in row[0].removeprefix("| ").split(", ")}
    own = {name for name in told if name.startswith("process_")}
    assert f"{KEEPER}…" in told
    told = told - {f"{KEEPER}…"} | {KEEPER + name.removeprefix("process_") for name in own}
    assert told == names(reading)


def test_the_table_has_the_labels_of_each_metric(gateway: Gateway, reading: Reading) -> None:
    text = gateway.get("/metrics").text
    for line in section("Metrics").splitlines():
        if line.startswith("| `persistent_cgi_") and "…" not in line:
            cells = line.split(" | ")
            name = cells[0].strip("| `")
            samples = re.findall(rf"^{name}(?:_bucket)?\{{(.*)\}}", text, re.M)
            found = {label for sample in samples for label in re.findall(r"(\w+)=", sample)} - {"le"}
            if samples or name not in ("persistent_cgi_keeper_seconds",):
                assert found == set(re.findall(r"`(\w+)`", cells[1])), line


def test_every_word_for_the_end_of_a_session_is_explained() -> None:
    told = re.findall(r"^\| `([a-z-]+)` \|", section("Why a session is over"), re.M)
    assert sorted(told) == sorted({reason.word for reason in Reason})


def test_alert_rules_ask_for_metrics_that_there_are(reading: Reading) -> None:
    found = set(_NAME.findall(re.sub(r"#.*", "", ALERTS.read_text())))
    assert len(found) >= 10
    assert {_PARTS.sub("", name) for name in found} <= names(reading)


def test_the_dashboard_asks_for_metrics_that_there_are(reading: Reading) -> None:
    variables = [one["query"] for one in DASHBOARD["templating"]["list"]]
    found = {_PARTS.sub("", name) for text in (*asked(), *variables) for name in _NAME.findall(text)}
    assert found <= names(reading)
    shown = {
        name for name in names(reading) if name.startswith("persistent_cgi_") and not name.startswith(KEEPER)
    }
    assert shown <= found  # there is nothing that it leaves out


def test_the_panels_of_the_dashboard_lie_side_by_side() -> None:
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    taken = [
        (x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])
    ]
    assert len(taken) == len(set(taken)) and max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(places)


@pytest.mark.needs("promtool")
def test_prometheus_takes_the_alert_rules() -> None:
    found = check(ALERTS)
    assert "SUCCESS" in found, found


@pytest.mark.needs("promtool")
def test_prometheus_takes_what_the_dashboard_asks(tmp_path: Path) -> None:
    rules = []
    for number, text in enumerate(asked()):
        text = text.replace("$__rate_interval", "5m").replace("$job", "job").replace("$instance", ".*")
        rules.append({"record": f"asked:{number}", "expr": text})
    file = tmp_path / "rules.yml"  # YAML takes JSON
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    found = check(file)
    assert f"SUCCESS: {len(rules)} rules found" in found, found


@pytest.mark.needs("promtool")
def test_prometheus_has_nothing_to_say_against_the_metrics(gateway: Gateway) -> None:
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=gateway.get("/metrics").body, capture_output=True
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")


def check(file: Path) -> str:
    """What promtool says of a file of rules."""
    promtool = shutil.which("promtool")
    assert promtool is not None
    done = subprocess.run([promtool, "check", "rules", str(file)], capture_output=True, text=True)
    return done.stdout + done.stderr


def test_the_examples_of_health_answer(gateway: Gateway) -> None:
    assert gateway.get("/healthz").text == "ok\n"
    assert gateway.get("/readyz").text == "ready\n"
