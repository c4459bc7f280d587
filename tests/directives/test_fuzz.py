"""Whatever a file holds: it loads, or ConfigurationErrors says why."""

from __future__ import annotations

import contextlib

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.configuration.load import ConfigurationErrors
from gateway.directives.steering import ROWS

from .conftest import Configure

SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

name = st.sampled_from([row.name for row in ROWS.values() if not row.name.startswith("Include")])
word = st.one_of(
    st.sampled_from(
        ["5", "*:80", "/a/[b-a]", "~", "(", "${X}", "${", '"', "'a b'", "\\", "cgi-script", "+ExecCGI", ".py"]
    ),
    st.text(st.characters(exclude_categories=["Cs"])),
)
arguments = st.lists(word, max_size=3).map(" ".join)
line = st.one_of(
    st.builds("{} {}".format, name, arguments),
    st.builds("<{} {}>".format, name, arguments),
    st.builds("</{}>".format, name),
    st.builds("<{} {}".format, name, arguments),
    arguments,
)


@SHARED
@given(text=st.lists(line, max_size=12).map("\n".join))
def test_lines_of_every_kind_load_or_are_refused(configure: Configure, text: str) -> None:
    with contextlib.suppress(ConfigurationErrors):
        configuration = configure(text, environ={"X": '"'})
        for host in (configuration.server, *configuration.hosts):
            host.lookup("/a/b", "/a/b")
            host.varies_below("/a")
            configuration.select("127.0.0.1", 80, text)


@SHARED
@given(data=st.binary())
def test_bytes_of_every_kind_load_or_are_refused(configure: Configure, data: bytes) -> None:
    with contextlib.suppress(ConfigurationErrors):
        configure(data.decode("latin-1"))
