"""ATT traffic of one device as trace events: each message once, by its sender; those of a peer that writes no trace by
whom they reach.

Bluetooth Core 5.4, Vol 3 Part F 3.4. Discovery requests are left out here (they are in the HCI trace); `discover`
is one event of the link that asks. Names of attributes come from the own table (as server) or from what discovery
found (as client). Knows octets and names only; no bumble, no loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from protocols.ble.gatt_values import decode_value, value_text
from protocols.data.gatt_names import att_error_name, uuid_name

if TYPE_CHECKING:
    from sim.world import RadioPlace

__all__ = ["CCCD", "AttTrace"]

CCCD = "2902"

ERROR, MTU_REQUEST, MTU_RESPONSE = 0x01, 0x02, 0x03
READ, READ_RESPONSE, READ_BLOB, READ_BLOB_RESPONSE = 0x0A, 0x0B, 0x0C, 0x0D
WRITE, WRITE_RESPONSE, PREPARE, PREPARE_RESPONSE = 0x12, 0x13, 0x16, 0x17
EXECUTE, EXECUTE_RESPONSE, WRITE_COMMAND = 0x18, 0x19, 0x52
NOTIFY, INDICATE, CONFIRM = 0x1B, 0x1D, 0x1E
READ_BY_GROUP = 0x10
_ERROR_OCTETS = 5

# opcode -> (event, words before the attribute's name, first octet of the value; None: carries none)
_OF_CLIENT: dict[int, tuple[str, str, int | None]] = {
    READ: ("read_request", "read", None),
    READ_BLOB: ("read_request", "read on", None),
    WRITE: ("write_request", "write", 3),
    PREPARE: ("write_request", "write part of", 5),
    WRITE_COMMAND: ("write_command", "write without response", 3),
}
_OF_SERVER: dict[int, tuple[str, str, int | None]] = {
    READ_RESPONSE: ("read_response", "", 1),
    READ_BLOB_RESPONSE: ("read_response", "rest of", 1),
    WRITE_RESPONSE: ("write_response", "written", None),
    PREPARE_RESPONSE: ("write_response", "taken part of", None),
}
_TO_CLIENT: dict[int, tuple[str, str]] = {
    NOTIFY: ("notify", "notify"),
    INDICATE: ("indicate", "indicate"),
}
_MODES = {0: "off", 1: "notify", 2: "indicate", 3: "notify and indicate"}


class _Way(NamedTuple):
    """Who says something to whom."""

    direction: str
    peer: str
    other: dict[int, str]
    """table of whom it is said to."""
    own: dict[int, str]
    """table of who says it."""
    asked: int
    """attribute handle of the latest request that it may answer."""


class AttTrace:
    """Writes the ATT messages that node `node` sends, and those of strangers, to the trace of `place`."""

    def __init__(self, node: str, place: RadioPlace) -> None:
        self.node = node
        self.place = place
        self.local: dict[int, str] = {}
        """attribute handle -> UUID in the own table; a CCCD as "2902"."""
        self.remote: dict[int, dict[int, str]] = {}
        """connection handle -> the same of its server, as far as discovered."""
        self._asked: dict[int, int] = {}
        """connection handle -> attribute handle of the peer's latest request."""
        self._asks: dict[int, int] = {}
        """the same of the own one."""

    def forget(self, connection: int) -> None:
        """A connection ended."""
        self.remote.pop(connection, None)
        self._asked.pop(connection, None)
        self._asks.pop(connection, None)

    def heard(self, connection: int, pdu: bytes, stranger: str = "") -> None:
        """`pdu` comes from the peer; `stranger` is its name when it writes no trace of its own."""
        if pdu[:1] and (pdu[0] in _OF_CLIENT or pdu[0] == EXECUTE):
            self._asked[connection] = _handle(pdu)
        if pdu and stranger:
            remote = self.remote.get(connection, {})
            self._write(
                _Way("rx", stranger, self.local, remote, self._asks.get(connection, 0)), pdu
            )

    def sent(self, connection: int, peer: str, pdu: bytes) -> None:
        """This device sends `pdu` to the node `peer`."""
        if pdu[0] in _OF_CLIENT or pdu[0] == EXECUTE:
            self._asks[connection] = _handle(pdu)
        remote = self.remote.get(connection, {})
        self._write(_Way("tx", peer, remote, self.local, self._asked.get(connection, 0)), pdu)

    def _write(self, way: _Way, pdu: bytes) -> None:
        opcode = pdu[0]
        if opcode in _OF_CLIENT:
            self._client(way, pdu)
        elif opcode in _OF_SERVER:
            event, word, start = _OF_SERVER[opcode]
            uuid, value = way.own.get(way.asked, ""), None if start is None else pdu[start:]
            self._emit(way, event, word, pdu, uuid, value, handle=way.asked)
        elif opcode in _TO_CLIENT:
            event, word = _TO_CLIENT[opcode]
            self._emit(way, event, word, pdu, way.own.get(_handle(pdu), ""), pdu[3:])
        elif opcode == ERROR:
            self._error(way, pdu)
        elif opcode == CONFIRM:
            self._say(way, "confirm", "confirm", pdu)
        elif opcode in (MTU_REQUEST, MTU_RESPONSE):
            mtu = _handle(pdu)
            event = "mtu_request" if opcode == MTU_REQUEST else "mtu_response"
            self._say(way, event, f"MTU {mtu}", pdu, mtu_octets=mtu)
        elif opcode == EXECUTE:
            self._say(way, "write_request", "write all parts", pdu)
        elif opcode == EXECUTE_RESPONSE:
            self._say(way, "write_response", "written", pdu)
        elif opcode == READ_BY_GROUP and way.direction == "rx" and _handle(pdu) == 1:
            self._say(way, "discover", "discover services", pdu)

    def _client(self, way: _Way, pdu: bytes) -> None:
        event, word, start = _OF_CLIENT[pdu[0]]
        uuid = way.other.get(_handle(pdu), "")
        if uuid == CCCD and pdu[0] == WRITE:
            mode = _MODES.get(int.from_bytes(pdu[3:5], "little"), pdu[3:].hex())
            self._say(way, "subscribe", f"subscribe: {mode}", pdu, mode=mode, handle=_handle(pdu))
            return
        self._emit(way, event, word, pdu, uuid, None if start is None else pdu[start:])

    def _error(self, way: _Way, pdu: bytes) -> None:
        if len(pdu) < _ERROR_OCTETS:
            return  # of a stranger, and cut
        asked, handle, code = pdu[1], pdu[2] | pdu[3] << 8, pdu[4]
        if asked not in _OF_CLIENT and asked != EXECUTE:
            return  # how discovery learns that it is at the end
        uuid = way.own.get(handle, "")
        words = att_error_name(code)
        self._say(
            way, "att_error", f"error: {words}", pdu,
            code=code, handle=handle, uuid=uuid, name=uuid_name(uuid),
        )  # fmt: skip

    def _emit(
        self,
        way: _Way,
        event: str,
        word: str,
        pdu: bytes,
        uuid: str,
        value: bytes | None,
        handle: int | None = None,
    ) -> None:
        name = uuid_name(uuid)
        handle = _handle(pdu) if handle is None else handle
        fields: dict[str, Any] = {"handle": handle, "uuid": uuid, "name": name}
        note = ""
        if value is not None:
            fields["value_hex"] = value.hex()
            note = value_text(uuid, value)
            if decoded := decode_value(uuid, value):
                fields["value"] = decoded
        label = f"{word} {name or f'handle {handle:#06x}'}".strip()
        self._say(way, event, label, pdu, note, **fields)

    def _say(
        self, way: _Way, event: str, label: str, pdu: bytes, note: str = "", **fields: Any
    ) -> None:
        self.place.trace.emit(
            self.node, "ble", event, direction=way.direction, peer=way.peer, data=pdu, note=note, label=label, **fields
        )  # fmt: skip


def _handle(pdu: bytes) -> int:
    return int.from_bytes(pdu[1:3], "little")
