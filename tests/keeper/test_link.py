"""The link between keeper and front: framing, descriptors, partial sends, hostile bytes."""

import array
import contextlib
import itertools
import os
import resource
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.keeper.link import Decoder, Link, LinkError, Message, encode

Ends = tuple[Link, Link]
FIELDS = st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=10), max_size=4)
FRAMES = st.lists(FIELDS, max_size=5)


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Both ends of a link; afterwards no descriptor is left."""
    before = descriptors()
    ours, theirs = (Link(sock) for sock in socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM))
    yield ours, theirs
    ours.close()
    theirs.close()
    assert descriptors() == before


@pytest.fixture
def files() -> Iterator[list[int]]:
    """Descriptors to send, and to be told apart by what they refer to."""
    numbers = [os.memfd_create(f"file{number}") for number in range(4)]
    yield numbers
    for number in numbers:
        os.close(number)


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def same_file(one: int, other: int) -> bool:
    return os.path.sameopenfile(one, other)


def receive(link: Link) -> list[Message]:
    found: list[Message] = []
    while messages := link.receive():
        found += messages
    assert messages is not None
    return found


def close(message: Message) -> None:
    for descriptor in message.descriptors:
        os.close(descriptor)


def with_kind(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"kind": "test"}


# ---- descriptors


def test_a_message_arrives_as_it_was_sent(ends: Ends) -> None:
    ends[0].send("start", argv=["a", "\xff"], body=True, grace=0.5)
    (message,) = receive(ends[1])
    assert (message.kind, message.descriptors) == ("start", ())
    assert message.fields == {"kind": "start", "argv": ["a", "\xff"], "body": True, "grace": 0.5}
    assert receive(ends[1]) == []


def test_a_message_whose_descriptors_this_process_may_not_have_is_bare(ends: Ends, files: list[int]) -> None:
    """EMFILE: none of them is kept, and the messages around it are whole."""
    before, (soft, hard) = descriptors(), resource.getrlimit(resource.RLIMIT_NOFILE)
    ends[0].send("before")
    ends[0].send("two", files[:2])
    ends[0].send("after")
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        messages = receive(ends[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [(message.kind, message.bare) for message in messages] == [
        ("before", False),
        ("two", True),
        ("after", False),
    ]
    assert [message.descriptors for message in messages] == [(), (), ()] and descriptors() == before


def test_descriptors_arrive_with_their_own_message(ends: Ends, files: list[int]) -> None:
    ends[0].send("one", files[:1])
    ends[0].send("none")
    ends[0].send("two", files[1:3])
    messages = receive(ends[1])
    while len(messages) < 3:
        messages += receive(ends[1])
    assert [message.kind for message in messages] == ["one", "none", "two"]
    assert [len(message.descriptors) for message in messages] == [1, 0, 2]
    got = [*messages[0].descriptors, *messages[2].descriptors]
    assert all(same_file(mine, theirs) for mine, theirs in zip(files, got, strict=False))
    assert not any(os.get_inheritable(descriptor) for descriptor in got)
    for message in messages:
        close(message)


def test_the_sender_keeps_its_descriptors(ends: Ends, files: list[int]) -> None:
    ends[0].send("one", files)
    (message,) = receive(ends[1])
    close(message)
    assert all(os.fstat(descriptor) for descriptor in files)


def test_a_full_socket_delays_and_loses_nothing(ends: Ends, files: list[int]) -> None:
    sent = 0
    while not ends[0].pending:
        ends[0].send("big", files[:1], number=sent, text="x" * 30_000)
        sent += 1
    for _ in range(5):  # these wait whole, with duplicates of their descriptors
        ends[0].send("big", files[1:2], number=sent, text="y" * 30_000)
        sent += 1
    messages: list[Message] = []
    while len(messages) < sent:
        messages += receive(ends[1])
        ends[0].flush()
    assert not ends[0].pending
    assert [message.fields["number"] for message in messages] == list(range(sent))
    assert all(len(message.descriptors) == 1 for message in messages)
    wanted = [files[0]] * (sent - 5) + [files[1]] * 5
    assert all(same_file(m.descriptors[0], w) for m, w in zip(messages, wanted, strict=True))
    for message in messages:
        close(message)


def test_closing_with_messages_under_way_leaks_nothing(ends: Ends, files: list[int]) -> None:
    while not ends[0].pending:
        ends[0].send("big", files, text="x" * 30_000)
    ends[0].send("waits", files)
    ends[1].sock.recv(100)  # a message begins; its descriptors are dropped by the kernel


def test_descriptors_without_their_message_are_closed(files: list[int]) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    before = descriptors()
    link = Link(theirs)
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))
    ours.sendmsg([encode({"kind": "cut"}, 4)[:9]], [rights])
    assert receive(link) == []
    assert descriptors() == before + 4
    link.close()
    ours.close()
    assert descriptors() == before - 2


def test_the_end_of_the_peer_comes_after_its_last_message(ends: Ends) -> None:
    ends[0].send("last")
    ends[0].close()
    assert [message.kind for message in ends[1].receive() or ()] == ["last"]
    assert ends[1].receive() is None
    ends[1].send("into the void")
    assert not ends[1].pending


# ---- framing


@given(FRAMES, st.lists(st.integers(0, 400), max_size=8))
def test_any_cutting_gives_the_same_messages(frames: list[dict[str, Any]], cuts: list[int]) -> None:
    sent = [with_kind(fields) for fields in frames]
    stream = b"".join(encode(fields, 0) for fields in sent)
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    decoder = Decoder()
    got = [m for a, b in itertools.pairwise(places) for m in decoder.feed(stream[a:b])]
    assert [message.fields for message in got] == sent


@given(FRAMES)
def test_byte_by_byte_gives_the_same_messages(frames: list[dict[str, Any]]) -> None:
    sent = [with_kind(fields) for fields in frames]
    stream = b"".join(encode(fields, 0) for fields in sent)
    decoder = Decoder()
    assert [m.fields for byte in stream for m in decoder.feed(bytes((byte,)))] == sent


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_hostile_bytes_raise_nothing_but_LinkError(pieces: list[bytes]) -> None:
    decoder = Decoder()
    with contextlib.suppress(LinkError):
        for piece in pieces:
            decoder.feed(piece)


@given(st.binary(max_size=40))
def test_a_well_framed_body_that_is_no_message_is_refused(body: bytes) -> None:
    frame = len(body).to_bytes(4, "big") + b"\0\0" + body
    with pytest.raises(LinkError, match="not"):
        Decoder().feed(frame)


@pytest.mark.parametrize(
    "body", [b"[]", b"1", b"null", b"{}", b'{"kind":1}', b"[" * 100_000, b'{"kind":"\xff"}', b"1" * 5000]
)
def test_JSON_that_is_no_message_is_refused(body: bytes) -> None:
    frame = len(body).to_bytes(4, "big") + b"\0\0" + body
    with pytest.raises(LinkError):
        Decoder().feed(frame)


def test_lengths_and_counts_are_bounded() -> None:
    with pytest.raises(LinkError, match="frame of"):
        Decoder().feed(b"\xff\xff\xff\xff\0\0")
    with pytest.raises(LinkError, match="frame of"):
        Decoder().feed(b"\0\0\0\2\xff\xff{}")
    with pytest.raises(LinkError, match="brought 0"):
        Decoder().feed(encode({"kind": "started"}, 2))
