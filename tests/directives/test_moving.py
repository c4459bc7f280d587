"""Files of Apache and of IBM i load with notices only; what would be missed or is a guard is never dropped."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli_config import check, directives
from gateway.configuration.load import Configuration, ConfigurationErrors, load
from gateway.directives import table
from gateway.directives.foreign.ignored import IGNORED
from gateway.directives.foreign.refused import HARMLESS, REFUSED, REFUSED_SECTIONS, harmless, refusal
from gateway.directives.steering import ROWS

from .conftest import Configure, Problems
from .moved import DATA, MAIN_FILES, envvars, installed_debian, lay_out

OF_IBM = """
    CGIConvMode CGIJobCCSID CGIJobLocale CGIMultiThreaded MaxThreadedCGIJobs StartThreadedCGI CgiInitialUrl
    UserID HotBackup DefaultFsCCSID DefaultNetCCSID LogMaint LogCycle HTTPSubsystemDesc HTTPStartJobQueue
    HTTPRoutingData AlwaysDirectoryIndex RuleCaseSense ServerUserID TraceEnable ThreadsPerChild
"""
WITH_REMARKS = {
    "cgirecyclepersist",
    "startcgi",
    "loadmodule",
    "options",
    "sethandler",
    "setenv",
    "user",
    "group",
    "suexecusergroup",
}
REFUSED_WITH_THESE_WORDS = {"authconfig", "limit", "authtype", "form", "require", "addtype", "sethandler"}
IDLE = (" no effect ", " is skipped: ", "nothing of these modules' work", "as root")


def notices(configuration: Configuration) -> dict[str, str]:
    """The notices by their places below the root, without those about who runs the tests."""
    return {
        f"{Path(one.place.file).name}:{one.place.line}": one.text
        for one in configuration.notices
        if one.place.line and "User" not in one.text and "Group" not in one.text
    }


# ---- whole files


@pytest.mark.parametrize("style", MAIN_FILES)
def test_a_file_of_this_style_loads_with_notices_only(style: str, tmp_path: Path) -> None:
    main = lay_out(style, tmp_path, 8080, 8443)
    found = notices(load(str(main), environ=envvars(tmp_path)))
    assert found
    assert [text for text in found.values() if not any(mark in text for mark in IDLE)] == []


@pytest.mark.needs("apache2")
def test_the_stock_debian_files_of_this_machine_load_with_notices_only(tmp_path: Path) -> None:
    main = installed_debian(tmp_path / "apache2", 8080)
    configuration = load(str(main), environ=envvars(tmp_path) | {"APACHE_LOG_DIR": str(tmp_path)})
    assert [text for text in notices(configuration).values() if not any(mark in text for mark in IDLE)] == []
    assert configuration.server_root == str(main.parent)
    assert any(host.settings[table.DocumentRoot] == "/var/www/html" for host in configuration.hosts)


@pytest.mark.needs("apache2")
@pytest.mark.parametrize("module", ["actions", "cgid", "ssl", "headers", "rewrite", "proxy_http", "expires"])
def test_the_modules_that_debian_can_enable_load_as_well(module: str, tmp_path: Path) -> None:
    main = installed_debian(tmp_path / "apache2", 8080)
    for file in (main.parent / "mods-available").glob(f"{module}.*"):
        shutil.copy(file, main.parent / "mods-enabled" / file.name)
    load(str(main), environ=envvars(tmp_path) | {"APACHE_LOG_DIR": str(tmp_path)})


def test_debians_own_main_file_counts_from_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "apache2.conf").write_text("IncludeOptional mods-enabled/*.conf\nDocumentRoot html\n")
    (tmp_path / "html").mkdir()
    assert load(str(tmp_path / "apache2.conf")).server.settings[table.DocumentRoot] == f"{tmp_path}/html"


def test_what_a_debian_file_says_is_what_is_served(tmp_path: Path) -> None:
    main = lay_out("debian", tmp_path, 8080, 8443)
    configuration = load(str(main), environ=envvars(tmp_path))
    plain, tls = configuration.hosts
    assert dict(plain.settings[table.ScriptAlias]) == {
        "/tools/": f"{tmp_path}/var/www/tools/",
        "/cgi-bin/": f"{tmp_path}/usr/lib/cgi-bin/",
    }
    assert tls.settings[table.SSLEngine] == "On"
    assert len(configuration.listeners) == 2


def test_check_says_exactly_what_is_ignored_and_why(tmp_path: Path) -> None:
    main = lay_out("ibm-i", tmp_path, 8080, 8443)
    result = CliRunner().invoke(check, [str(main)])
    assert result.exit_code == 0, result.output
    lines = [line.strip() for line in result.output.splitlines()]
    assert lines.index(f"{main}: no problems") < lines.index("accepted without effect:")
    for name in OF_IBM.split():
        [line] = [one for one in lines if f" notice: {name} has no effect here: " in one]
        text = main.read_text().splitlines()
        assert text[int(line.split(":")[1]) - 1].split()[0] == name
    assert any("CGIRecyclePersist On has no effect yet: " in line for line in lines)


def test_check_shows_hosts_with_addresses_names_tls_programs_access_and_logs(tmp_path: Path) -> None:
    main = lay_out("debian", tmp_path, 8080, 8443)
    result = CliRunner(env=envvars(tmp_path)).invoke(check, [str(main)])
    assert result.exit_code == 0, result.output
    for line in (
        "<VirtualHost *:8080> www.example.org:",
        "  ServerAlias example.org",
        f"  ScriptAlias /tools/ {tmp_path}/var/www/tools/",
        f"  CustomLog {tmp_path}/var/log/apache2/cgi-access.log combined",
        "  SSLEngine On",
        f"  <Directory {tmp_path}/var/www/tools>: "
        "Options +ExecCGI; AddHandler cgi-script .pl; Require all granted",
        f"  <Location /tools/hello/private>: AuthType Basic; AuthUserFile {tmp_path}/etc/apache2/htpasswd; "
        "Require valid-user",
    ):
        assert line in result.output.splitlines()


def test_check_strict_counts_notices(tmp_path: Path) -> None:
    file = tmp_path / "gateway.conf"
    file.write_text("StartServers 5\n")
    assert CliRunner().invoke(check, [str(file)]).exit_code == 0
    assert CliRunner().invoke(check, [str(file), "--strict"]).exit_code == 1


def test_check_prints_problems_first_and_notices_behind_them(tmp_path: Path) -> None:
    file = tmp_path / "gateway.conf"
    file.write_text("StartServers 5\nRewriteRule a b\n")
    result = CliRunner().invoke(check, [str(file)])
    assert result.exit_code == 1
    problem, title, notice = result.stderr.splitlines()
    assert problem.startswith(f"{file}:2: RewriteRule is not served: ")
    assert (title, notice.startswith(f"  {file}:1: notice: StartServers")) == ("accepted without effect:", True)


def test_folders_that_do_not_exist_are_errors_with_their_place(tmp_path: Path) -> None:
    main = lay_out("debian", tmp_path, 8080, 8443)
    (tmp_path / "var/www/tools/hello").unlink()
    (tmp_path / "var/www/tools").rmdir()
    with pytest.raises(ConfigurationErrors) as caught:
        load(str(main), environ=envvars(tmp_path))
    site = main.parent / "sites-enabled/000-cgi.conf"
    there = "expected something that exists, found nothing at"
    assert [str(one) for one in caught.value.problems] == [
        f"{site}:14: ScriptAlias: {there} {tmp_path}/var/www/tools/"
    ]


def test_a_variable_of_envvars_that_is_missing_is_named(problems: Problems) -> None:
    [problem] = problems("ErrorLog ${APACHE_LOG_DIR}/error.log\n")
    assert "its ${…} is not defined: use Define, -D or the environment" in problem


def test_10000_lines_of_what_has_no_effect_are_one_notice(configure: Configure) -> None:
    [notice] = [one for one in configure("AddIcon /icons/a.gif .a\n" * 10_000).notices if one.place.line]
    assert notice.text.endswith("folders are not listed (and 9999 more)")


# ---- what is refused


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("RewriteEngine On", "URLs are not rewritten: use Alias"),
        ("RewriteRule ^/a /b", "URLs are not rewritten: use Alias"),
        ("ProxyPass /app http://127.0.0.1:3000/", "put a reverse proxy in front"),
        ("Header set X-Frame-Options DENY", "let a reverse proxy in front change others"),
        ("RequestHeader set X-A b", "let a reverse proxy in front change others"),
        ("ExpiresActive On", "headers are not changed here"),
        ("AddOutputFilter INCLUDES .shtml", "responses are not filtered"),
        ("SetOutputFilter INCLUDES", "responses are not filtered"),
        ("Action my-type /cgi-bin/x", "name the program itself"),
        ("SecRuleEngine On", "run it in a proxy in front"),
        ("PasswdFile %%SYSTEM%%", "make one with htpasswd"),
        ("ProfileToken On", "make one with htpasswd"),
        ("GroupFile /docs/restrict.group", "use AuthGroupFile"),
        ("SSLAppName QIBM_HTTP_SERVER_APACHEDFT", "write SSLEngine On, SSLCertificateFile"),
        ("SSLClientAuth 2", "certificates of clients are not checked"),
        ("SSLVerifyClient require", "certificates of clients are not checked"),
        ("SSLOptions +StdEnvVars +FakeBasicAuth", "certificates of clients are not checked"),
        ("SSLRequireSSL", "a virtual host of its own on the TLS port"),
        ("SSLVersion SSLV2", "TLS 1.2 and newer are spoken"),
        ("AuthLDAPURL ldap://x", "AuthUserFile and AuthGroupFile are what guards a place here"),
        ("AuthDigestDomain /", "AuthUserFile and AuthGroupFile are what guards a place here"),
        ("AllowOverride All", "move them into <Directory>"),
        ("AllowOverride AuthConfig FileInfo", "move them into <Directory>"),
        ("AllowMethods GET", "write Require method"),
        ("UserDir public_html", "use AliasMatch"),
        ("VirtualDocumentRoot /www/%0", "virtual hosts are written one by one"),
        ("DAV On", "run a WebDAV server"),
        ("php_value a b", "PHP runs as a CGI program here"),
        ("ChrootDir /srv", "RootDirectory"),
        ("Use Site a", "write the lines out"),
    ],
)
def test_what_would_be_missed_is_refused_with_what_to_do_instead(
    problems: Problems, line: str, text: str
) -> None:
    [problem] = problems(f"{line}\n")
    assert problem.startswith(f"gateway.conf:1: {line.split()[0]} is not served: ")
    assert text in problem


@pytest.mark.parametrize(
    "line",
    [
        "RewriteEngine Off",
        "ProxyRequests Off",
        "ExpiresActive off",
        "RequestHeader unset Proxy early",
        "SetOutputFilter DEFLATE",
        "AddOutputFilterByType DEFLATE text/html text/css",
        "AllowOverride None",
        "AllowOverride none",
        "AllowOverride FileInfo Options=Indexes",
        "UserDir disabled",
        "SSLVerifyClient none",
        "SSLClientAuth None",
        "SSLOptions +StdEnvVars",
        "SSLVersion TLSv1.2 TLSv1.3",
        "ProfileToken Off",
        "AsAuthAuthoritative On",
    ],
)
def test_a_refused_directive_that_asks_for_nothing_is_accepted(configure: Configure, line: str) -> None:
    assert any(one.text.startswith(f"{line} has no effect here: ") for one in configure(line).notices)


@pytest.mark.parametrize(
    "lines",
    ["SSLVersion TLSv1.3", "SSLVersion TLSv1", "AllowOverride None AuthConfig", "RequestHeader unset X"],
)
def test_what_is_nearly_harmless_is_refused(problems: Problems, lines: str) -> None:
    assert len(problems(lines)) == 1


@pytest.mark.parametrize(
    ("section", "text"),
    [
        ("If \"%{HTTP_HOST} == 'x'\"", "expressions are not evaluated"),
        ("Proxy *", "put a reverse proxy in front"),
        ("AuthnProviderAlias file one", "AuthUserFile and AuthGroupFile are what guards"),
        ("Macro Site $name", "write the lines out"),
    ],
)
def test_a_refused_section_is_one_problem_whatever_is_in_it(
    problems: Problems, section: str, text: str
) -> None:
    name = section.split()[0]
    [problem, other] = problems(f"<{section}>\nRubbish\n<Nested>\n</Nested>\n</{name}>\nRubbish\n")
    assert problem.startswith(f"gateway.conf:1: <{name}> is not served: ") and text in problem
    assert other.startswith("gateway.conf:6: ")


@pytest.mark.parametrize(
    "line",
    [
        "AddType application/x-httpd-php .php",
        "AddHandler php5-script .php",
        'SetHandler "proxy:unix:/run/php/php8.2-fpm.sock|fcgi://localhost"',
        "SetHandler application/x-httpd-php",
        "AddHandler server-parsed .shtml",
    ],
)
def test_handlers_without_which_source_would_be_shown_are_refused(problems: Problems, line: str) -> None:
    assert "source would be shown" in problems(line)[0]


def test_handlers_that_show_nothing_may_stand(configure: Configure) -> None:
    text = "AddHandler type-map var\n<Location /server-info>\n  SetHandler server-info\n</Location>\n"
    assert [one.text for one in configure(text).notices if one.place.line] == [
        "the handler type-map has no effect here: its files are sent as they are",
        "the handler server-info has no effect here: its files are sent as they are",
    ]


def test_the_gateways_own_handlers_are_for_places_and_not_for_extensions(configure: Configure) -> None:
    for name in ("server-status", "server-metrics", "server-health", "server-ready"):
        assert configure(f"<Location /own>\n  SetHandler {name}\n</Location>\n").notices == ()
        (notice,) = configure(f"AddHandler {name} .x\n").notices
        assert notice.text == f"the handler {name} has no effect here: its files are sent as they are"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("RewriteRule", "not served: URLs are not rewritten"),
        ("<Proxy>", "not served"),
        ("pidfile", "without effect"),
    ],
)
def test_the_command_explains_what_is_refused_and_ignored(name: str, text: str) -> None:
    assert text in CliRunner().invoke(directives, [name]).output


# ---- modules


def test_modules_whose_work_is_not_done_are_listed_once(configure: Configure) -> None:
    text = "".join(f"LoadModule {name}_module m.so\n" for name in ("alias", "deflate", "mpm_event", "rewrite"))
    assert [one.text for one in configure(text).notices if one.place.line] == [
        "LoadModule: nothing of these modules' work is done here: mod_deflate, mod_rewrite"
    ]


def test_a_section_of_a_module_whose_work_is_not_done_is_skipped_with_a_notice(configure: Configure) -> None:
    text = "<IfModule mod_rewrite.c>\n  RewriteRule ^/a /b\n  <Nonsense>\n  </Nonsense>\n</IfModule>\n"
    [notice] = [one for one in configure(text * 3).notices if one.place.line]
    assert str(notice).endswith(
        "gateway.conf:1: notice: <IfModule mod_rewrite.c> is skipped: "
        "nothing of this module's work is done here (and 2 more)"
    )


@pytest.mark.parametrize(
    "rule",
    [
        "Require valid-user",
        "Deny from all",
        "SSLRequireSSL",
        "RewriteRule ^/private - [F]",
        "SecRule A b",
        "<Limit GET>",
    ],
)
def test_a_guard_in_a_skipped_section_of_a_loaded_module_is_refused(problems: Problems, rule: str) -> None:
    end = "</Limit>\n" if rule.startswith("<") else ""
    section = f"<IfModule mod_foreign.c>\n<IfModule alias_module>\n{rule}\n{end}</IfModule>\n</IfModule>\n"
    [problem] = problems(f"LoadModule foreign_module m.so\n{section}")
    name = rule.split()[0].strip("<>")
    assert problem.startswith(f"gateway.conf:4: {name} would not be obeyed: ")


def test_a_guard_in_a_skipped_section_that_apache_would_skip_too_is_no_problem(configure: Configure) -> None:
    configure("<IfModule mod_foreign.c>\n  Require all denied\n</IfModule>\n")
    configure("<IfModule !mod_alias.c>\n  Deny from all\n</IfModule>\n")


def test_tls_counts_as_there_only_if_a_file_that_loads_modules_loads_it(configure: Configure) -> None:
    text = "Listen 127.0.0.1:80\n<IfModule ssl_module>\n  Listen 127.0.0.1:443\n</IfModule>\n"
    assert len(configure(text).listeners) == 2
    assert len(configure(f"LoadModule alias_module m.so\n{text}").listeners) == 1
    assert len(configure(f"LoadModule ssl_module m.so\n{text}").listeners) == 2


# ---- conditions


@pytest.mark.parametrize(
    ("condition", "read"),
    [
        ("IfVersion >= 2.4", True),
        ("IfVersion < 2.4", False),
        ("IfVersion > 2", True),
        ("IfVersion !> 2", False),
        ("IfVersion <= 2.4.58", True),
        ("IfVersion 2.4.58", True),
        ("IfVersion = 2.4", False),
        ("IfVersion ~ ^2\\.4", True),
        ("IfVersion = /^2\\.2/", False),
        ("IfFile conf/gateway.conf", True),
        ("IfFile !conf", False),
        ("IfFile conf/none", False),
        ("IfDirective ScriptAlias", True),
        ("IfDirective RewriteRule", False),
        ("IfDirective StartServers", True),
        ("IfSection Directory", True),
        ("IfSection !<Proxy>", True),
        ("IfModule cgid_module", True),
        ("IfModule !mod_cgid.c", False),
        ("IfModule mod_rewrite.c", False),
    ],
)
def test_conditions_are_those_of_apache(configure: Configure, condition: str, read: bool) -> None:
    name = condition.split()[0]
    settings = configure(f"<{condition}>\n  Timeout 5\n</{name}>\n").server.settings
    assert (settings[table.Timeout] == 5) is read


@pytest.mark.parametrize(
    "condition", ["IfVersion", "IfVersion > x", "IfVersion => 2", "IfVersion ~ (", "IfFile"]
)
def test_malformed_conditions_are_refused(problems: Problems, condition: str) -> None:
    name = condition.split()[0]
    assert problems(f"<{condition}>\n</{name}>\n")[0].startswith(f"gateway.conf:1: <{name}>: expected ")


def test_error_refuses_the_file_where_it_is_read(problems: Problems) -> None:
    text = '<IfVersion < 2>\n  Error "old"\n</IfVersion>\nError "set SITE first"\n'
    assert problems(text) == ["gateway.conf:4: Error: set SITE first"]


# ---- the tables


def test_a_name_is_obeyed_ignored_or_refused_and_only_one_of_these() -> None:
    assert set(IGNORED) & set(ROWS) == set()
    assert (set(REFUSED) | set(REFUSED_SECTIONS)) & set(ROWS) == set()
    assert set(IGNORED) & set(REFUSED) == set()


def test_harmless_arguments_belong_to_refused_directives() -> None:
    assert {name for name in HARMLESS if refusal(name) is None} == set()
    assert harmless("rewriteENGINE", "  OFF ") and not harmless("RewriteEngine", "On")


def test_every_directive_of_the_modules_that_people_have_is_known() -> None:
    names = (DATA / "directives.txt").read_text().split()
    assert len(names) > 300
    assert [name for name in names if not _known(name)] == []


def _known(name: str) -> bool:
    lowered = name.lower()
    return lowered in ROWS or lowered in IGNORED or lowered in REFUSED_SECTIONS or refusal(name) is not None


# ---- the documentation's examples

DOCS = Path(__file__).parents[2] / "docs"


def example(page: str, which: str, root: Path) -> Configuration:
    """Load an example of a page, with its absolute folders below root."""
    [text] = re.findall(rf"^```apache {which}\n(.*?)^```$", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)
    for folder in ("var/www/html", "usr/lib/cgi-bin", "www/webserver/htdocs", "qsys.lib/mylib.lib"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for folder in ("htdocs", "logs", "programs", "conf"):
        (root / "srv/www/webserver" / folder).mkdir(parents=True, exist_ok=True)
    (root / "srv/www/webserver/conf/users").write_text("")
    text = re.sub(r" (/(?:var|usr|www|srv|qsys\.lib)/)", rf" {root}\1", text)
    main = root / "srv/www/webserver/conf/httpd.conf"
    main.write_text(text)
    return load(str(main), environ={"APACHE_LOG_DIR": str(root)})


def test_the_example_of_apache_has_the_problems_that_the_page_names(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationErrors) as caught:
        example("moving-from-apache.md", "before", tmp_path)
    assert [one.text.split()[0] for one in caught.value.problems] == ["AllowOverride", "Header"]
    assert any("<IfModule mod_rewrite.c> is skipped" in one.text for one in caught.value.notices)


def test_the_example_of_ibm_i_has_the_problems_that_the_page_names(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationErrors) as caught:
        example("moving-from-ibm-i.md", "before", tmp_path)
    assert [one.text.split()[0] for one in caught.value.problems] == ["PasswdFile"]


@pytest.mark.parametrize("page", ["moving-from-apache.md", "moving-from-ibm-i.md"])
def test_the_examples_load_after_the_move(page: str, tmp_path: Path) -> None:
    assert notices(example(page, "after", tmp_path))


def named(page: str, title: str, column: int | None = None) -> set[str]:
    """The directives that a section of a page names, in lower case, in one column of its table or anywhere."""
    section = (DOCS / page).read_text().partition(f"## {title}\n")[2].partition("\n## ")[0]
    lines = section.splitlines()
    if column is not None:
        lines = [line.split("|")[column] for line in lines if line.startswith("|")]
    return {
        word.lower() for line in lines for word in re.findall(r"`<?([A-Z][A-Za-z]{3,})(?:[ >][^`]*)?`", line)
    }


@pytest.mark.parametrize("page", ["moving-from-apache.md", "moving-from-ibm-i.md"])
def test_the_pages_say_of_each_directive_what_is_true(page: str) -> None:
    works = named(page, "What works the same") - {"match"}
    idle = named(page, "What has no effect")
    refused = named(page, "What is refused, and what to do instead", 1)
    assert works and {name for name in works if name not in ROWS} == set()
    assert idle and {name for name in idle if name not in IGNORED} <= WITH_REMARKS
    assert refused and {name for name in refused if not _refused(name)} <= REFUSED_WITH_THESE_WORDS


def _refused(name: str) -> bool:
    return refusal(name) is not None or name in REFUSED_SECTIONS
