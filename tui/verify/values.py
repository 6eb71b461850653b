"""Checks of the values that a recorded exchange notes of each device (`secrets`, `trace`, and some of `devices`).

Each value must be one that its formula gives from what went in: inputs, draws, and the frames as the device sent or
received them; no recorded value is used for another. Values whose inputs the file does not hold, and names without
a formula, are listed as unchecked with the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec

from protocols.errors import NearbenchError
from protocols.wifi_aware.matching import service_id
from tui.verify.check import Check, check
from tui.verify.formulas.data_path import data_path_values
from tui.verify.formulas.identity import identity_values
from tui.verify.formulas.pairing import pairing_values
from tui.verify.formulas.pool import Pool
from tui.verify.formulas.recording import SIDES, recording_of
from tui.verify.words import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.verify.formulas.recording import Recording, Side

__all__ = ["NEEDS", "ValueReport", "value_report"]

_PASSWORD, _SAE = "inputs.password", "draws sae_rand and sae_mask, the peer's commit"
_PASN = "draws ecdh_private, the Authentication frames"
_KDK = f"{_PASN}, the PMK"
_NDP = "the NDP frames, draws ndp_nonce, inputs ndp_passphrase or nd_pmk"
_GROUPS = {
    "draws": ("rng", "ecdh_private", "sae_rng_scalar", "own_igtk", "own_bigtk"),
    "draws nik or config.nik": ("nik",),
    "draws nira_nonce": ("nira_nonce",),
    "the identity key, draws nira_nonce": ("nira_tag", "nira_tag_computed"),
    _PASSWORD: (
        "pwd_seed", "pwd_value_1", "pwd_value_2", "u1", "u2", "sswu_x", "sswu_y", "pt_x", "pt_y", "pwe_hash", "pwe_val",
        "pwe_x", "pwe_y",
    ),
    f"{_PASSWORD}, draws sae_rand and sae_mask": (
        "sae_own_scalar", "sae_own_element_x", "sae_own_element_y",
    ),
    "the peer's Authentication frames": (
        "sae_peer_scalar", "sae_peer_element_x", "sae_peer_element_y", "pasn_mic_received",
    ),
    f"{_PASSWORD}, {_SAE}": (
        "sae_k", "sae_keyseed_salt", "sae_keyseed", "sae_kck", "sae_pmk", "sae_pmkid", "sae_confirm_received",
        "sae_confirm_expected",
    ),
    _PASN: ("pasn_dhss",),
    _KDK: (
        "pasn_pmk", "pasn_ptk", "pasn_kck", "nm_tk", "nm_kdk", "pasn_mic_context", "pasn_mic_input", "pasn_mic",
        "nd_pmk_from_kdk", "nm_kek", "npk_opportunistic",
    ),
    "the frames with key data, the keys that wrap it": (
        "key_data_plain", "key_data_wrapped", "key_data_kek", "key_data_unwrapped", "rx_igtk", "rx_bigtk", "rx_gtk",
    ),
    "inputs.ndp_passphrase": ("nd_pmk_from_passphrase",),
    _NDP: (
        "ndp_pmk", "ndp_pmkid_input", "ndp_pmkid", "ndp_init_ndi", "ndp_resp_ndi", "ndp_inonce", "ndp_rnonce", "ndp_ptk",
        "ndp_kck", "ndp_kek", "ndp_tk", "auth_token_input", "auth_token", "ndp_mic_input", "ndp_mic",
    ),
    "the encrypted frames, NM-TK or ND-TK": ("tx_plaintext_before_encryption", "rx_after_decryption"),
}  # fmt: skip
NEEDS = {name: needed for needed, names in _GROUPS.items() for name in names}
"""Name of a value that has a formula -> what the file must hold for it."""
_OF_DEVICE = ("nik", "nira_nonce", "nira_tag", "own_igtk", "own_bigtk")
_PAIRED_SUITES = (7, 8)
_NOTED = ("secrets", "trace")


class ValueReport(NamedTuple):
    """The checks, and what could not be checked, in words."""

    checks: list[Check]
    unchecked: tuple[str, ...]


def value_report(plain: dict[str, Any]) -> ValueReport:
    """One check per value that the exchange holds."""
    report = ValueReport([], ())
    absent = _absent(plain)
    if not any(plain.get(name) for name in _NOTED):
        return report._replace(unchecked=absent)
    try:
        recording = recording_of(plain)
    except NearbenchError as exc:
        report.checks.append(_refused("values", str(exc)))
        return report
    unchecked = dict.fromkeys(absent)
    pools: dict[Side, Pool] = {}
    for side in SIDES:
        if not (recording.secrets.get(side) or recording.trace.get(side)):
            continue
        missing = [name for name in SIDES if name not in recording.devices]
        if missing:
            unchecked[f"the values of {side}: devices.{missing[0]} is missing"] = None
            continue
        try:
            pools[side] = _recomputed(recording, side)
        except (NearbenchError, ValueError) as exc:
            report.checks.append(_refused(f"values of {side}", words_of(exc)))
            continue
        report.checks.extend(_side_checks(recording, side, pools[side], unchecked))
    report.checks.extend(_input_checks(recording, pools))
    return report._replace(unchecked=tuple(unchecked))


def _absent(plain: dict[str, Any]) -> tuple[str, ...]:
    """Which of the values of both devices the file does not hold, in words."""
    told: list[str] = []
    for name in _NOTED:
        noted = plain.get(name)
        members = cast("dict[str, Any]", noted) if isinstance(noted, dict) else {}
        sides = [side for side in SIDES if not members.get(side)]
        if len(sides) == len(SIDES):
            told.append(f"{name}: missing or empty")
        else:
            told.extend(f"{name} of {side}: missing or empty" for side in sides)
    return tuple(told)


def _refused(name: str, why: str) -> Check:
    return check(name, "a recording whose values can be recomputed", why, ok=False)


def _recomputed(recording: Recording, side: Side) -> Pool:
    """What the device may have noted."""
    pool = Pool()
    pairing_values(recording, side, pool)
    identity_values(recording, side, pool)
    data_path_values(recording, side, pool)
    return pool


def _side_checks(
    recording: Recording, side: Side, pool: Pool, unchecked: dict[str, None]
) -> Iterator[Check]:
    device, secrets = recording.devices[side], recording.secrets.get(side, {})
    trace = recording.trace.get(side, [])
    traced: dict[str, list[str]] = {}
    for name, value in trace:
        traced.setdefault(name, []).append(value)
    for name in _OF_DEVICE:
        if isinstance(value := getattr(device, name), str) and value:
            yield from _value_checks(f"device {side}, {name}", name, [value], pool, unchecked)
    for name, values in secrets.items():
        yield from _value_checks(f"secrets of {side}, {name}", name, values, pool, unchecked)
    for name, values in traced.items():
        yield from _value_checks(f"trace of {side}, {name}", name, values, pool, unchecked)
    if secrets and trace:
        yield from _order_checks(side, secrets, traced)


def _value_checks(
    told: str, name: str, values: list[str], pool: Pool, unchecked: dict[str, None]
) -> Iterator[Check]:
    """One check per recorded value; `got` is what the formula gives, as far as no other recorded value is that."""
    possible, needed = pool.of(name), NEEDS.get(name)
    if needed is None:
        unchecked[f"{name}: no formula is known for it"] = None
        return
    if not possible:
        unchecked[f"{told}: the file does not hold what it comes from ({needed})"] = None
        return
    given = [value.lower() for value in values]
    left = [value for value in possible if value not in given] or possible
    for number, value in enumerate(given, 1):
        which = f"{told} ({number} of {len(given)})" if len(given) > 1 else told
        if value in possible:
            yield check(which, value, value, ok=True)
        else:
            yield check(which, value, left[0] if len(left) == 1 else left, ok=False)


def _order_checks(
    side: Side, secrets: dict[str, list[str]], traced: dict[str, list[str]]
) -> Iterator[Check]:
    """Where both hold a name, `secrets` lists what `trace` has, each value once, in order of first appearance."""
    for name, values in traced.items():
        distinct, listed = list(dict.fromkeys(values)), secrets.get(name)
        yield check(
            f"secrets of {side}, {name}: those of the trace",
            listed,
            distinct,
            ok=distinct == listed,
        )


def _input_checks(recording: Recording, pools: dict[Side, Pool]) -> Iterator[Check]:
    """Inputs that repeat what follows from others."""
    inputs = recording.inputs
    if isinstance(inputs.service_name, str) and isinstance(inputs.service_id, str):
        told, found = inputs.service_id.lower(), service_id(inputs.service_name)
        yield check("inputs, service_id", told, found, ok=told == found)
    if inputs.csid in _PAIRED_SUITES and isinstance(inputs.nd_pmk, str):
        possible = {value for pool in pools.values() for value in pool.of("nd_pmk_from_kdk")}
        told = inputs.nd_pmk.lower()
        if possible:
            yield check("inputs, nd_pmk", told, sorted(possible), ok=told in possible)
    for side in SIDES:
        nik, device = getattr(inputs, f"nik_{side}"), recording.devices.get(side)
        if isinstance(nik, str) and device is not None and device.nik is not msgspec.UNSET:
            ok = nik.lower() == device.nik.lower()
            yield check(f"inputs, nik_{side}", nik, device.nik, ok=ok)
