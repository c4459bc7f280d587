"""The programs of the soak: each counts the requests of a session, in four ways of persisting.

`?end` ends a session, `?die` makes a program that is not shared die.
"""

import shutil
import subprocess
from pathlib import Path

from bench.servers import ROOT

_C = r"""
#include "htsession.h"
#include <string.h>

int main(void)
{
    unsigned long count = 0;
    while (htsession_accept()) {
        const char *query = getenv("QUERY_STRING");
        char body[300];
        if (query && !strcmp(query, "die"))
            _exit(3);
        int size = snprintf(body, sizeof body, "%lu %s", ++count, htsession_handle());
        if (!query || strcmp(query, "end"))
            printf("Accept-HTSession: %s\n", htsession_handle());
        printf("Content-Type: text/plain\nContent-Length: %d\n\n%s", size, body);
    }
    return 0;
}
"""
_PYTHON = """#!/usr/bin/env python3
import os
count = 0
if __name__ == "__main__":
    count += 1
    query = os.environ["QUERY_STRING"]
    if query == "die":
        os._exit(3)
    handle = os.environ.get("HTSESSION_HANDLE") or os.environ["HTSESSION_NEXT_HANDLE"]
    body = f"{count} {handle}"
    if query != "end":
        print("Accept-HTSession:", handle)
    print(f"Content-Type: text/plain\\nContent-Length: {len(body)}\\n\\n{body}", end="")
"""
_PERL = """#!/usr/bin/env perl
use strict;
our $count;
$count++;
my $query = $ENV{QUERY_STRING} || '';
if ($query eq 'die') { require POSIX; POSIX::_exit(3) }
my $handle = $ENV{HTSESSION_HANDLE} || $ENV{HTSESSION_NEXT_HANDLE};
my $body = "$count $handle";
print "Accept-HTSession: $handle\\n" if $query ne 'end';
print "Content-Type: text/plain\\nContent-Length: ", length $body, "\\n\\n$body";
"""
_SHARED = """#!/usr/bin/env python3
import os, sys
sys.path.append(os.environ["HTSESSION_LIB"])
import htsession

counts = {}
for request in htsession.requests():
    for over in request.get("HTSESSION_ENDED", "").split():
        counts.pop(over, None)
    handle = request.get("HTSESSION_HANDLE") or request["HTSESSION_NEXT_HANDLE"]
    counts[handle] = counts.get(handle, 0) + 1
    body = f"{counts[handle]} {handle}"
    if request["QUERY_STRING"] == "end":
        del counts[handle]
    else:
        print("Accept-HTSession:", handle)
    print(f"Content-Type: text/plain\\nContent-Length: {len(body)}\\n\\n{body}", end="")
"""
SHARED = "shared.cgi"
_TEXTS = {"hosted.py": _PYTHON, "hosted.pl": _PERL, SHARED: _SHARED}


def write(folder: Path) -> list[str]:
    """Write and build the programs into `cgi-bin`; the names of those that can run here, others are named."""
    place = folder / "cgi-bin"
    place.mkdir()
    for name, text in _TEXTS.items():
        (place / name).write_text(text)
        (place / name).chmod(0o755)
    names = ["hosted.py", SHARED]
    if shutil.which("perl"):
        names.append("hosted.pl")
    else:
        print("Perl sessions: skipped: perl is missing (Debian: apt-get install perl)")
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        print("C sessions: skipped: a C compiler is missing (Debian: apt-get install gcc libc6-dev)")
        return names
    (folder / "looping.c").write_text(_C)
    command = [
        compiler,
        "-O2",
        f"-I{ROOT}/gateway/helpers",
        "-o",
        str(place / "looping"),
        str(folder / "looping.c"),
    ]
    subprocess.run(command, check=True)
    return ["looping", *names]
