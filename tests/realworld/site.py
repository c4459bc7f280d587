"""The site that the differential test compares: folders, programs and files of every kind."""

from __future__ import annotations

from pathlib import Path

from tests.realworld.pair import Pair

SITE = """\
ServerAdmin webmaster@example.org
DocumentRoot {root}/htdocs
ScriptAlias /cgi-bin/ {root}/cgi-bin/
ScriptAlias /one {root}/cgi-bin/env
Alias /scripts {root}/scripts
Alias /off {root}/scripts
SetEnv GIVEN "two words"
SetEnv EMPTY
<Directory {root}>
    Options None
</Directory>
<Directory {root}/htdocs>
    DirectoryIndex index.txt
</Directory>
<Directory {root}/scripts>
    Options FollowSymLinks
    AddHandler cgi-script .cgi
    DirectoryIndex index.cgi
</Directory>
<Location /scripts>
    Options +ExecCGI
</Location>
"""
# What it was given: its environment, its arguments and its body
ENV = """\
#!/usr/bin/perl
binmode STDIN; binmode STDOUT; local $/;
my $body = <STDIN>;
print "Content-Type: application/octet-stream\\r\\n\\r\\n%env";
print "\\0$_=$ENV{$_}" for sort keys %ENV;
print "\\0(arguments)=", join("|", @ARGV), "\\0(body)=$body";
"""
# What it is told: the query is the output in hexadecimal digits
SAY = """\
#!/usr/bin/perl
binmode STDOUT; print pack("H*", $ENV{QUERY_STRING});
"""
BYTES = """\
#!/usr/bin/perl
binmode STDOUT; print "Content-Type: application/octet-stream\\n\\n", map { chr } 0 .. 255;
"""
EXIT = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nbody'\nexit 3\n"
NPH = "#!/bin/sh\nprintf 'HTTP/1.1 202 Taken\\r\\nContent-Type: text/plain\\r\\nX-A: b\\r\\n\\r\\nbody'\n"


def new_pair(root: Path) -> Pair:
    """Both servers on the site, not yet started. `root` is a new folder that every user can reach."""
    pair = Pair(root, SITE)
    for name in ("cgi-bin/env", "cgi-bin/deep/env", "scripts/run.cgi", "scripts/index.cgi"):
        pair.program(name, ENV)
    pair.program("scripts/with blank.cgi", ENV)
    (root / "scripts/link.cgi").symlink_to("run.cgi")
    pair.program("cgi-bin/say", SAY)
    pair.program("cgi-bin/bytes", BYTES)
    pair.program("cgi-bin/exit", EXIT)
    pair.program("cgi-bin/nph-say", NPH)
    pair.program("cgi-bin/broken", "#!/no/such/interpreter\n")
    (root / "cgi-bin/data").write_text("data\n")
    (root / "scripts/note.txt").write_text("a note\n")
    (root / "htdocs/file.txt").write_text("a file\n")
    (root / "htdocs/folder").mkdir()
    (root / "htdocs/folder/index.txt").write_text("an index\n")
    return pair
