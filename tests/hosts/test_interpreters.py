"""What a script can ask its interpreter is the same cold and warm, in the first call and later ones.

Two things are not: a warm perl finds what it loaded ahead of need by a hook at the head of @INC, and has loaded
warnings::register.
"""

from __future__ import annotations

import re

import pytest

from tests.blackbox.harness import Gateway
from tests.hosts.languages import STARTS

PYTHON = """
import gc, locale, logging, os, select, signal, socket, sys, tempfile, threading, time, warnings
calls = globals().get("calls", 0) + 1
facts = {
    "argv": sys.argv, "path": sys.path, "flags": sys.flags, "executable": sys.executable, "name": __name__,
    "file": __file__, "main": sys.modules["__main__"].__dict__ is globals(), "names": sorted(globals().keys()),
    "doc": __doc__, "builtins": type(__builtins__).__name__, "spec": globals().get("__spec__"),
    "recursion": sys.getrecursionlimit(), "switch": sys.getswitchinterval(), "gc": gc.isenabled(),
    "threads": [thread.name for thread in threading.enumerate()],
    "main thread": threading.main_thread().ident == threading.get_ident() == threading.current_thread().ident,
    "native": threading.get_native_id() == threading.main_thread().native_id == os.getpid(),
    "signals": [str(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
    "wakeup": signal.set_wakeup_fd(-1), "locale": locale.setlocale(locale.LC_ALL), "zone": time.tzname,
    "encodings": [sys.getfilesystemencoding(), sys.getdefaultencoding()],
    "streams": [[s.encoding, s.errors, s.newlines, s.fileno(), s.isatty()]
                for s in (sys.stdin, sys.stdout, sys.stderr)],
    "hooks": [sys.excepthook is sys.__excepthook__, sys.displayhook is sys.__displayhook__, sys.gettrace()],
    "filters": [str(one) for one in warnings.filters], "handlers": logging.root.handlers,
    "loaded": sorted({"html", "json", "cgi", "zygote", "codes", "python"} & vars().keys()),
    "time-out": socket.getdefaulttimeout(), "folder": tempfile.gettempdir(),
    "inheritable": [os.get_inheritable(number) for number in (0, 1, 2, 3)],
    "written": sys.dont_write_bytecode, "importers": [type(one).__name__ for one in sys.path_hooks],
    "finders": [str(one).partition(" at ")[0] for one in sys.meta_path],
}
handle = os.environ.get("HTSESSION_HANDLE") or os.environ["HTSESSION_NEXT_HANDLE"]
print(f"Accept-HTSession: {handle}\\nContent-Type: text/plain\\n\\nurl={os.environ['SCRIPT_NAME']} {handle}")
for name, value in facts.items():
    print(name, value)
"""

PERL = """
use strict;
use warnings;
our $calls = ($main::calls || 0) + 1;
my $handle = $ENV{HTSESSION_HANDLE} || $ENV{HTSESSION_NEXT_HANDLE};
print "Accept-HTSession: $handle\\nContent-Type: text/plain\\n\\nurl=$ENV{SCRIPT_NAME} $handle\\n";
print "inc @{[grep { !ref } @INC]}\\nargv @ARGV\\nname $0 @{[__FILE__, __LINE__, __PACKAGE__]}\\n";
print "caller ", join(' ', map { defined $_ ? $_ : 'undef' } caller), "\\n";
print "flags $^W ${^TAINT} ${^UNICODE} ${^UTF8LOCALE} $^H ", $^P, " $^X $;\\n";
print "signals ", join(' ', map { "$_=" . ($SIG{$_} // '') } sort keys %SIG), "\\n";
print "layers ", join(' ', map { PerlIO::get_layers($_) } *STDIN, *STDOUT, *STDERR), "\\n";
print "handles ", join(' ', map { fileno $_ } *STDIN, *STDOUT, *STDERR), " ", (-t STDIN) ? 1 : 0, "\\n";
print "separators ", join(' ', map { defined $_ ? unpack 'H*', $_ : 'undef' } $/, $\\, $,, $", $;), " $|\\n";
print "errors ", join(' ', map { defined $_ && length $_ ? $_ : 'none' } $@, $! + 0, $?), "\\n";
print "pid ", $$ == (readlink '/proc/self') ? 'own' : "other", "\\n";
print "modules ", join(' ', grep { $_ ne "warnings/register.pm" } sort keys %INC), "\\n";
print "names ", join(' ', grep { /^[a-zA-Z]\\w*$/ } sort keys %main::), "\\n";
print "packages ", join(' ', grep { /^(CGI|HTML|URI|JSON|POSIX|Storable)::$/ } sort keys %main::), "\\n";
"""
SCRIPTS = {"dump.py": PYTHON, "dump.other": PYTHON, "dump.pl": PERL}


@pytest.mark.needs("perl", "/usr/bin/python3")
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_learns_the_same_cold_and_warm(hosting: Gateway, name: str) -> None:
    cold, warm = (_told(hosting, start, name) for start in STARTS)
    different = [pair for pair in zip(cold, warm, strict=True) if pair[0] != pair[1]]
    assert not different, different


def _told(gateway: Gateway, start: str, name: str) -> list[str]:
    """The lines of a first and a later call, without the folder's name and the session's."""
    (gateway.folder / start / name).write_text(SCRIPTS[name])
    first = gateway.get(f"/{start}/{name}")
    found = re.search(r"url=(\S+) (\S+)\n", first.text)
    assert found is not None, gateway.log[-3000:]
    text = first.text + gateway.get(f"{found[1]}/{found[2]}").text
    return text.replace(f"/{start}", "/START").replace(found[2], "HANDLE").split("\n")
