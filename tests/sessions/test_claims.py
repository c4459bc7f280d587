"""Handles that the keeper grants while two fronts serve (H4)."""

from tests.sessions.model import response
from tests.sessions.world import NAME, World


def test_H4_a_handle_that_was_granted_in_an_overlap_and_replaced_after_it_is_free_again() -> None:
    world = World()
    try:
        world.registry.overlap = True
        world.answer(world.first_call(), response(b"first", None))
        ((session,),) = world.registry.sessions.values()
        world.registry.overlap = False
        for handle in (b"second", b"third"):  # one previous handle stays
            current = session.handles.current
            assert world.registry.claim(session, current) is not None
            world.answer(world.later_call(session, current), response(handle, None))
        world.registry.overlap = True
        world.answer(world.first_call(), response(b"first", None))
        assert world.registry.store.find(NAME, b"first") not in (None, session)
    finally:
        world.close()
