"""SMP traffic of one device as trace events: each command once, by its sender, its fields in words; those of a peer
that is no node of the world by whom they reach.

Core 5.4 Vol 3 Part H 3.3 to 3.6. Keys that are distributed are hidden unless the run reveals them; confirm, random
and check values are shown, for they are no keys. Knows octets and names only; no bumble, no loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.data.smp_names import AUTH_REQ, IO_CAPABILITIES, KEYS, LENGTHS, reason_words
from sim.redaction import redacted_smp

if TYPE_CHECKING:
    from sim.world import RadioPlace

__all__ = ["SmpTrace", "auth_words", "features"]

REQUEST, RESPONSE, CONFIRM, RANDOM, FAILED = 0x01, 0x02, 0x03, 0x04, 0x05
LTK, EDIV_RAND, IRK, IDENTITY, CSRK = 0x06, 0x07, 0x08, 0x09, 0x0A
SECURITY_REQUEST, PUBLIC_KEY, CHECK, KEYPRESS = 0x0B, 0x0C, 0x0D, 0x0E

# code -> (event, label, name of its one value or "")
_EVENTS: dict[int, tuple[str, str, str]] = {
    REQUEST: ("pairing_request", "pairing request", ""),
    RESPONSE: ("pairing_response", "pairing response", ""),
    CONFIRM: ("pairing_confirm", "confirm value", "confirm_hex"),
    RANDOM: ("pairing_random", "random value", "random_hex"),
    FAILED: ("pairing_failed", "pairing failed", ""),
    LTK: ("encryption_key", "key: LTK", "ltk"),
    EDIV_RAND: ("encryption_id", "key: EDIV and Rand", "ediv_rand_hex"),
    IRK: ("identity_key", "key: IRK", "irk"),
    IDENTITY: ("identity_address", "identity address", ""),
    CSRK: ("signing_key", "key: CSRK", "csrk"),
    SECURITY_REQUEST: ("security_request", "security request", ""),
    PUBLIC_KEY: ("public_key", "public key", "public_key_hex"),
    CHECK: ("dhkey_check", "DHKey check", "check_hex"),
    KEYPRESS: ("keypress", "keypress", "kind_hex"),
}
_KEYS = (LTK, IRK, CSRK)


def _bits(value: int, names: dict[int, Any]) -> list[str]:
    return [str(name) for bit, name in names.items() if value & bit]


def auth_words(value: int) -> str:
    """The AuthReq octet: "bonding, mitm, secure_connections"."""
    return ", ".join(_bits(value, AUTH_REQ)).replace("_", " ") or "nothing"


def features(pdu: bytes) -> dict[str, Any]:
    """Fields of a Pairing Request or Response."""
    return {
        "io": IO_CAPABILITIES.get(pdu[1], f"{pdu[1]:#04x}"),
        "oob": bool(pdu[2]),
        "wants": _bits(pdu[3], AUTH_REQ),
        "max_key_octets": pdu[4],
        "initiator_keys": _bits(pdu[5], KEYS),
        "responder_keys": _bits(pdu[6], KEYS),
    }


class SmpTrace:
    """Writes the SMP commands that node `node` sends, and those of strangers, to the trace of `place`."""

    def __init__(self, node: str, place: RadioPlace) -> None:
        self._node = node
        self._place = place

    def sent(self, peer: str, pdu: bytes, bit: int = 0) -> None:
        """This device sends `pdu` to the node `peer`; `bit` is the bit of the PIN (1 .. 20) that it is about, else 0."""
        self._write("tx", peer, pdu, bit)

    def heard(self, peer: str, pdu: bytes, bit: int = 0) -> None:
        """`pdu` comes from `peer`, a device that writes no trace of its own."""
        self._write("rx", peer, pdu, bit)

    def _write(self, direction: str, peer: str, pdu: bytes, bit: int) -> None:
        event, label, value = _EVENTS.get(pdu[0], ("smp", f"SMP {pdu[0]:#04x}", "payload_hex"))
        fields: dict[str, Any]
        if LENGTHS.get(pdu[0]) == len(pdu):
            fields, note = self._details(pdu, value)
        else:
            fields, note = {"octets": len(pdu)}, f"not a command: {len(pdu)} octets"
        if bit and pdu[0] in (CONFIRM, RANDOM):
            label = f"{label}, 20 of them" if bit == 1 else label
            fields["bit"] = bit
            if bit > 1:
                fields["often"] = True
        data = pdu if self._place.reveal else redacted_smp(pdu)
        self._place.trace.emit(
            self._node, "ble", event, direction=direction, peer=peer, data=data, note=note, label=label, **fields
        )  # fmt: skip

    def _details(self, pdu: bytes, value: str) -> tuple[dict[str, Any], str]:
        code = pdu[0]
        if code in (REQUEST, RESPONSE):
            fields = features(pdu)
            oob = ", has OOB data" if fields["oob"] else ""
            return fields, f"{fields['io'].replace('_', ' ')}; wants {auth_words(pdu[3])}{oob}"
        if code == FAILED:
            words = reason_words(pdu[1])
            return {"reason": pdu[1], "words": words}, f"{pdu[1]:#04x} {words}"
        if code == SECURITY_REQUEST:
            return {"wants": _bits(pdu[1], AUTH_REQ)}, f"wants {auth_words(pdu[1])}"
        if code == IDENTITY:
            address, kind = pdu[2:8][::-1].hex(":"), "random" if pdu[1] else "public"
            return {"address": address, "address_type": kind}, f"{address} {kind}"
        if code in _KEYS:
            shown = self._place.secret(pdu[1:][::-1].hex())
            return {value: shown}, str(shown)
        return {value: pdu[1:].hex()}, ""
