"""Which virtual host answers (Apache, "An In-Depth Discussion of Virtual Host Matching")."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Configure

TEXT = """
    ServerName main.example
    <VirtualHost *:80>
      ServerName first.example:80
    </VirtualHost>
    <VirtualHost _default_:80>
      ServerName second.example
      ServerAlias other.example *.wild.example
    </VirtualHost>
    <VirtualHost 192.0.2.1:80>
      ServerName numbered.example
    </VirtualHost>
    <VirtualHost [::1]:81 192.0.2.1:*>
      ServerName six.example
    </VirtualHost>
    <VirtualHost *>
      ServerName any.example
    </VirtualHost>
"""


@pytest.mark.parametrize(
    ("address", "port", "header", "key"),
    [
        ("127.0.0.1", 80, "first.example", "first.example:80"),
        ("127.0.0.1", 80, "SECOND.Example:8080", "second.example:80"),
        ("127.0.0.1", 80, "other.example.", "second.example:80"),
        ("127.0.0.1", 80, "a.b.wild.example", "second.example:80"),
        ("127.0.0.1", 80, "unknown", "first.example:80"),
        ("127.0.0.1", 80, None, "first.example:80"),
        ("192.0.2.1", 80, "second.example", "numbered.example:80"),
        ("::ffff:192.0.2.1", 80, "x", "numbered.example:80"),
        ("192.0.2.1", 82, "x", "six.example:81"),
        ("::1", 81, "[::1]:81", "six.example:81"),
        ("0:0::1", 81, "x", "six.example:81"),
        ("127.0.0.1", 82, "first.example", "any.example:*"),
        (None, None, "any.example", "any.example:*"),
        (None, None, "numbered.example", "first.example:80"),
    ],
)
def test_a_host_is_chosen_by_address_then_name(
    configure: Configure, address: str | None, port: int | None, header: str | None, key: str
) -> None:
    configuration = configure(TEXT)
    assert configuration.select(address, port, header).key == key
    assert configuration.select(address, port, header) is configuration.select(address, port, header)


def test_without_a_fitting_address_the_main_server_answers(configure: Configure) -> None:
    configuration = configure("<VirtualHost *:80>\nServerName a\n</VirtualHost>\n")
    assert configuration.select("127.0.0.1", 81, "a") is configuration.server
    assert configure("").select(None, None, None).key == ""


def test_keys_stay_when_the_file_is_read_again_and_are_unique(configure: Configure, site: Path) -> None:
    text = "".join(f"<VirtualHost *:8{number}>\n</VirtualHost>\n" for number in (0, 1, 1))
    keys = [host.key for host in configure(text).hosts]
    assert keys == ["*:80", "*:81", "*:81#2"]
    assert [host.key for host in configure(f"Timeout 5\n{text}").hosts] == keys


def test_listeners_are_read_with_their_kinds(configure: Configure) -> None:
    text = "Listen 8080\nListen [::1]:8081 HTTP\nListen unix:run/socket\n"
    configuration = configure(text)
    assert [str(one) for one in configuration.listeners] == [
        "*:8080",
        "[::1]:8081",
        f"unix:{configuration.server_root}/run/socket",
    ]
    assert [str(one) for one in configure("").listeners] == ["127.0.0.1:8080"]
