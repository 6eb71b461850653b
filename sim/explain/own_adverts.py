"""What a host tells its controller to advertise: the adverts of the device whose HCI was captured.

Bluetooth Core 5.4 Vol 4 Part E 7.8.4 to 7.8.9 and 7.8.52 to 7.8.56. No clock, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.hci.packets import decode_packet
from sim.explain.observations import Advert

if TYPE_CHECKING:
    from sim.explain.observations import Device, Scene

__all__ = ["OwnAdverts"]

_RANDOM, _PARAMETERS, _DATA, _RESPONSE, _ENABLE = 0x2005, 0x2006, 0x2008, 0x2009, 0x200A
_SET_RANDOM, _SET_PARAMETERS, _SET_DATA, _SET_RESPONSE, _SET_ENABLE = range(0x2035, 0x203A)
_COMMANDS = frozenset((_RANDOM, _PARAMETERS, _DATA, _RESPONSE, _ENABLE, *range(0x2035, 0x203A)))
_LEGACY_SET = -1
_TYPES = {
    0: ("ADV_IND", True, True, False),
    1: ("ADV_DIRECT_IND", True, False, True),
    2: ("ADV_SCAN_IND", False, True, False),
    3: ("ADV_NONCONN_IND", False, False, False),
    4: ("ADV_DIRECT_IND", True, False, True),
}
_CONNECTABLE, _SCANNABLE, _DIRECTED, _LEGACY = 1, 2, 4, 16
_FIRST, _COMPLETE, _UNCHANGED = 1, 3, 4


class _Set:
    """One advertising set as the host described it."""

    def __init__(self) -> None:
        self.kind = _TYPES[0]
        self.interval_ms: float | None = None
        self.data = self.response = b""
        self.is_on = False


class OwnAdverts:
    """Follows the advertising commands of a host; the device appears when it begins to advertise or is connected to."""

    def __init__(self, scene: Scene, name: str) -> None:
        self._scene = scene
        self._name = name
        self._sets: dict[int, _Set] = {}

    def device(self) -> Device:
        """The host itself as a device."""
        return self._scene.device(self._name)

    def command(self, frame: int, t_us: int, opcode: int, data: bytes) -> None:
        """Take one HCI command (H4)."""
        if opcode not in _COMMANDS:
            return
        fields: Any = decode_packet(data).fields
        body = getattr(fields, "body", None)
        if body is None or not hasattr(body, "__struct_fields__"):
            self._scene.skip("advertising command that does not decode")
            return
        if opcode in (_RANDOM, _SET_RANDOM):
            return
        if opcode in (_ENABLE, _SET_ENABLE):
            self._enable(frame, t_us, opcode, body)
            return
        handle = getattr(body, "advertising_handle", _LEGACY_SET)
        one = self._sets.setdefault(handle, _Set())
        if opcode == _PARAMETERS:
            one.kind = _TYPES.get(body.advertising_type, _TYPES[0])
            one.interval_ms = body.interval_min_ms
        elif opcode == _SET_PARAMETERS:
            one.kind = _kind(body.properties)
            one.interval_ms = body.interval_min_ms
        else:
            self._octets(one, body, is_response=opcode in (_RESPONSE, _SET_RESPONSE))
            if one.is_on:
                self._note(one, frame, t_us)

    def _octets(self, one: _Set, body: Any, *, is_response: bool) -> None:
        operation = getattr(body, "operation", _COMPLETE)
        if operation == _UNCHANGED:
            return
        before = (
            b"" if operation in (_FIRST, _COMPLETE) else one.response if is_response else one.data
        )
        octets = before + bytes.fromhex(body.data)
        if is_response:
            one.response = octets
        else:
            one.data = octets

    def _enable(self, frame: int, t_us: int, opcode: int, body: Any) -> None:
        handles = (
            [_LEGACY_SET] if opcode == _ENABLE else [one.advertising_handle for one in body.sets]
        )
        for handle in handles or list(self._sets):
            one = self._sets.setdefault(handle, _Set())
            one.is_on = bool(body.enable)
            if one.is_on:
                self._note(one, frame, t_us)

    def _note(self, one: _Set, frame: int, t_us: int) -> None:
        pdu, connectable, scannable, directed = one.kind
        device = self.device()
        device.add(Advert(pdu, one.data, connectable, scannable, directed), frame, t_us)
        if scannable:
            device.add(Advert("SCAN_RSP", one.response), frame, t_us)
        device.set_interval_ms = one.interval_ms


def _kind(properties: int) -> tuple[str, bool, bool, bool]:
    connectable, scannable = bool(properties & _CONNECTABLE), bool(properties & _SCANNABLE)
    directed = bool(properties & _DIRECTED)
    if not properties & _LEGACY:
        return "extended", connectable, scannable, directed
    if directed:
        return _TYPES[1]
    return _TYPES[0] if connectable else _TYPES[2] if scannable else _TYPES[3]
