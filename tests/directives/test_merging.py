"""Apache's merging order and matching (spec 3, "Merging follows Apache")."""

from __future__ import annotations

import pytest

from gateway.directives import table
from gateway.directives.hosts import Host

from .conftest import Configure

ORDER = """
    SetEnv TRACE main
    <Location /x>
      SetEnv TRACE location-main
      SetEnv L m
    </Location>
    <Files *.py>
      Sethandler cgi-script
    </Files>
    <DirectoryMatch "^/srv/a/">
      SetEnv TRACE match-main
    </DirectoryMatch>
    <Directory /srv/a/b>
      SetEnv TRACE long-main
    </Directory>
    <Directory /srv>
      SetEnv TRACE short-main
      SetEnv S m
    </Directory>
    <VirtualHost *:80>
      SetEnv TRACE host
      <Directory /srv/a>
        SetEnv TRACE middle-host
      </Directory>
      <Directory /srv/*>
        SetEnv TRACE wild-host
      </Directory>
      <Location /x/y>
        SetEnv TRACE location-host
      </Location>
    </VirtualHost>
"""


def trace(host: Host, url: str, file: str | None) -> str:
    return host.lookup(url, file)[table.SetEnv].effective({})["TRACE"]


def test_sections_are_merged_in_apaches_order(configure: Configure) -> None:
    configuration = configure(ORDER)
    main, [host] = configuration.server, configuration.hosts
    assert trace(main, "/", None) == "main"
    assert trace(host, "/", None) == "host"
    assert trace(host, "/", "/srv/f") == "short-main"
    assert trace(host, "/", "/srv/z/f") == "wild-host"
    assert trace(host, "/", "/srv/a/f") == "match-main"
    assert trace(host, "/x", "/srv/a/b/f") == "location-main"
    assert trace(host, "/x/y/z", "/srv/a/b/f") == "location-host"
    assert trace(main, "/x/y/z", "/srv/a/b/f") == "location-main"
    assert host.lookup("/x/y", "/srv/a/f.py")[table.SetHandler] == "cgi-script"


def test_directories_of_one_length_keep_the_files_order_main_server_first(configure: Configure) -> None:
    text = """
        <Directory /srv/b>
          Options ExecCGI
        </Directory>
        <VirtualHost *:80>
          <Directory /srv/*>
            Options -ExecCGI +FollowSymLinks
          </Directory>
        </VirtualHost>
        <Directory /*/b>
          Options +Indexes
        </Directory>
    """
    [host] = configure(text).hosts
    found = host.lookup("/", "/srv/b/f")[table.Options]
    assert [name in found for name in ("ExecCGI", "FollowSymLinks", "Indexes")] == [False, True, True]


def test_files_within_a_directory_count_there_only(configure: Configure) -> None:
    text = """
        <Directory /srv>
          <Files "?.cgi">
            SetHandler cgi-script
          </Files>
          <FilesMatch "^no">
            SetHandler None
          </FilesMatch>
        </Directory>
        <Files ~ "\\.x$">
          SetHandler cgi-script
        </Files>
    """
    host = configure(text).server
    handlers = {
        file: host.lookup("/", file)[table.SetHandler] for file in ("/srv/a.cgi", "/srv/ab.cgi", "/a.cgi")
    }
    assert handlers == {"/srv/a.cgi": "cgi-script", "/srv/ab.cgi": None, "/a.cgi": None}
    assert host.lookup("/", "/a.x")[table.SetHandler] == "cgi-script"
    assert host.lookup("/", "/srv/no.x")[table.SetHandler] is None


@pytest.mark.parametrize(
    ("section", "yes", "no"),
    [
        ("Location /a", ["/a", "/a/", "/a/b"], ["/", "/ab", "/A"]),
        ("Location /a/", ["/a/", "/a/b"], ["/a", "/ab"]),
        ("Location /", ["/", "/a"], []),
        ("Location /a/*/c", ["/a/b/c"], ["/a/b/d/c", "/a/b/c/d", "/a/c"]),
        ("Location /a[0-9]?", ["/a1x"], ["/ax1", "/a1/"]),
        ("Location /a[!0-9]", ["/ab"], ["/a1", "/a/"]),
        ('Location ~ "/(b|c)$"', ["/x/b", "/c"], ["/b/x"]),
        ('LocationMatch "^/(?<who>[a-z]+)/"', ["/abc/"], ["/abc", "/1/"]),
    ],
)
def test_locations_match_as_in_apache(
    configure: Configure, section: str, yes: list[str], no: list[str]
) -> None:
    host = configure(f"<{section}>\nLimitRequestBody 1\n</{section.split()[0]}>\n").server
    matched = [url for url in (*yes, *no) if host.lookup(url, None)[table.LimitRequestBody] == 1]
    assert matched == yes


@pytest.mark.parametrize(
    ("section", "yes", "no"),
    [
        ("Directory /a/b", ["/a/b/f", "/a/b/c/f"], ["/a/f", "/a/bc/f"]),
        ("Directory /", ["/f", "/a/b"], []),
        ("Directory /a/*/c/", ["/a/b/c/f", "/a/b/c/d/f"], ["/a/c/f", "/a/b/d/c/f"]),
        ('Directory ~ "/c[0-9]/"', ["/a/c1/f"], ["/a/c1"]),
        ('DirectoryMatch "^/a/.*/d"', ["/a/b/d/f"], ["/a/d/f"]),
    ],
)
def test_directories_match_as_in_apache(
    configure: Configure, section: str, yes: list[str], no: list[str]
) -> None:
    host = configure(f"<{section}>\nLimitRequestBody 1\n</{section.split()[0]}>\n").server
    assert [file for file in (*yes, *no) if host.lookup("/", file)[table.LimitRequestBody] == 1] == yes


def test_directory_paths_start_at_the_server_root(configure: Configure) -> None:
    configuration = configure("<Directory cgi-bin>\nLimitRequestBody 1\n</Directory>\n")
    file = f"{configuration.server_root}/cgi-bin/x"
    assert configuration.server.lookup("/", file)[table.LimitRequestBody] == 1


def test_options_merge_relative_ones_and_replace_by_absolute_ones(configure: Configure) -> None:
    text = """
        Options FollowSymLinks
        Options +ExecCGI
        <Location /a>
          Options -FollowSymLinks
        </Location>
        <Location /a/b>
          Options FollowSymLinks
        </Location>
    """
    host = configure(text).server
    names = ("ExecCGI", "FollowSymLinks")
    found = {
        url: [name in host.lookup(url, None)[table.Options] for name in names] for url in ("/", "/a", "/a/b")
    }
    assert found == {"/": [True, True], "/a": [True, False], "/a/b": [False, True]}


def test_values_that_add_up_are_merged_by_their_rows_rule(configure: Configure) -> None:
    text = """
        Alias /a htdocs
        ScriptAlias /cgi cgi-bin
        SetEnv A 1
        SetEnv B 2
        PassEnv HOME
        CGIActivationGroup python .py .pyw
        AddHandler cgi-script .cgi pl
        DirectoryIndex a.html
        DirectoryIndex b.html
        <VirtualHost *:80>
          Alias /b cgi-bin
          UnsetEnv A
          SetEnv HOME here
          AddHandler cgi-script .SH
          DirectoryIndex c.html
        </VirtualHost>
    """
    configuration = configure(text)
    main, host = configuration.server.settings, configuration.hosts[0].settings
    root = configuration.server_root
    assert host[table.Alias] == (("/b", f"{root}/cgi-bin"), ("/a", f"{root}/htdocs"))
    assert host[table.ScriptAlias] == (("/cgi", f"{root}/cgi-bin"),)
    assert main[table.SetEnv].effective({"HOME": "h", "USER": "u"}) == {"A": "1", "B": "2", "HOME": "h"}
    assert host[table.SetEnv].effective({"HOME": "h"}) == {"B": "2", "HOME": "here"}
    assert host[table.UnsetEnv] is host[table.SetEnv]
    assert set(host[table.AddHandler]) == {".cgi", ".pl", ".sh"}
    assert (main[table.DirectoryIndex], host[table.DirectoryIndex]) == (("a.html", "b.html"), ("c.html",))
    assert host[table.CGIActivationGroup][".pyw"].kind == "python"


def test_a_default_can_be_another_directives_value(configure: Configure) -> None:
    settings = configure("Timeout 7\n").server.settings
    assert (settings[table.CGIScriptTimeout], settings.origin(table.CGIScriptTimeout)) == (7.0, "default")
    assert configure("Timeout 7\nCGIScriptTimeout 8\n").server.settings[table.CGIScriptTimeout] == 8.0


def test_one_set_of_sections_gives_one_settings_object(configure: Configure) -> None:
    host = configure(ORDER).server
    assert host.lookup("/x/1", None) is host.lookup("/x/2", None)
    assert host.lookup("/z", None) is not host.lookup("/x", None)
