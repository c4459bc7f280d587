"""What the second of two requests knows of the first: local redirects and error documents (as in Apache)."""

from collections.abc import Sequence
from typing import NamedTuple

Variables = dict[bytes, bytes]

PREFIX = b"REDIRECT_"
_NOT_HANDED_ON = (b"HTTP_", b"HTSESSION_", b"QZHB")


class Redirection(NamedTuple):
    """How a request came out of another one.

    `status`: the answer's unless the program states one; `headers` go with the answer; `uri` is what the client
    asked for (REQUEST_URI stays the same, as in Apache); `variables` are the REDIRECT_ ones.
    """

    status: int
    uri: bytes
    variables: Variables
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def missing_in(self, names: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        """Those of `headers` that a response with these header names has not got; every Set-Cookie."""
        return [pair for pair in self.headers if pair[0] == b"set-cookie" or pair[0] not in names]


def redirect_variables(
    before: Variables, *, status: int, url: bytes, query: bytes, notes: bytes = b""
) -> Variables:
    """The REDIRECT_ variables of the next request.

    `before`: what the first one had, each handed on with one more prefix but those of its headers and of its
    session; `url`: its decoded path; `notes`: why it failed, as HTML.
    """
    variables = {PREFIX + name: value for name, value in before.items() if not name.startswith(_NOT_HANDED_ON)}
    variables[b"REDIRECT_STATUS"] = b"%d" % status
    variables[b"REDIRECT_URL"] = url
    variables[b"REDIRECT_QUERY_STRING"] = query
    if notes:
        variables[b"REDIRECT_ERROR_NOTES"] = notes
    return variables
