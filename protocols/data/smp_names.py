"""Security Manager: IO capabilities, how they choose a method, what is wrong when pairing fails, keys, in words.

Core 5.4 Vol 3 Part H: 2.3.2 (IO capabilities), 2.3.5.1 tables 2.6 to 2.8 (choice of method), 3.3 (commands), 3.5.1
(Pairing Request), 3.5.5 (reasons), 3.6.1 (key distribution). The remedies are ours. Data and look-ups only.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

__all__ = [
    "AUTH_REQ",
    "IO_CAPABILITIES",
    "KEYS",
    "LENGTHS",
    "METHODS",
    "REASONS",
    "STEPS",
    "Io",
    "Key",
    "Method",
    "choose_method",
    "reason_remedy",
    "reason_words",
]

Io = Literal["display_only", "display_yes_no", "keyboard_only", "none", "keyboard_display"]
Key = Literal["encryption", "identity", "signing", "link"]
Method = Literal[
    "just_works",
    "numeric_comparison",
    "passkey_initiator_displays",
    "passkey_responder_displays",
    "passkey_both_type",
    "oob",
]

IO_CAPABILITIES: Final[dict[int, Io]] = {
    0: "display_only",
    1: "display_yes_no",
    2: "keyboard_only",
    3: "none",
    4: "keyboard_display",
}
KEYS: Final[dict[int, Key]] = {1: "encryption", 2: "identity", 4: "signing", 8: "link"}
AUTH_REQ: Final[dict[int, str]] = {
    0x01: "bonding",
    0x04: "mitm",
    0x08: "secure_connections",
    0x10: "keypress",
    0x20: "ct2",
}

LENGTHS: Final[dict[int, int]] = {
    0x01: 7, 0x02: 7, 0x03: 17, 0x04: 17, 0x05: 2, 0x06: 17, 0x07: 11,
    0x08: 17, 0x09: 8, 0x0A: 17, 0x0B: 2, 0x0C: 65, 0x0D: 17, 0x0E: 2,
}  # fmt: skip
"""SMP code -> octets of the command, the code included."""

METHODS: Final[dict[str, str]] = {
    "just_works": "Just Works",
    "numeric_comparison": "numeric comparison",
    "passkey_initiator_displays": "passkey, the initiator displays and the responder types",
    "passkey_responder_displays": "passkey, the responder displays and the initiator types",
    "passkey_both_type": "passkey, both type the same",
    "oob": "out of band",
}

_JW, _NC = "just_works", "numeric_comparison"
_PI, _PR, _PB = "passkey_initiator_displays", "passkey_responder_displays", "passkey_both_type"
_ORDER: Final[tuple[Io, ...]] = (
    "display_only",
    "display_yes_no",
    "keyboard_only",
    "none",
    "keyboard_display",
)
# responder's row -> (legacy, secure connections) for each initiator in the order above
_TABLE: Final[dict[Io, tuple[tuple[str, str], ...]]] = {
    "display_only": ((_JW, _JW), (_JW, _JW), (_PR, _PR), (_JW, _JW), (_PR, _PR)),
    "display_yes_no": ((_JW, _JW), (_JW, _NC), (_PR, _PR), (_JW, _JW), (_PR, _NC)),
    "keyboard_only": ((_PI, _PI), (_PI, _PI), (_PB, _PB), (_JW, _JW), (_PI, _PI)),
    "none": ((_JW, _JW), (_JW, _JW), (_JW, _JW), (_JW, _JW), (_JW, _JW)),
    "keyboard_display": ((_PI, _PI), (_PI, _NC), (_PR, _PR), (_JW, _JW), (_PI, _NC)),
}


class _Choice(NamedTuple):
    """A method and the sentence that says why."""

    method: str
    why: str


def choose_method(
    initiator: Io,
    responder: Io,
    *,
    secure_connections: bool,
    mitm: tuple[bool, bool],
    oob: tuple[bool, bool],
) -> _Choice:
    """The method that the two sides must come to, and the rule that says so (2.3.5.1).

    `mitm` and `oob` are (initiator's flag, responder's flag); an OOB flag says "I have the peer's data".
    """
    if any(oob) if secure_connections else all(oob):
        whose = " and ".join(
            name for name, has in zip(("initiator", "responder"), oob, strict=True) if has
        )
        return _Choice("oob", f"table 2.{6 + secure_connections}: out-of-band data at the {whose}")
    if not any(mitm):
        return _Choice(
            _JW, f"table 2.{6 + secure_connections}: neither side asks for MITM protection"
        )
    kind = "secure connections" if secure_connections else "legacy"
    method = _TABLE[responder][_ORDER.index(initiator)][secure_connections]
    asks = " and ".join(
        name for name, has in zip(("initiator", "responder"), mitm, strict=True) if has
    )
    return _Choice(
        method,
        f"table 2.8: initiator {initiator}, responder {responder}, {kind}; MITM asked for by the {asks}",
    )


REASONS: Final[dict[int, tuple[str, str]]] = {
    0x01: ("passkey entry failed", "nobody typed the PIN, or the person refused; pair again and type it"),
    0x02: ("OOB data not available", "bring the out-of-band data over first, or pair by another method"),
    0x03: (
        "authentication requirements not met",
        "the two cannot reach the security one of them insists on; check IO capabilities, MITM and Secure Connections",
    ),
    0x04: (
        "confirm value failed",
        "the two sides did not use the same PIN (or somebody sits in the middle); pair again with the PIN that is shown now",
    ),
    0x05: ("pairing not supported", "the other side does not pair now; switch it to pairing mode"),
    0x06: ("encryption key size", "the keys would be shorter than one side accepts; raise the key size"),
    0x07: ("command not supported", "the other side does not know this command, or not in this role"),
    0x08: ("unspecified reason", "see what the refusing side said before"),
    0x09: ("repeated attempts", "too many failed attempts; wait, then pair again"),
    0x0A: ("invalid parameters", "a field of the last message has a value it may not have; correct the firmware"),
    0x0B: ("DHKey check failed", "the two did not compute the same key; pair again, and correct the firmware if it stays"),
    0x0C: ("numeric comparison failed", "somebody said that the numbers differ; compare again before you confirm"),
    0x0D: ("BR/EDR pairing in progress", "wait until the other pairing has ended"),
    0x0E: ("cross-transport key derivation not allowed", "pair on the other transport"),
    0x0F: ("key rejected", "the other side does not accept this key; pair again"),
}  # fmt: skip

STEPS: Final[dict[int, str]] = {
    0x01: "feature exchange",
    0x02: "feature exchange",
    0x03: "confirm values",
    0x04: "confirm values",
    0x0C: "public keys",
    0x0D: "DHKey check",
    0x06: "key distribution",
    0x07: "key distribution",
    0x08: "key distribution",
    0x09: "key distribution",
    0x0A: "key distribution",
}
"""SMP code -> the step of the pairing it belongs to."""


def reason_words(code: int) -> str:
    """A reason of Pairing Failed in words."""
    return REASONS[code][0] if code in REASONS else f"unknown reason {code:#04x}"


def reason_remedy(code: int) -> str:
    """What a person can do about it."""
    return REASONS[code][1] if code in REASONS else "look at the log of the side that refused"
