"""What a front may have started: it says so once, by `configure`, before anybody outside can talk to it."""

import resource
from collections.abc import Mapping
from typing import Any

from gateway.keeper.identity import Identity, identity_of
from gateway.keeper.spawn import Limit, Order
from gateway.keeper.suexec import broken_rule, safe_environ

_RESOURCES = {"cpu": resource.RLIMIT_CPU, "memory": resource.RLIMIT_AS, "processes": resource.RLIMIT_NPROC}


class Refused(Exception):
    """The keeper does not start this. `breach`: no front that works as it should asks for it."""

    def __init__(self, text: str, *, breach: bool = False) -> None:
        super().__init__(text)
        self.breach = breach


class Permit:
    """`identities`: as whom programs may run; `anybody`: also as the keeper's own user.

    For suexec: `roots`, the folders below which programs lie; `hosts`, the commands (interpreter, host) that
    may stand before a program; `names`, those of SetEnv, PassEnv, …; `fixed`, what PATH and the like are.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        """Raises LookupError, TypeError, ValueError for what is not a permit."""
        self._identities = frozenset(identity_of(one) for one in fields["identities"])
        self._anybody = bool(fields["anybody"])
        self._roots = [_bytes(root) for root in fields["roots"]]
        self._hosts = {tuple(map(_bytes, command)) for command in fields["hosts"]}
        self._names = frozenset(map(_bytes, fields["names"]))
        self._fixed = {_bytes(name): _bytes(value) for name, value in fields["fixed"].items()}

    def admit(self, order: Order) -> Order:
        """The order as it may be carried out. Raises Refused."""
        who = order.identity
        if who is None:
            if not self._anybody:
                raise Refused("as the keeper's own user", breach=True)
            return order
        if who not in self._identities:
            raise Refused(f"as user {who.uid}, group {who.gid}", breach=True)
        return self._suexec(order, who) if who.suexec else order

    def _suexec(self, order: Order, who: Identity) -> Order:
        hosted = tuple(order.argv[:2]) in self._hosts and len(order.argv) == 3
        file = order.argv[2] if hosted else order.argv[0]
        rule = broken_rule(file, order.directory, who, self._roots, executed=not hosted)
        if rule is not None:
            raise Refused(f"suexec: {rule}")
        return order._replace(environ=safe_environ(order.environ, self._names, self._fixed))


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")


def order_of(fields: Mapping[str, Any]) -> Order:
    """An order as `recipe` and `prepare` carry it. Raises LookupError, TypeError, ValueError,
    AttributeError."""
    return Order(
        [_bytes(word) for word in fields["argv"]],
        environ_of(fields["environ"]),
        _bytes(fields["directory"]),
        identity_of(fields["identity"]),
        tuple(Limit(_RESOURCES[name], soft, hard) for name, soft, hard in fields["limits"]),
    )


def environ_of(block: bytes) -> dict[bytes, bytes]:
    """An environment as the link carries it. Raises ValueError, AttributeError."""
    *words, rest = block.split(b"\0")
    if rest:
        raise ValueError("expected an environment of NAME NUL VALUE NUL, found no NUL behind the last value")
    return dict(zip(words[::2], words[1::2], strict=True))


# before `configure`
NOTHING = Permit({"identities": (), "anybody": False, "roots": (), "hosts": (), "names": (), "fixed": {}})
