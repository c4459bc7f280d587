"""RemoteIPTrustedProxyList and RemoteIPInternalProxyList: networks in files of their own."""

from __future__ import annotations

from pathlib import Path

from gateway.directives import table
from gateway.directives.readers.proxies import Proxies

from .conftest import Configure, Problems


def test_a_list_adds_the_networks_of_its_file(configure: Configure, site: Path) -> None:
    (site / "conf" / "proxies").write_text("# ours\r\n192.0.2.7\n\n  10.1 2001:db8::/32 # two\n")
    (site / "conf" / "inner").write_text("127.0.0.1")
    text = "RemoteIPTrustedProxy 198.51.100.1\nRemoteIPTrustedProxyList conf/proxies\n"
    found = configure(f"{text}RemoteIPInternalProxyList conf/inner").server.settings[table.RemoteIPTrustedProxy]
    assert found == Proxies(("198.51.100.1", "192.0.2.7", "10.1.0.0/16", "2001:db8::/32"), ("127.0.0.1",))


def test_a_list_of_a_virtual_host_is_its_own(configure: Configure, site: Path) -> None:
    (site / "conf" / "proxies").write_text("192.0.2.7")
    text = "<VirtualHost *>\nRemoteIPTrustedProxyList conf/proxies\n</VirtualHost>"
    configuration = configure(text)
    assert configuration.hosts[0].settings[table.RemoteIPTrustedProxy].trusted == ("192.0.2.7",)
    assert configuration.server.settings[table.RemoteIPTrustedProxy].trusted == ()


def test_what_is_wrong_in_a_list_is_told_with_its_file_and_line(problems: Problems, site: Path) -> None:
    (site / "conf" / "proxies").write_text("# ours\n192.0.2.7\nproxy.example.org\n")
    [problem] = problems("RemoteIPTrustedProxyList conf/proxies")
    assert problem.startswith("proxies:3: RemoteIPTrustedProxy: expected an address")
    assert problem.endswith('found "proxy.example.org"')


def test_a_list_that_is_missing_is_an_error(problems: Problems) -> None:
    [problem] = problems("\nRemoteIPTrustedProxyList conf/none")
    assert problem.startswith(
        "gateway.conf:2: RemoteIPTrustedProxyList: expected a file of networks, found none at"
    )
    [problem] = problems("RemoteIPInternalProxyList")
    assert problem == "gateway.conf:1: RemoteIPInternalProxyList: expected one path, found nothing"


def test_a_list_stands_in_a_server_or_a_virtual_host(problems: Problems, site: Path) -> None:
    (site / "conf" / "proxies").write_text("192.0.2.7")
    [problem] = problems("<Location />\nRemoteIPTrustedProxyList conf/proxies\n</Location>")
    assert "expected in server, <VirtualHost>, found in <Location />" in problem
