"""Checks of a recorded Wi-Fi Aware exchange: every frame decodes, and what was decoded rebuilds its octets.

A frame that was changed or cut on the way may be malformed; then the check is that it is refused with a code and an
offset. Encrypted frames are opened with the link keys among the recorded secrets.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from protocols.dissect import Block, dissect, encode
from protocols.errors import EncodeError, NearbenchError
from tui.verify.check import Check, check
from tui.verify.words import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator


__all__ = ["exchange_checks", "is_exchange"]

_OCTETS = ("hex", "original_hex")
_LINK_KEYS = ("nm_tk", "ndp_tk")
_DECODES, _REFUSED = "decodes", "decodes, or is refused with code and offset"


def is_exchange(plain: dict[str, Any]) -> bool:
    """Whether a JSON object is a recorded exchange."""
    return isinstance(plain.get("frames"), list)


def exchange_checks(plain: dict[str, Any]) -> Iterator[Check]:
    """One check per frame decoded, one per frame rebuilt."""
    keys = _link_keys(plain)
    for index, given in enumerate(plain["frames"]):
        frame = _object(given)
        if not isinstance(frame.get("hex"), str):
            yield check(f"frame {index}", "an object with hex", given, ok=False)
            continue
        name = f"frame {frame.get('n', index)} ({frame.get('kind', 'of no kind')})"
        for key in _OCTETS:
            if key in frame:
                told = name if key == "hex" else f"{name} as sent"
                changed = bool(frame.get("modified_in_flight")) and key == "hex"
                yield from _frame_checks(told, frame[key], keys, may_be_malformed=changed)


def _link_keys(plain: dict[str, Any]) -> list[str]:
    """Keys of encrypted frames among the secrets, in order."""
    sides = [_object(side) for side in _object(plain.get("secrets")).values()]
    found = [str(key) for side in sides for name in _LINK_KEYS for key in side.get(name, ())]
    return list(dict.fromkeys(found))


def _object(value: Any) -> dict[str, Any]:
    """The members of a JSON object; none of anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _frame_checks(
    name: str, text: Any, keys: list[str], *, may_be_malformed: bool
) -> Iterator[Check]:
    context = {"tk": keys} if keys else {}
    expected = _REFUSED if may_be_malformed else _DECODES
    try:
        found = dissect(Block(kind="frame", data=bytes.fromhex(text)), context)
    except (NearbenchError, ValueError, TypeError) as exc:
        yield check(f"{name}: decode", expected, words_of(exc), ok=False)
        return
    if found.error is not None:
        got = {"code": found.error.code, "offset": found.error.offset, "path": found.error.path}
        yield check(f"{name}: decode", expected, got, ok=may_be_malformed)
        return
    yield check(f"{name}: decode", expected, found.plain.get("frame"), ok=True)
    try:
        plain = json.loads(json.dumps(found.plain))  # what a file or a pipe would hold
        rebuilt = encode("frame", plain, context).hex()
    except EncodeError as exc:
        rebuilt = f"it cannot be built: {exc}"
    yield check(f"{name}: rebuild", text.lower(), rebuilt, ok=rebuilt == text.lower())
