"""Why an instance ends, in the words of the log and the reasons of R4."""

import signal
from typing import Any

from gateway.keeper.reasons import Reason
from gateway.sessions.call import Call
from gateway.sessions.exchange import Fault
from gateway.sessions.instance import Instance


def normal_end(call: Call, *, others: bool = False) -> Fault | None:
    """Why an instance ends although nothing went wrong with its output; None: it lives on. `others`: it has
    sessions beside that of the call (S5)."""
    end, asked = call.exchange.end, call.asked
    marked = end is not None and end.marked
    if call.exchange.honoured and marked:
        return None
    if call.exchange.honoured or (others and not marked):
        return Fault(Reason.ENDED, unmarked(call.instance))
    return Fault(Reason.ENDED, asked.log if asked is not None and asked.log else "HTS006 ended by the program")


def unmarked(instance: Instance) -> str:
    """The log text of an instance that ends its output where the end mark should be (P3)."""
    return f"HTS007 exited instead of writing the end mark{_facts(instance)}"


def crash(instance: Instance) -> Fault:
    """The exit of an instance that should have lived on."""
    status = instance.exited.result()["status"]
    return Fault(
        Reason.CRASHED if status else Reason.ENDED, f"HTS007 exited between two calls{_facts(instance)}"
    )


def _facts(instance: Instance) -> str:
    if not instance.exited.done():
        return ""
    return describe(instance.exited.result())


def describe(facts: dict[str, Any]) -> str:
    """An exit for the log: status or signal, and the last lines of stderr."""
    status, tail = facts["status"], facts["tail"]
    text = f" (exit status {status}" if status >= 0 else f" (signal {-status}, {signal.strsignal(-status)}"
    if tail:
        text += "; its last words: " + " | ".join(str(line) for line in tail[-5:])
    return text + ")"
