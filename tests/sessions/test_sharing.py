"""Shared instances: moments that the model of test_shared_model.py meets seldom."""

import asyncio
from collections.abc import Iterator

import pytest

from gateway.sessions.session import Session
from gateway.sessions.starter import Cold
from tests.sessions.model import response
from tests.sessions.world import NAME, QUEUE_TIMEOUT, TIMEOUT, World


@pytest.fixture
def world() -> Iterator[World]:
    world = World(shared=True)
    yield world
    world.close()


def begin(world: World, handle: bytes) -> Session:
    """A newcomer's session."""
    task = world.newcomer(world.loop.create_future())
    call = world.entered_call(task.result(), None, head_only=False)
    world.answer(call, response(handle, None))
    session = world.registry.store.find(NAME, handle)
    assert session is not None
    return session


def waiting(world: World, session: Session, handle: bytes) -> "asyncio.Task[object]":
    """A request that waits for its turn."""
    task = world.loop.create_task(world.registry.wait(session, handle, world.loop.create_future()))
    world.settle()
    return task


@pytest.mark.parametrize("ends", ["by the program", "by the clock"])
def test_T2_a_session_that_ended_while_a_body_came_is_not_handed_out(world: World, ends: str) -> None:
    one, two = begin(world, b"one"), begin(world, b"two")
    if ends == "by the program":
        assert world.registry.claim(one, b"one") is not None
        world.answer(world.later_call(one, b"one"), b"Content-Type: text/plain\n\nbye")
    else:
        world.tick(TIMEOUT / 2)
        assert world.registry.claim(two, b"two") is not None
        world.answer(world.later_call(two, b"two"), response(b"two", None))
        world.tick(TIMEOUT / 2)
    assert world.registry.store.find(NAME, b"one") is None
    assert world.registry.claim(one, b"one") is None
    assert world.registry.claim(two, b"two") is not None, "the others are unharmed"
    world.answer(world.later_call(two, b"two"), response(b"two", None))


def test_T1_a_session_whose_request_waits_at_the_old_front_does_not_expire_on_its_way(world: World) -> None:
    one, two = begin(world, b"one"), begin(world, b"two")
    assert world.registry.claim(one, b"one") is not None
    call = world.later_call(one, b"one")
    world.recall(two.instance.id)
    task = waiting(world, two, b"two")
    world.tick(QUEUE_TIMEOUT / 2)
    two.deadline = world.clock.now - 1  # it has passed while the request waited
    world.table.rest(two.slot, two.deadline, TIMEOUT, two.requests)
    world.answer(call, response(b"one", None))
    assert task.result() is None, "it looks again, and finds the other front's"
    world.grant(two.instance.id)
    found = world.registry.store.find(NAME, b"two")
    assert found is not None and world.registry.claim(found, b"two") is not None
    world.answer(world.later_call(found, b"two"), response(b"two", None))


def test_S1_a_newcomer_behind_a_recall_follows_the_instance_to_the_other_front(world: World) -> None:
    one = begin(world, b"one")
    assert world.registry.claim(one, b"one") is not None
    call = world.later_call(one, b"one")
    world.recall(one.instance.id)
    task = world.newcomer(world.loop.create_future())
    world.answer(call, response(b"one", None))
    assert not task.done() and world.registry.instances == {}, "no second instance is started"
    world.grant(one.instance.id)
    world.answer(world.entered_call(task.result(), None, head_only=False), response(b"two", None))


def test_S1_an_instance_that_was_adopted_during_a_start_stays_the_shared_one(world: World) -> None:
    one = begin(world, b"one")
    world.recall(one.instance.id)
    world.registry.overlap = False  # as if it were not known yet that the other front has one
    late = world.loop.create_task(world.starter.start(world.program, Cold({}), world.loop.create_future()))
    world.loop.spin()  # the start is asked for, and not answered
    process = world.processes[one.instance.id]
    process.holder = world
    facts = {"about": process.about, "sessions": sorted(process.sessions), **process.facts}
    world._keeper.send("grant", (process.output, process.requests), **facts)
    world.settle()
    assert world.registry.shared[NAME].id == one.instance.id
    world.answer(world.entered_call(late.result(), None, head_only=False), response(b"two", None))
    assert world.registry.store.find(NAME, b"two") is None, "HTS003: there is one shared instance"
    assert world.registry.shared[NAME].id == one.instance.id


def test_P3_an_instance_that_is_gone_before_the_keeper_answers_holds_no_place(world: World) -> None:
    """L1: what is reaped is not counted, whichever message comes first."""
    task = world.newcomer(world.loop.create_future())
    call = world.entered_call(task.result(), None, head_only=False)
    process = world.processes[call.instance.id]
    process.write(response(b"one", None))
    process.exit()
    world.loop.spin()  # the claim is on its way
    for message in world._keeper.receive() or ():
        world._claim(message.fields)
    world.reap(call.instance.id, 0)
    assert call.exchange.over
    world.registry.finish(call, delivered=True)
    world.settle()
    assert world.registry.persistent == 0 and world.registry.instances == {}
    assert world.registry.store.find(NAME, b"one") is None


def test_S1_a_request_that_waits_again_and_again_waits_no_longer_than_one(world: World) -> None:
    first = world.newcomer(world.loop.create_future())
    call = world.entered_call(first.result(), None, head_only=False)
    tasks = [world.newcomer(world.loop.create_future()) for _ in range(3)]
    for task in tasks:
        world.tick(QUEUE_TIMEOUT * 0.4)
        world.answer(call, b"Content-Type: text/plain\n\nno handle")
        if task is tasks[2]:
            break
        call = world.entered_call(task.result(), None, head_only=False)
    assert "waited" in str(tasks[2].exception()), "R5: three times 40 % of PersistentCGIQueueTimeout"
