"""A real Prometheus reads the gateway, takes the alert rules, and can answer what the dashboard asks."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.blackbox.conftest import Serve, serve, serve_shared
from tests.blackbox.harness import BOUND, Gateway, free_port, wait_for
from tests.blackbox.measured import METRICS
from tests.docs.test_operations import ALERTS, asked

__all__ = ["serve", "serve_shared"]
pytestmark = [pytest.mark.realworld, pytest.mark.needs("prometheus")]
JOB = "persistent-cgi"


class Prometheus:
    """A server that reads one gateway each second."""

    def __init__(self, folder: Path, gateway: Gateway) -> None:
        self.port = free_port()
        target = {"job_name": JOB, "static_configs": [{"targets": [f"127.0.0.1:{gateway.port}"]}]}
        times = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        file = folder / "prometheus.yml"  # YAML takes JSON
        file.write_text(json.dumps({"global": times, "rule_files": [str(ALERTS)], "scrape_configs": [target]}))
        self.process = subprocess.Popen(
            [
                "prometheus", f"--config.file={file}", f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def ask(self, path: str, **words: str) -> Any:
        """The data of an answer of its API; None while it does not answer."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(words)}"
        try:
            with urllib.request.urlopen(url, timeout=BOUND) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:  # it is still starting
                return None
            raise AssertionError(f"{words}: {error.read().decode()}") from error
        except OSError:
            return None

    def __enter__(self) -> Prometheus:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        self.process.wait(BOUND)

    def value(self, query: str) -> list[Any]:
        """What a query comes to now."""
        found = self.ask("query", query=query)
        return [] if found is None else list(found["result"])


@pytest.fixture(scope="module")
def prometheus(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    gateway = serve_shared(METRICS)
    with Prometheus(tmp_path_factory.mktemp("prometheus"), gateway) as server:
        for path in ("child", "child/lives", "child/lives"):
            assert gateway.get(f"/cgi-bin/{path}?handle=lives").status == 200
        wait_for("three readings", lambda: _readings(server) >= 3)
        yield server


def _readings(server: Prometheus) -> int:
    found = server.value(f'count_over_time(persistent_cgi_build_info{{job="{JOB}"}}[1m])')
    return int(found[0]["value"][1]) if found else 0


def test_it_reads_the_gateway(prometheus: Prometheus) -> None:
    (target,) = prometheus.ask("targets")["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")
    (living,) = prometheus.value("persistent_cgi_sessions")
    assert living["metric"]["cgi_name"] == "/cgi-bin/child" and living["value"][1] == "1"


def test_it_evaluates_the_alert_rules_and_none_fires(prometheus: Prometheus) -> None:
    wait_for("the rules", lambda: all(rule["health"] == "ok" for rule in _rules(prometheus)))
    assert len(_rules(prometheus)) >= 10
    assert [rule["name"] for rule in _rules(prometheus) if rule["state"] == "firing"] == []


def _rules(prometheus: Prometheus) -> list[Any]:
    return [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]


def test_it_has_an_answer_to_everything_that_the_dashboard_asks(prometheus: Prometheus) -> None:
    for text in asked():
        query = text.replace("$__rate_interval", "1m").replace("$job", JOB).replace("$instance", ".*")
        assert prometheus.value(query), query


def test_an_alert_fires_when_the_gateway_is_gone(serve: Serve, tmp_path: Path) -> None:
    gateway = serve(METRICS)
    with Prometheus(tmp_path, gateway) as server:
        wait_for("a reading", lambda: _readings(server))
        gateway.stop()
        wait_for("the alert", lambda: "GatewayDown" in str(server.ask("alerts")))
