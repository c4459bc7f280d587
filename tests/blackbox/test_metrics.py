"""`SetHandler server-metrics`: what the gateway tells Prometheus of itself."""

from __future__ import annotations

import os
import signal

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics

from tests.blackbox.clients import Client, Gate, new_handle, start_session
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.credentials import basic, guarded, write_users
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.measured import METRICS, Reading, read
from tests.blackbox.proc import descriptors
from tests.blackbox.warm import PROGRAM

pytestmark = pytest.mark.running

DIRECTIVES = """
MaxPersistentCGI 30
MaxCGIJobs 40
MaxConnections 300
CGIActivationGroup python .py
StartCGI 1
<Directory cgi-bin/alone>
  PersistentCGIQueue 0
</Directory>
<Location /closed>
  SetHandler server-metrics
  Require all denied
</Location>
<Location /private>
  SetHandler server-metrics
  GUARDED
</Location>
<Location /cgi-bin/guarded>
  GUARDED
</Location>
"""
OTHER = """
<VirtualHost *>
  ServerName other.test
  ScriptAlias /programs/ cgi-bin/
</VirtualHost>
"""
CHILD = "/cgi-bin/child"
SECONDS = ("program_seconds", "gateway_seconds")


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    users = tmp_path_factory.mktemp("users") / "users"
    write_users(users, "ada", "remarkable")
    text = METRICS + DIRECTIVES.replace("GUARDED", guarded(users))
    return serve_shared(text, {"alone/child": CHILD_TEXT, "guarded/child": CHILD_TEXT, "warm.py": PROGRAM})


def grown(gateway: Gateway, before: Reading, name: str, labels: str = "") -> float:
    """By how much a number has grown."""
    return read(gateway).of(name, labels) - before.of(name, labels)


def test_it_is_the_text_of_prometheus(gateway: Gateway) -> None:
    answer = gateway.get("/metrics")
    assert answer.header("content-type") == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.header("cache-control") == "no-store"
    kinds = Reading(answer.text).kinds
    assert kinds["persistent_cgi_sessions"] == "gauge"
    assert kinds["persistent_cgi_requests"] == "counter"
    assert kinds["persistent_cgi_program_seconds"] == "histogram"


def test_it_is_open_metrics_where_that_is_asked_for(gateway: Gateway) -> None:
    for version in ("", ";version=1.0.0", "; version=1.0.0; charset=utf-8"):
        answer = gateway.get("/metrics", Accept=f"application/openmetrics-text{version},text/plain;q=0.5")
        assert str(answer.header("content-type")).startswith("application/openmetrics-text; ")
        names = {family.name for family in open_metrics(answer.text)}  # type: ignore[no-untyped-call]
        assert {"persistent_cgi_sessions", "persistent_cgi_build", "process_open_fds"} <= names


@pytest.mark.parametrize(
    "accept", ["", "text/html", "application/openmetrics-text; version=x", "text/plain;version=,;"]
)
def test_other_wishes_get_plain_prometheus(gateway: Gateway, accept: str) -> None:
    answer = gateway.get("/metrics", Accept=accept)
    assert (answer.status, answer.header("content-type")) == (200, "text/plain; version=0.0.4; charset=utf-8")


def test_access_holds_as_everywhere(gateway: Gateway) -> None:
    assert gateway.get("/closed").status == 403
    assert gateway.get("/private").status == 401
    assert gateway.get("/private", Authorization=basic("ada")).status == 200


def test_it_can_only_be_fetched(gateway: Gateway) -> None:
    refused = gateway.post("/metrics", b"x")
    assert (refused.status, refused.header("allow")) == (405, "GET, HEAD")
    head = gateway.request("HEAD", "/metrics")
    assert (head.status, head.body) == (200, b"")
    assert int(head.header("content-length") or 0) > 1000


def test_sessions_living_created_and_ended_by_reason(gateway: Gateway) -> None:
    before, handle = read(gateway), new_handle()
    living = f"cgi_name={CHILD},host="
    url = start_session(gateway, handle)
    assert grown(gateway, before, "sessions", living) == 1
    assert grown(gateway, before, "sessions_created_total") == 1
    gateway.get(f"{url}?echo=end")
    wait_for("the end to count", lambda: grown(gateway, before, "sessions_ended_total", "reason=ended") == 1)
    assert grown(gateway, before, "sessions", living) == 0
    gateway.get(f"{CHILD}?handle={handle}x")
    gateway.get(f"{CHILD}/{handle}x?exit=3")
    wait_for(
        "the crash to count", lambda: grown(gateway, before, "sessions_ended_total", "reason=crashed") == 1
    )


def test_reasons_that_have_not_come_yet_are_there(gateway: Gateway) -> None:
    reading = read(gateway)
    for reason in ("timed-out", "ended", "crashed", "protocol", "stopped"):
        assert ("sessions_ended_total", f"reason={reason}") in reading
    for reason in ("replaced", "limit"):  # a session goes on, or never began
        assert ("sessions_ended_total", f"reason={reason}") not in reading


def test_sessions_that_limits_did_not_let_begin_are_counted_by_directive(serve: Serve) -> None:
    for limits in ("MaxPersistentCGI 2", "MaxPersistentCGIPerClient 2", "PersistentCGIClientRate 1/minute 2"):
        gateway = serve(METRICS + limits)
        for _ in range(3):
            gateway.get(f"{CHILD}?handle={new_handle()}")
        reading, directive = read(gateway), f"directive={limits.split()[0]}"
        refused = reading.of("sessions_refused_total", directive)
        assert refused + reading.of("error_responses_total", "code=429") == 1, limits
        assert reading.of("sessions_created_total") == 2
        gateway.stop()


def test_states_of_programs_that_are_in_none_are_there(serve: Serve) -> None:
    reading = read(serve(METRICS))
    for state in ("first", "idle", "busy", "ending"):  # a panel shows 0, not its last value
        assert reading["instances", f"state={state}"] == 0


def test_requests_are_counted_by_what_they_are_for(gateway: Gateway) -> None:
    (gateway.htdocs / "page.html").write_text("page")
    before, handle = read(gateway), new_handle()
    url = start_session(gateway, handle)
    for _ in range(3):
        gateway.get(f"{url}?handle={handle}")
    for path in ("/page.html", "/none", "/page.html"):
        gateway.get(path)
    others = 4  # these, and the first reading
    wait_for("the files", lambda: grown(gateway, before, "requests_total", "request=other") >= others)
    assert grown(gateway, before, "requests_total", "request=session") == 3
    assert grown(gateway, before, "requests_total", "request=first") == 1
    for name in SECONDS:
        assert grown(gateway, before, f"{name}_count", "request=session") == 3
        assert grown(gateway, before, f"{name}_count", "request=first") == 1


def test_the_time_of_a_request_is_split_into_gateway_and_program(gateway: Gateway) -> None:
    handle = new_handle()
    url = start_session(gateway, handle)
    before = read(gateway)
    gateway.get(f"{url}?handle={handle}&sleep=0.6")
    program, own = (grown(gateway, before, f"{name}_sum", "request=session") for name in SECONDS)
    assert program >= 0.6
    assert own < program


def test_what_a_slow_client_sends_is_nobodys_time(gateway: Gateway) -> None:
    handle = new_handle()
    url = start_session(gateway, handle)
    before = read(gateway)
    with gateway.connect() as sock:
        sock.sendall(
            f"POST {url}?handle={handle}&echo=x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1".encode()
        )
        a_second(gateway)
        sock.sendall(b"2")
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")
    assert sum(grown(gateway, before, f"{name}_sum", "request=session") for name in SECONDS) < 0.9


def test_the_queue_and_the_time_in_it(gateway: Gateway) -> None:
    handle, gate, before = new_handle(), Gate(gateway.folder), read(gateway)
    url = start_session(gateway, handle)
    running = Client(gateway, f"{url}?handle={handle}&{gate.wait}")
    waiting = Client(gateway, f"{url}?handle={handle}")
    wait_for("somebody to wait", lambda: read(gateway).of("queue_length", "queue=session") == 1)
    a_second(gateway)
    gate.open()
    assert [client.answer().status for client in (running, waiting)] == [200, 200]
    assert grown(gateway, before, "queue_seconds_count", "queue=session") == 1
    assert read(gateway).of("queue_length", "queue=session") == 0
    waited = grown(gateway, before, "queue_seconds_sum", "queue=session")
    assert waited > 0.9
    assert grown(gateway, before, "gateway_seconds_sum", "request=session") < waited


def a_second(gateway: Gateway) -> None:
    """Wait until the timer of the event loop has come twice."""
    start = read(gateway).of("loop_lag_seconds_count")
    wait_for("a second", lambda: read(gateway).of("loop_lag_seconds_count") >= start + 2)


def test_starts_cold_and_warm_and_what_the_keeper_took(gateway: Gateway) -> None:
    wait_for("a warm start", lambda: "forked=1" in gateway.get("/cgi-bin/warm.py").text)
    before = read(gateway)
    gateway.get(f"{CHILD}?echo=cold")
    assert grown(gateway, before, "start_seconds_count", "way=cold") == 1
    assert grown(gateway, before, "start_seconds_sum", "way=cold") > 0
    assert grown(gateway, before, "keeper_seconds_count", "message=start") == 1
    assert grown(gateway, before, "starts_total") == 1
    wait_for("a warm start", lambda: "forked=1" in gateway.get("/cgi-bin/warm.py").text)
    assert grown(gateway, before, "start_seconds_count", "way=warm") >= 1
    assert grown(gateway, before, "keeper_seconds_count", "message=start_warm") >= 1


def test_bytes_both_ways(gateway: Gateway) -> None:
    before = read(gateway)
    gateway.post(f"{CHILD}?size=300000", b"x" * 200_000)
    assert 200_000 < grown(gateway, before, "received_bytes_total") < 210_000
    assert 300_000 < grown(gateway, before, "sent_bytes_total") < 400_000


def test_answers_of_programs_and_of_the_gateway(gateway: Gateway) -> None:
    before = read(gateway)
    for query in ("status=503", "status=204", "exit=1"):
        gateway.get(f"{CHILD}?{query}")
    gateway.get("/none")
    handle, gate = new_handle(), Gate(gateway.folder)
    assert grown(gateway, before, "program_responses_total", "code=5xx") == 1
    assert grown(gateway, before, "program_responses_total", "code=2xx") == 1
    assert grown(gateway, before, "error_responses_total", "code=502") == 1
    assert grown(gateway, before, "error_responses_total", "code=404") == 1
    url = start_session(gateway, handle, program="/cgi-bin/alone/child")
    running = Client(gateway, f"{url}?handle={handle}&{gate.wait}")
    assert gateway.get(f"{url}?handle={handle}").status == 503
    assert grown(gateway, before, "error_responses_total", "code=503") == 1
    gate.open()
    running.answer()


def test_limits_and_how_full_they_are(gateway: Gateway) -> None:
    before = read(gateway)
    start_session(gateway, new_handle())
    now = read(gateway)
    limits = {"MaxPersistentCGI": 30, "MaxCGIJobs": 40, "MaxConnections": 300}
    for name, limit in limits.items():
        assert now.of("limit", f"directive={name}") == limit
    used = [name for name in limits if now.of("limit_used", f"directive={name}")]
    assert used == list(limits)
    assert grown(gateway, before, "limit_used", "directive=MaxPersistentCGI") == 1
    assert now.of("instances", "state=idle") >= 1


def test_descriptors_and_memory_of_front_and_keeper(gateway: Gateway) -> None:
    now = read(gateway)
    front, keeper = (len(descriptors(pid)) for pid in (gateway.fronts()[-1], gateway.keeper))
    assert abs(now.of("process_open_fds") - front) < 5
    assert abs(now.of("keeper_process_open_fds") - keeper) < 5
    for name in ("process_start_time_seconds", "process_resident_memory_bytes", "process_max_fds"):
        assert now.of(name) > 0 and now.of(f"keeper_{name}") > 0
    assert now.of("process_start_time_seconds") > now.of("keeper_process_start_time_seconds")


def test_the_lag_of_the_event_loop_is_measured_each_second(gateway: Gateway) -> None:
    before = read(gateway)
    wait_for("the timer", lambda: grown(gateway, before, "loop_lag_seconds_count") >= 2)
    assert read(gateway).of("loop_lag_seconds_bucket", "le=+Inf") == read(gateway).of("loop_lag_seconds_count")


def test_no_handle_and_no_user_stands_in_it(gateway: Gateway) -> None:
    handle, user = "secret-handle-of-a-session", basic("remarkable")
    for path in ("/cgi-bin/guarded/child", f"/cgi-bin/guarded/child/{handle}", f"/private/{handle}"):
        assert gateway.get(f"{path}?handle={handle}", Authorization=user).status == 200
    answer = gateway.get("/metrics")
    assert handle not in answer.text and "remarkable" not in answer.text
    reading = Reading(answer.text)
    assert reading.of("sessions", "cgi_name=/cgi-bin/guarded/child,host=") == 1
    assert reading.labels == {
        "cgi_name", "code", "directive", "host", "le", "message", "python", "queue", "reason", "request",
        "state", "version", "way",
    }  # fmt: skip


def test_after_a_reload_and_a_crash_counters_begin_anew_and_sessions_are_there(serve: Serve) -> None:
    gateway = serve(METRICS + OTHER)
    living = "cgi_name=/programs/child,host=other.test:*"
    gateway.get("/programs/child?handle=stays")
    assert read(gateway).of("reloads_total") == 0
    gateway.reload()
    wait_for("the session to move", lambda: read(gateway).of("sessions", living) == 1)
    now = read(gateway)
    assert (now.of("reloads_total"), now.of("front_failures_total")) == (1, 0)
    assert now.of("sessions_created_total") == 0
    gateway.kill_front()
    now = read(gateway)
    assert (now.of("reloads_total"), now.of("front_failures_total")) == (1, 1)
    assert now.of("sessions", living) == 1


def refused(gateway: Gateway, count: int) -> None:
    wait_for("the refusal", lambda: read(gateway).of("reloads_refused_total") == count)


def test_a_refused_reload_is_counted_by_the_front_that_stays_and_by_the_next_one(serve: Serve) -> None:
    gateway = serve(METRICS)
    assert (read(gateway).of("reloads_refused_total"), read(gateway).of("reloads_total")) == (0, 0)
    gateway.configure(METRICS + "NoSuchDirective On\n")
    for count in (1, 2):
        os.kill(gateway.keeper, signal.SIGHUP)
        refused(gateway, count)
    assert read(gateway).of("reloads_total") == 0
    gateway.configure(METRICS)
    gateway.reload()
    now = read(gateway)
    assert [now.of(f"{name}_total") for name in ("reloads_refused", "reloads", "front_failures")] == [2, 1, 0]
