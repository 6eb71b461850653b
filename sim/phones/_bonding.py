"""What an iPhone keeps with a bond, the GATT table, and which keys it wants for one.

Core 5.4 Vol 3 Part G 2.5.2 (caching), 7.1 (Service Changed), Part H 3.6.1 (key distribution); rules IB-32, IB-37. Rules
of the file: a table belongs to a bond and goes with it; a device nobody has bonded with is discovered on each connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sim.device import command
from sim.explain.ib_32 import LINK, SIGN
from sim.phones import Discovered, RemoteCharacteristic  # msgspec reads the annotations
from sim.phones._judged import Judged

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sim.phones import Link

__all__ = ["BondingPhone"]

RULE = "IB-37"
_SERVICE_CHANGED = "2a05"


class _Kept(msgspec.Struct, frozen=True):
    """What is kept of one bonded device."""

    table: tuple[RemoteCharacteristic, ...]
    discovered: Discovered


class BondingPhone(Judged):
    """Base of phones that discover a bonded device once (IB-37) and mind its keys (IB-32)."""

    async def start(self) -> None:
        """Be on, with nothing kept."""
        await super().start()
        self._kept: dict[str, _Kept] = {}

    def refuses_keys(self, peer: str, keys: tuple[int, int]) -> bool:
        """IB-32, when switched on: only of a pairing that the peer has asked for."""
        lacks = not any(bits & (SIGN | LINK) for bits in keys)
        if not (lacks and peer in self._asking and self.keeps("IB-32")):
            return False
        note = f"{peer} asked for a pairing without sign and link keys (IB-32)"
        self.emit("keys_refused", peer=peer, note=note, rule="IB-32")
        return True

    async def _connected(self, connection: Any) -> None:
        """Take the kept table before anything is asked."""
        link: Link = connection.link
        kept = self._kept.get(connection.name)
        if kept is not None and not (link.bonded and self.keeps(RULE)):
            del self._kept[connection.name]
        elif kept is not None:
            link.reuse(kept.discovered)
            connection.table = list(kept.table)
            changed = _service_changed(kept.table)
            if changed is not None:
                link.listen(changed.handle, lambda _: self._changed(connection), indicate=True)
            note = f"uses the table it knows of {connection.name} and discovers nothing ({RULE})"
            self.emit("table_cached", peer=connection.name, note=note, rule=RULE)
        await super()._connected(connection)

    @command
    async def discover(self, peer: str = "") -> None:
        """Find all services and characteristics; those of a bonded device are the ones found before (IB-37)."""
        connection = self._connection(peer)
        if connection.name in self._kept and connection.table:
            note = f"the app gets the table known before ({RULE})"
            self.emit("table_cached", peer=connection.name, note=note, rule=RULE)
            return
        await super().discover(peer)
        await self._keep(connection)

    @command
    async def pair(self, to: str = "", wait: bool = True) -> None:
        """As every phone; a table that is known by then is kept (IB-37)."""
        await super().pair(to, wait)
        if wait:
            await self._keep(self._connection(to))

    async def _asked_securely(
        self, action: str, connection: Any, ask: Callable[[], Awaitable[Any]]
    ) -> Any:
        """As every phone; the first time it is bonded the table is kept."""
        answer = await super()._asked_securely(action, connection, ask)
        await self._keep(connection)
        return answer

    async def _keep(self, connection: Any) -> None:
        """Keep the table of a bonded device and ask to be told of changes, once."""
        link: Link = connection.link
        name, table = connection.name, tuple(connection.table)
        if not (table and link.connected and link.bonded) or name in self._kept:
            return
        if not self.keeps(RULE):
            return
        self._kept[name] = _Kept(table, link.discovered)
        changed = _service_changed(table)
        if changed is not None:
            await self._asked(
                "subscribing to Service Changed",
                connection,
                link.subscribe(changed.handle, lambda _: self._changed(connection), indicate=True),
            )

    def _changed(self, connection: Any) -> None:
        """The device has indicated Service Changed: what is known of it is void."""
        self._kept.pop(connection.name, None)
        connection.table = []
        note = f"{connection.name} has another table: the one kept is forgotten ({RULE})"
        self.emit("services_changed", peer=connection.name, note=note, rule=RULE)


def _service_changed(table: tuple[RemoteCharacteristic, ...]) -> RemoteCharacteristic | None:
    """Service Changed, when the device has it."""
    return next((one for one in table if one.uuid == _SERVICE_CHANGED), None)
