"""Commands and what answers them: taking replies apart, and making the ones that a lost controller owes its host.

Core Specification 5.4 Vol 4 Part E clauses 4.4 (command flow control), 5.4.1, 7.1 to 7.8 (return parameters), 7.7.5,
7.7.14 to 7.7.16. No clock, no chance, no IO.
"""

from __future__ import annotations

from typing import Final

import msgspec

from protocols.data.hci_names import command_name
from protocols.hci.framing import COMMAND, EVENT

__all__ = [
    "HARDWARE_FAILURE",
    "NOP_PACKET",
    "NO_REPLY",
    "RESET",
    "RETURN_OCTETS",
    "STATUS_COMMANDS",
    "Reply",
    "command",
    "completed_packets",
    "disconnection_complete",
    "failure",
    "hardware_error",
    "opcode_of",
    "reply_of",
    "words_for",
]

RESET: Final = 0x0C03
HARDWARE_FAILURE: Final = 0x03
"""Error code: the controller is gone or does not answer."""
CONNECTION_TIMEOUT: Final = 0x08
COMMAND_COMPLETE, COMMAND_STATUS = 0x0E, 0x0F
_DISCONNECTION_COMPLETE, _HARDWARE_ERROR, _COMPLETED_PACKETS = 0x05, 0x10, 0x13
_VENDOR_GROUP: Final = 0x3F

NOP_PACKET: Final = bytes((EVENT, COMMAND_COMPLETE, 3, 1, 0, 0))
"""Command Complete for no command: one command may be sent (4.4)."""
NO_REPLY: Final = frozenset((0x0C35,))
"""Host Number Of Completed Packets has no answer (7.3.40)."""

STATUS_COMMANDS: Final = frozenset(
    (
        *(0x0401, 0x0405, 0x0406, 0x0409, 0x040A, 0x040F, 0x0411, 0x0413, 0x0415, 0x0417, 0x0419),
        *(0x041B, 0x041C, 0x041D, 0x041F, 0x0428, 0x0429, 0x042A, 0x043D, 0x043E, 0x043F, 0x0443),
        *(0x0444, 0x0801, 0x0803, 0x0804, 0x0805, 0x0806, 0x0807, 0x080B, 0x0810, 0x0C53),
        *(0x200D, 0x2013, 0x2016, 0x2019, 0x2025, 0x2026, 0x2032, 0x2043, 0x2044, 0x205E, 0x2064),
        *(0x2066, 0x2068, 0x2069, 0x206A, 0x206B, 0x206D, 0x2077, 0x207E),
        *(0x208A, 0x208C, 0x208E, 0x2090, 0x2091, 0x2094, 0x2096, 0x209D, 0x20A1),
    )
)
"""Commands that are answered with Command Status first (7.1, 7.2, 7.3, 7.8)."""

RETURN_OCTETS: Final[dict[int, int]] = {
    opcode: octets
    for octets, opcodes in {
        2: (
            *(0x0C1F, 0x0C2E, 0x0C38, 0x0C46, 0x0C55, 0x0C58, 0x0C5A, 0x1801, 0x2007, 0x200F),
            *(0x202A, 0x2036, 0x203B, 0x204A, 0x2062, 0x2063, 0x2065, 0x206C),
        ),
        3: (
            *(0x080D, 0x0811, 0x0C12, 0x0C25, 0x0C37, 0x0C6C, 0x0C7C, 0x201A, 0x201B, 0x2020),
            *(0x2021, 0x2022, 0x203A, 0x204B, 0x205A, 0x205B, 0x205C, 0x2067, 0x206E, 0x206F),
            *(0x208B, 0x208D, 0x208F, 0x2093),
        ),
        4: (0x0441, 0x0C23, 0x0C2D, 0x1405, 0x1408, 0x2002),
        5: (0x0C0D, 0x0C1B, 0x0C7B, 0x2023, 0x2030),
        7: (
            *(0x0408, 0x040B, 0x040C, 0x040D, 0x040E, 0x042B, 0x042C, 0x042D, 0x042E, 0x042F),
            *(0x0430, 0x0433, 0x0434, 0x0440, 0x0445, 0x0C60, 0x1009, 0x202B, 0x202C, 0x2060),
        ),
        8: (0x0442, 0x1005, 0x2015),
        9: (0x1001, 0x1003, 0x2003, 0x2018, 0x201C, 0x202F),
        11: (0x1004,),
        12: (0x2061,),
        17: (0x2017,),
        29: (0x2089,),
        33: (0x0C57,),
        65: (0x0C7D, 0x1002),
        249: (0x0C14,),
        250: (0x2087,),
    }.items()
    for opcode in opcodes
}
"""Octets of return parameters, status included, of commands that return more than a status."""


class Reply(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a Command Complete or Command Status says."""

    opcode: int
    """0 for none: only the credits count."""
    credits: int
    """Commands that the host may send now."""
    complete: bool
    """Command Complete, otherwise Command Status."""
    parameters: bytes
    """Return parameters, status first; of Command Status the status alone."""

    @property
    def status(self) -> int:
        """Error code; 0 is success, and what a Command Complete without parameters says."""
        return self.parameters[0] if self.parameters else 0


def opcode_of(packet: bytes) -> int:
    """Opcode of a command packet."""
    return packet[1] | packet[2] << 8


def command(opcode: int, parameters: bytes = b"") -> bytes:
    """A command packet."""
    return bytes((COMMAND, opcode & 0xFF, opcode >> 8, len(parameters))) + parameters


def reply_of(packet: bytes) -> Reply | None:
    """The reply in a whole H4 packet; None when it is something else, or too short to be one."""
    if packet[0] != EVENT:
        return None
    if packet[1] == COMMAND_COMPLETE and len(packet) >= 6:
        return Reply(
            opcode=packet[4] | packet[5] << 8,
            credits=packet[3],
            complete=True,
            parameters=packet[6:],
        )
    if packet[1] == COMMAND_STATUS and len(packet) == 7:
        return Reply(
            opcode=packet[5] | packet[6] << 8,
            credits=packet[4],
            complete=False,
            parameters=packet[3:4],
        )
    return None


def failure(opcode: int, status: int = HARDWARE_FAILURE) -> bytes:
    """The reply that ends a command with an error, of the kind and length that the command has."""
    number = opcode.to_bytes(2, "little")
    if opcode in STATUS_COMMANDS:
        return bytes((EVENT, COMMAND_STATUS, 4, status, 1)) + number
    parameters = bytes((status,)).ljust(RETURN_OCTETS.get(opcode, 1), b"\0")
    return bytes((EVENT, COMMAND_COMPLETE, 3 + len(parameters), 1)) + number + parameters


def disconnection_complete(handle: int, reason: int = CONNECTION_TIMEOUT) -> bytes:
    """Disconnection Complete of `handle` (7.7.5)."""
    number = handle.to_bytes(2, "little")
    return bytes((EVENT, _DISCONNECTION_COMPLETE, 4, 0)) + number + bytes((reason,))


def hardware_error(code: int = 0) -> bytes:
    """Hardware Error (7.7.16); the code is the implementer's own."""
    return bytes((EVENT, _HARDWARE_ERROR, 1, code))


def completed_packets(packet: bytes) -> list[tuple[int, int]]:
    """(handle, packets) of a Number Of Completed Packets event (7.7.19); empty for any other packet."""
    if packet[:2] != bytes((EVENT, _COMPLETED_PACKETS)) or len(packet) < 4:
        return []
    count = min(packet[3], (len(packet) - 4) // 4)
    words = [packet[at] | packet[at + 1] << 8 for at in range(4, 4 + 4 * count, 2)]
    return [(words[2 * n] & 0x0FFF, words[2 * n + 1]) for n in range(count)]


def words_for(opcode: int) -> str:
    """Name and number of a command, for messages."""
    kind = "vendor command" if opcode >> 10 == _VENDOR_GROUP else command_name(opcode)
    return f"{kind} ({opcode:#06x})"
