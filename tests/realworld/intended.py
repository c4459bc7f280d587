"""Where the gateway differs from Apache on purpose, and why. Whatever is not here has to be the same."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """Facts that differ in these cases: name -> (the gateway's, Apache's), None where there is none."""

    reason: str
    cases: tuple[str, ...]
    facts: dict[str, tuple[str | None, str | None]]


# Variables of the sessions; headers of the gateway's own pages
ONLY_OURS = re.compile(r"HTSESSION_\w+|QZHBNEXT_SESSION_HANDLE|header content-security-policy")
# SERVER_SIGNATURE is HTML for the foot of Apache's own pages. Of the variables of a request that was redirected
# within the server, those from its headers are still there under their own names.
ONLY_APACHES = re.compile(r"(REDIRECT_)*SERVER_SIGNATURE|REDIRECT_(HTTP_\w+|CONTENT_LENGTH|PATH)")

_OWN_PAGE = "(the server's own page)"
_BAD_OUTPUTS = (
    "output, status in words", "output, status of two digits", "output, no blank line", "output, empty",
    "output, not a header", "output, header without a name", "output, blank in a name",
    "output, blank before the colon", "output, control in a header",
)  # fmt: skip


def _status(reason: str, ours: int, theirs: int, *names: str) -> Difference:
    return Difference(reason, names, {"status": (str(ours), str(theirs))})


def _fact(reason: str, fact: str, ours: str | None, theirs: str | None, *names: str) -> Difference:
    return Difference(reason, names, {fact: (ours, theirs)})


DIFFERENCES = [
    # ---- addresses
    _status(
        "An encoded slash in path info is a slash there; only in what names a file or program it is refused "
        "(R1). Apache refuses it everywhere (AllowEncodedSlashes Off).",
        200, 404, "path info, encoded slash",
    ),
    _status("The contract's status for a program that is not executable.", 403, 500, "not executable"),
    _status("Apache sends a file as the answer to a POST.", 405, 200, "a file, POST"),
    _fact("A path, not a URL made from the client's Host.", "header location",
          "/cgi-bin/deep/", "http://localhost:PORT/cgi-bin/deep/", "a folder of programs, without its slash"),
    _fact("A path, not a URL made from the client's Host.", "header location",
          "/scripts/?y", "http://localhost:PORT/scripts/?y", "by extension, without the slash"),
    _fact("A path, not a URL made from the client's Host.", "header location",
          "/folder/", "http://localhost:PORT/folder/", "a folder without its slash"),
    _fact("Path and query, whichever form the request line has.", "REQUEST_URI",
          "/cgi-bin/env/x?y", "http://localhost:PORT/cgi-bin/env/x?y", "an absolute target"),
    _fact("An empty query is none (ASGI does not tell them apart).", "REQUEST_URI",
          "/cgi-bin/env", "/cgi-bin/env?", "query, empty"),
    _status("An address has no bytes beyond ASCII (RFC 3986, section 2); llhttp refuses them.",
            400, 200, "path info, bytes beyond ASCII", "query, bytes beyond ASCII"),
    # ---- arguments
    _fact("Words are passed as they are decoded (RFC 3875, section 4.4); Apache puts a backslash before what a "
          "shell would take.", "(arguments)", "a?b", "a\\?b", "query, two marks"),
    _fact("The same.", "(arguments)", "a;b|$(c)|`d`|*|~", r"a\;b|\$\(c\)|\`d\`|\*|\~",
          "query, words with shell characters"),
    _fact("For GET and HEAD only (RFC 3875, section 4.4).", "(arguments)", "", "one|two",
          "query, words and POST"),
    _fact("An interpreter would take it for an option (CVE-2012-1823).", "(arguments)", "", "-s",
          "query, a word like an option"),
    # ---- methods and hosts
    _status("Methods are those of the HTTP parser (httptools): of RFC 9110, WebDAV and a few more.",
            501, 200, "method of one's own", "method in small letters"),
    _status("TRACE is never served.", 405, 200, "method TRACE"),
    _status("An empty Host is a valid one (RFC 9110, section 7.2).", 200, 400, "Host, empty"),
    _fact("The port that the request came to, whatever its Host says.", "SERVER_PORT", "PORT", "80",
          "HTTP/1.0 without Host"),
    Difference("ServerName and the real port; Apache tells programs what the Host header says.",
               ("Host of another name",),
               {"SERVER_NAME": ("localhost", "www.example.org"), "SERVER_PORT": ("PORT", "80")}),
    Difference("The same.", ("Host of another name and port",),
               {"SERVER_NAME": ("localhost", "www.example.org"), "SERVER_PORT": ("PORT", "8080")}),
    # ---- headers and bodies
    _fact("Cookies are joined with semicolons (RFC 6265, section 5.4).", "HTTP_COOKIE",
          "a=b; c=d; e=f", "a=b, c=d; e=f", "header, Cookie repeated"),
    _fact("No body, no CONTENT_LENGTH.", "CONTENT_LENGTH", None, "0", "body, empty"),
    *(
        Difference("A chunked body gets its length (P10); Apache passes the header on and no length.", (name,),
                   {"CONTENT_LENGTH": (length, None), "HTTP_TRANSFER_ENCODING": (None, "chunked")})
        for name, length in (("body, chunked", "11"), ("body, chunked with extensions", "11"),
                             ("body, chunked with a trailer", "2"))
    ),
    _fact("The same.", "HTTP_TRANSFER_ENCODING", None, "chunked", "body, chunked and empty"),
    _status("Two ways to frame a body are refused (request smuggling).", 400, 200, "body, length and chunks"),
    # ---- output
    _status("The contract's status for output that is not CGI.", 502, 500, *_BAD_OUTPUTS),
    _status("A status outside 200 to 599 is not CGI either.", 502, 999, "output, status 999"),
    _status("Nor is a response without a header, with control characters in one, or with a length that is no "
            "number; Apache mends these.", 502, 200, "output, no header but a body",
            "output, NUL in a header", "output, CR in a header", "output, length in words"),
    _status("A folded header is unfolded (RFC 3875, section 6.3, by reference to RFC 2616).", 200, 500,
            "output, folded header"),
    _fact("The type that the program sent stays, with or without a body.", "header content-type", "text/plain",
          None, "output, status 204 with a body"),
    _fact("A redirect without a body stays so; Apache adds a page.", "body", "", _OWN_PAGE,
          "output, location", "output, relative location"),
    Difference("The program's own page goes with its redirect; Apache puts its own in its place.",
               ("output, location with a body",),
               {"body": ("body", _OWN_PAGE), "header content-type": ("text/plain", None)}),
    _status("`//host/path` is an address for the client (RFC 3986, section 4.2), not a path here.", 302, 404,
            "output, location of a host"),
    Difference("A body shorter than promised is cut, so that it shows (P4); Apache corrects the length.",
               ("output, length too long",),
               {"cut": ("yes", None), "header content-length": ("9", None)}),
    _fact("A body longer than promised ends where it was promised (P4); Apache corrects the length.", "body",
          "bo", "body", "output, length too short"),
    _fact("Headers of the connection are the server's business (RFC 9110, section 7.6.1).", "header upgrade",
          None, "x", "output, connection"),
]  # fmt: skip
