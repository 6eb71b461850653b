"""Who a controller is: the questions asked after a Reset, and what the answers mean.

Core Specification 5.4 Vol 4 Part E clauses 7.4 and 7.8; digest 1.2 (clones, ROM firmware), 2.3 (probe sequence).
Rules of the file: QUESTIONS is the sequence; the Reset and the version must succeed, what else a controller refuses or
passes over is left empty and listed. One that is silent is asked its version once more: silence again is the end, so
that a dead one costs two time-outs and not one per question. Nothing here opens anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from hw_bridge.bootloader import UNKNOWN_COMMAND, what_it_needs
from hw_bridge.data_credits import Buffers
from hw_bridge.errors import FirmwareError, MuteError
from protocols.hci.replies import RESET, words_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hw_bridge.link import LinkInfo
    from protocols.hci.replies import Reply

__all__ = [
    "AWAITED",
    "QUESTIONS",
    "READ_VERSION",
    "RETURNING",
    "Commander",
    "Facts",
    "identify",
    "verdict",
]

READ_VERSION, READ_COMMANDS, READ_FEATURES, READ_BUFFERS, READ_ADDRESS = (
    *(0x1001, 0x1002, 0x1003),
    *(0x1005, 0x1009),
)
LE_BUFFERS, LE_BUFFERS_V2, LE_FEATURES, LE_STATES, LE_MAX_DATA, LE_SETS = (
    *(0x2002, 0x2060, 0x2003),
    *(0x201C, 0x203A, 0x203B),
)
_CSR, _REALTEK, _INTEL, _NORDIC, _ZEPHYR = 0x000A, 0x005D, 0x0002, 0x0059, 0x05F1
_CSR_GENUINE_LMP: Final = 0x22BB
_CSR_FAKE_BCD: Final = frozenset((0x0100, 0x0134, 0x1915, 0x2520, 0x7558, 0x8891))
_REALTEK_ROM_LMP: Final = 0x8761
_NO_ADDRESSES: Final = frozenset(("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"))


class Commander(Protocol):
    """Sends commands one after the other."""

    async def command(
        self, opcode: int, parameters: bytes = b"", *, attempts_us: tuple[int, ...] = ()
    ) -> Reply | None:
        """The reply; None when there is none in time."""
        ...


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a controller said of itself."""

    hci_version: int
    hci_revision: int
    lmp_version: int
    manufacturer: int
    """Company identifier."""
    lmp_subversion: int
    address: str = ""
    """Public address; empty when it is not known."""
    commands: bytes = b""
    """Supported commands, 64 octets."""
    features: int = 0
    le_features: int = 0
    le_states: int = 0
    buffers: Buffers = Buffers()
    max_advertising_octets: int = 31
    advertising_sets: int = 1
    refused: tuple[str, ...] = ()
    """Questions that it did not answer with success."""
    unanswered: tuple[str, ...] = ()
    """Questions that it did not answer at all, and went on to answer others."""

    @property
    def has_address(self) -> bool:
        """Whether the public address is one; all zeros is usual for Zephyr, and a host then needs a random one."""
        return bool(self.address) and self.address not in _NO_ADDRESSES

    def may_be(self, other: Facts) -> bool:
        """Whether both can be one device: the same address, or the same maker where one of them has none."""
        if self.has_address and other.has_address:
            return self.address == other.address
        return (self.manufacturer, self.lmp_version) == (other.manufacturer, other.lmp_version)


def _address(p: bytes) -> dict[str, Any]:
    return {"address": p[1:7][::-1].hex(":")}


def _version(p: bytes) -> dict[str, Any]:
    words = [int.from_bytes(p[at : at + 2], "little") for at in (2, 5, 7)]
    return {
        "hci_version": p[1],
        "hci_revision": words[0],
        "lmp_version": p[4],
        "manufacturer": words[1],
        "lmp_subversion": words[2],
    }


def _word(p: bytes, at: int) -> int:
    return int.from_bytes(p[at : at + 2], "little")


QUESTIONS: Final[Mapping[int, tuple[int, Callable[[bytes], dict[str, Any]]]]] = {
    READ_VERSION: (9, _version),
    READ_ADDRESS: (7, _address),
    READ_COMMANDS: (65, lambda p: {"commands": p[1:65]}),
    READ_FEATURES: (9, lambda p: {"features": int.from_bytes(p[1:9], "little")}),
    LE_FEATURES: (9, lambda p: {"le_features": int.from_bytes(p[1:9], "little")}),
    READ_BUFFERS: (8, lambda p: {"br": (_word(p, 4), _word(p, 1))}),
    LE_BUFFERS: (4, lambda p: {"le": (p[3], _word(p, 1))}),
    LE_BUFFERS_V2: (
        7,
        lambda p: {"le": (p[3], _word(p, 1)), "iso": (p[6], _word(p, 4))},
    ),
    LE_STATES: (9, lambda p: {"le_states": int.from_bytes(p[1:9], "little")}),
    LE_MAX_DATA: (3, lambda p: {"max_advertising_octets": _word(p, 1)}),
    LE_SETS: (2, lambda p: {"advertising_sets": p[1]}),
}
"""Opcode -> (octets of its return parameters, what they say); asked in this order behind a Reset."""

AWAITED: Final = (READ_ADDRESS, READ_COMMANDS, READ_FEATURES, LE_FEATURES, LE_BUFFERS)
"""What hosts ask every controller when they begin, and wait for: a refusal will do, silence will not."""
RETURNING: Final = frozenset((READ_VERSION, READ_ADDRESS))
"""What a device that was known before is asked."""
_QUESTION_US: Final = (1_000_000,)
_NO_RESOURCES: Final = 0x0D
"""Connection Rejected due to Limited Resources (Vol 1 Part F 2.13): what a served controller says to a second client."""
_TAKEN: Final = (
    f"another client has it (it refuses Reset with status {_NO_RESOURCES:#04x}, limited resources); "
    "end that one first, then try again"
)
_TO_WAKE: Final = "switch it off and on; if that does not help, flash other firmware"


async def identify(
    commander: Commander,
    *,
    reset_us: tuple[int, ...] = (),
    only: frozenset[int] | None = None,
    moniker: str = "MONIKER",
) -> Facts | None:
    """Reset and ask; None when the Reset stays without an answer.

    Raises FirmwareError when it waits in a bootloader (`moniker` is for the advice then), MuteError when it refuses what
    it must not or falls silent.
    """
    reset = await commander.command(RESET, attempts_us=reset_us)
    if reset is None:
        return None
    if reset.status == UNKNOWN_COMMAND:
        raise FirmwareError(await what_it_needs(commander, moniker))
    if reset.status:
        if reset.status == _NO_RESOURCES:
            raise MuteError(_TAKEN)
        raise MuteError(f"it refuses Reset with status {reset.status:#04x}; {_TO_WAKE}")
    found: dict[str, Any] = {}
    refused: list[str] = []
    unanswered: list[str] = []
    for opcode, (octets, read) in QUESTIONS.items():
        if only is not None and opcode not in only:
            continue
        reply = await commander.command(opcode, attempts_us=_QUESTION_US)
        if reply is None:
            await _check_alive(commander, opcode, found)
            unanswered.append(words_for(opcode))
        elif reply.status or len(reply.parameters) < octets:
            _check_needed(opcode, reply, octets)
            refused.append(words_for(opcode))
        else:
            found.update(read(reply.parameters))
    buffers = Buffers(**{name: found.pop(name) for name in ("br", "le", "iso") if name in found})
    return Facts(**found, buffers=buffers, refused=tuple(refused), unanswered=tuple(unanswered))


async def _check_alive(commander: Commander, opcode: int, found: Mapping[str, Any]) -> None:
    """Whether a question was only passed over. Raises MuteError."""
    who = ""
    if opcode != READ_VERSION:
        if await commander.command(READ_VERSION, attempts_us=_QUESTION_US) is not None:
            return
        known = {name: found[name] for name in Facts.__struct_fields__ if name in found}
        who = f"{verdict(Facts(**known))}: "
    raise MuteError(f"{who}it answers Reset, then falls silent at {words_for(opcode)}; {_TO_WAKE}")


def _check_needed(opcode: int, reply: Reply, octets: int) -> None:
    """The version must be told. Raises MuteError."""
    if opcode == READ_VERSION:
        size = len(reply.parameters)
        why = f"status {reply.status:#04x}" if reply.status else f"{size} octets, not {octets}"
        raise MuteError(
            f"it answers Reset, and {words_for(opcode)} with {why}: its firmware is damaged, or it is no "
            "controller; flash it anew"
        )


def verdict(facts: Facts, info: LinkInfo | None = None) -> str:
    """What it is, as far as its answers tell, in one sentence."""
    bcd = None if info is None else info.bcd_device
    if facts.manufacturer == _CSR:
        return _csr(facts, bcd)
    if facts.manufacturer == _REALTEK:
        cold = facts.lmp_subversion == _REALTEK_ROM_LMP
        return "Realtek on its ROM: it needs its firmware" if cold else "Realtek with firmware"
    if facts.manufacturer == _ZEPHYR:
        return "Zephyr controller"
    if facts.manufacturer == _NORDIC:
        return "Nordic controller (SoftDevice Controller or Zephyr)"
    if facts.manufacturer == _INTEL:
        return "Intel controller with firmware"
    return f"controller of company {facts.manufacturer:#06x}"


def _csr(facts: Facts, bcd: int | None) -> str:
    """Source: Linux drivers/bluetooth/btusb.c btusb_setup_csr."""
    if bcd in _CSR_FAKE_BCD:
        return f"clone of a CSR8510 (device release {bcd:#06x} is one of theirs)"
    if facts.lmp_subversion == _CSR_GENUINE_LMP:
        return "genuine CSR8510 A10"
    if facts.hci_revision == facts.lmp_subversion:
        return "CSR controller, consistent with a genuine one"
    return "clone of a CSR controller suspected: its revision and subversion differ"
