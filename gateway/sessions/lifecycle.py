"""The life of an instance in the front: state x event -> state, as data (pure).

A session is handed out by one arrow only: IDLE, CLAIM. An instance goes back to IDLE by one arrow
only: KEEP, "the end mark was seen and the pipes are clean". From ENDING only GONE leads on.
"""

from enum import Enum, IntEnum, auto


class State(IntEnum):
    """Where an instance stands. ELSEWHERE: another front holds it, or is about to give it."""

    STARTING = auto()
    FIRST = auto()
    IDLE = auto()
    BUSY = auto()
    ELSEWHERE = auto()
    ENDING = auto()
    GONE = auto()


class Event(IntEnum):
    """What can happen to an instance."""

    STARTED = auto()
    CLAIM = auto()
    KEEP = auto()
    END = auto()
    EXPIRE = auto()
    GIVE = auto()
    GRANT = auto()
    EXITED = auto()


class Clock(Enum):
    """The deadline under which an instance stands in a state."""

    START = "the answer of the keeper, bounded by PersistentCGIQueueTimeout"
    SCRIPT = "CGIScriptTimeout, while the gateway waits for the program (T4)"
    SESSION = "HTTimeout or PersistentCGITimeout (T1)"
    QUEUE = "PersistentCGIQueueTimeout, for those who wait for it (R5)"
    GRACE = "CGIStopGrace, enforced by the keeper (T3)"


TRANSITIONS: dict[State, dict[Event, State]] = {
    State.STARTING: {Event.STARTED: State.FIRST, Event.END: State.ENDING, Event.EXITED: State.GONE},
    State.FIRST: {Event.KEEP: State.IDLE, Event.END: State.ENDING, Event.EXITED: State.GONE},
    State.IDLE: {
        Event.CLAIM: State.BUSY,
        Event.EXPIRE: State.ENDING,
        Event.END: State.ENDING,
        Event.GIVE: State.ELSEWHERE,
        Event.EXITED: State.GONE,
    },
    State.BUSY: {Event.KEEP: State.IDLE, Event.END: State.ENDING, Event.EXITED: State.GONE},
    State.ELSEWHERE: {Event.GRANT: State.IDLE, Event.EXITED: State.GONE},
    State.ENDING: {Event.EXITED: State.GONE},
    State.GONE: {},
}

CLOCKS: dict[State, Clock] = {
    State.STARTING: Clock.START,
    State.FIRST: Clock.SCRIPT,
    State.IDLE: Clock.SESSION,
    State.BUSY: Clock.SCRIPT,
    State.ELSEWHERE: Clock.QUEUE,
    State.ENDING: Clock.GRACE,
}


class IllegalTransition(Exception):
    """An event that cannot happen in this state: a defect of the gateway."""


def advance(state: State, event: Event) -> State:
    """The state after `event`. Raises IllegalTransition."""
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise IllegalTransition(f"{event.name} in state {state.name}") from None
