"""The cookies by which the gateway knows a browser again (W2); RFC 6265 says how they are written."""

from collections.abc import Iterable
from hmac import compare_digest
from urllib.parse import quote_from_bytes

PREFIX = b"HTSESSION_BIND_"
_IN_PATH = "/!$&'()*+,:=@~"  # as browsers leave them; a `;` would end the attribute

Headers = Iterable[tuple[bytes, bytes]]


def given(headers: Headers) -> dict[bytes, bytes]:
    """The gateway's cookies of a request: name -> value, of one name the first (the longest path's)."""
    found: dict[bytes, bytes] = {}
    for header, value in headers:
        if header == b"cookie" and PREFIX in value:
            for pair in value.split(b";"):
                name, _, text = pair.strip().partition(b"=")
                if name.startswith(PREFIX):
                    found.setdefault(name, text)
    return found


def hold(headers: Headers, secret: bytes) -> bool:
    """Whether one of the gateway's cookies of a request has this value."""
    for header, value in headers:
        if header == b"cookie":
            at = value.find(PREFIX)
            while at >= 0 and (start := value.find(b"=", at) + 1):
                if compare_digest(value[start : start + len(secret)], secret):
                    return True
                at = value.find(PREFIX, start)
    return False


def without_own(cookies: bytes) -> bytes:
    """The value of a Cookie header as programs and logs may see it; empty when nothing is left."""
    if PREFIX not in cookies:
        return cookies
    pairs = [pair.strip() for pair in cookies.split(b";")]
    return b"; ".join(pair for pair in pairs if not pair.startswith(PREFIX))


def set_cookie(name: bytes, value: bytes, cgi_name: bytes, *, secure: bool) -> bytes:
    """The value of Set-Cookie: until the browser is closed, for the URLs of one cgi-name, not for scripts, and
    not with requests that another site has a browser send (but for links)."""
    path = quote_from_bytes(cgi_name, _IN_PATH).encode() or b"/"
    text = b"%b=%b; Path=%b; HttpOnly; SameSite=Lax" % (name, value, path)
    return text + b"; Secure" if secure else text
