"""Paths: decoded once, normalised, split behind a cgi-name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.paths import BadPath, Path, PathInfo, parse_path

NAME = b"/cgi-bin/counter.py"


@pytest.mark.parametrize(
    ("raw", "decoded"),
    [
        (b"/", b"/"),
        (b"/a/b.html", b"/a/b.html"),
        (b"/a/b/", b"/a/b/"),
        (b"/a%20b/%C3%A4", "/a b/ä".encode()),
        (b"/a%2541", b"/a%41"),
        (b"//a///b//", b"/a/b/"),
        (b"/a/./b/../c", b"/a/c"),
        (b"/a/%2e/b/%2E%2e/c", b"/a/c"),
        (b"/a/..", b"/"),
        (b"/a/b/.", b"/a/b/"),
        (b"/a/.../.b", b"/a/.../.b"),
        (b"/a%2fb", b"/a/b"),
        (b"/a/x%2F..%2F..%2Fb", b"/b"),
    ],
)
def test_R2_paths_are_decoded_once_with_dots_and_slashes_resolved(raw: bytes, decoded: bytes) -> None:
    assert parse_path(raw).decoded == decoded


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"*", 400),
        (b"a/b", 400),
        (b"/..", 400),
        (b"/a/../../b", 400),
        (b"/%2e%2e/etc", 400),
        (b"/a%2F..%2F..%2F..", 400),
        (b"/%", 400),
        (b"/a%4", 400),
        (b"/a%zz", 400),
        (b"/a%00", 404),
        (b"/a\0b", 404),
    ],
)
def test_bad_paths_are_refused_with_a_status(raw: bytes, status: int) -> None:
    with pytest.raises(BadPath, match="expected") as caught:
        parse_path(raw)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("tail", "info"),
    [
        (b"", PathInfo(b"", None, b"")),
        (b"/", PathInfo(b"/", None, b"")),
        (b"/8f3a", PathInfo(b"/8f3a", b"8f3a", b"")),
        (b"/8f3a/", PathInfo(b"/8f3a/", b"8f3a", b"/")),
        (b"/8f3a/rest/of", PathInfo(b"/8f3a/rest/of", b"8f3a", b"/rest/of")),
        (b"/%38f%33a/a%20b", PathInfo(b"/8f3a/a b", b"8f3a", b"/a b")),
        (b"//8f3a//x", PathInfo(b"/8f3a/x", b"8f3a", b"/x")),
    ],
)
def test_R1_the_first_segment_decoded_once_can_be_a_handle(tail: bytes, info: PathInfo) -> None:
    assert parse_path(NAME + tail).after(NAME) == info


@pytest.mark.parametrize(
    "tail", [b"/8f3a%2Frest", b"/8f3a%2F", b"/%2F8f3a", b"/x%2F..%2F8f3a", b"/x%2F../8f3a"]
)
def test_R1_a_segment_with_an_encoded_slash_is_never_a_handle(tail: bytes) -> None:
    info = parse_path(NAME + tail).after(NAME)
    assert info.segment is None
    assert info.path_info.startswith(b"/8f3a")


def test_R1_an_encoded_slash_behind_the_handle_is_path_info() -> None:
    info = parse_path(NAME + b"/8f3a/a%2Fb").after(NAME)
    assert info == PathInfo(b"/8f3a/a/b", b"8f3a", b"/a/b")


def test_R1_an_encoded_NUL_is_refused_and_a_backslash_stays_itself() -> None:
    with pytest.raises(BadPath):
        parse_path(NAME + b"/8f3a%00")
    assert parse_path(NAME + b"/8f3a%5Cx").after(NAME).segment == b"8f3a\\x"


@pytest.mark.parametrize(
    ("url", "path_info", "cgi_name"),
    [
        (b"/cgi/a/b", b"/b", b"/cgi/a"),
        (b"/cgi/a", b"", b"/cgi/a"),
        (b"/git/", b"/", b"/git"),
        (b"/old/42", b"/item/42", b"/old"),
        (b"/a/x42", b"/y42", b"/a/x42"),
        (b"/a", b"/b", b"/a"),
    ],
)
def test_the_cgi_name_lies_before_what_url_and_path_info_end_with(
    url: bytes, path_info: bytes, cgi_name: bytes
) -> None:
    assert parse_path(url).before(path_info) == cgi_name


@pytest.mark.parametrize("raw", [b"/cgi-bin%2Fcounter.py/x", b"/pub/x%2F..%2F../cgi-bin/counter.py/x"])
def test_R9_an_encoded_slash_in_the_cgi_name_is_refused(raw: bytes) -> None:
    with pytest.raises(BadPath) as caught:
        parse_path(raw).after(NAME)
    assert caught.value.status == 404


def quoted(segments: list[bytes]) -> bytes:
    return b"".join(b"/" + b"".join(b"%%%02x" % byte for byte in segment) for segment in segments)


plain = st.binary(min_size=1, max_size=8).filter(
    lambda s: not (set(s) & set(b"/\0")) and s not in (b".", b"..")
)


@given(st.lists(plain, min_size=1, max_size=5))
def test_R1_quoted_segments_come_back_byte_for_byte(segments: list[bytes]) -> None:
    whole = b"".join(b"/" + segment for segment in segments)
    path = parse_path(quoted(segments))
    assert path == Path(whole, len(whole))
    info = path.after(b"/" + segments[0])
    assert info.segment == (segments[1] if len(segments) > 1 else None)


bits = st.sampled_from([b"/", b"//", b".", b"..", b"%2e", b"%2F", b"%5c", b"%25", b"%00", b"%", b"a", b"cgi"])


@given(st.lists(bits, max_size=12).map(b"".join) | st.binary(max_size=30))
def test_random_paths_raise_nothing_but_BadPath_and_never_keep_dots(raw: bytes) -> None:
    try:
        path = parse_path(raw)
    except BadPath:
        return
    assert path.decoded.startswith(b"/")
    assert not {b".", b".."} & set(path.decoded.split(b"/"))
    assert b"//" not in path.decoded
    assert b"\0" not in path.decoded
    assert 0 <= path.slash_at <= len(path.decoded)
    assert path.slash_at == len(path.decoded) or b"%2f" in raw.lower()


@given(st.lists(st.sampled_from(["a", "b%2Fc", "%41", "..", "", "d"]), max_size=6))
def test_R2_every_split_of_a_path_agrees_with_what_follows_the_name(segments: list[str]) -> None:
    try:
        path = parse_path(("/x/" + "/".join(segments)).encode())
    except BadPath:
        return
    splits = list(path.splits())
    assert [path.after(name).segment or b"" for name, _ in splits] == [segment for _, segment in splits]
    names = [path.decoded[:at] for at in range(1, path.slash_at) if path.decoded[at : at + 1] == b"/"]
    assert [name for name, _ in splits] == names
