"""Crowds of a scenario: what they advertise made from format and fields, where they stand drawn from the seed.

`{n}` in a text field becomes the member's number, `{n:04x}` formats it as Python does; a text that is nothing but
`{n}` becomes the number itself. Errors name `crowd[i]` and the key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from protocols.errors import ProtocolError, UsageError
from sim.adverts import advert_data, pieces_of_format
from sim.crowd import Crowd, Member, advertising_pdu

if TYPE_CHECKING:
    from sim.scenario import CrowdSpec
    from sim.wifi_aware.crowd import AwareCrowd
    from sim.world import World

__all__ = ["join_crowd", "numbered"]

_NUMBER = re.compile(r"\{n(?::([^{}]*))?\}")
_LEGACY_LIMIT = 31
_INTERVAL_US = 100_000
_POWER_DBM = 0


def join_crowd(world: World, index: int, spec: CrowdSpec) -> Crowd | AwareCrowd:
    """Put the crowd `spec`, entry `index` of the scenario, on the world's air. Raises ScenarioError."""
    if spec.count < 1:
        raise world.scenario.error(
            ("crowd", index, "count"), f"{spec.count} members; give at least 1"
        )
    if spec.kind == "aware":
        from sim.wifi_aware.crowd import join_aware_crowd  # only scenarios with such crowds load it

        return join_aware_crowd(world, index, spec)
    if spec.set:
        message = "a BLE crowd has fields, no settings; kind = 'aware' has"
        raise world.scenario.error(("crowd", index, "set"), message)
    interval_us = _INTERVAL_US if spec.interval is None else int(spec.interval)
    power_dbm = _POWER_DBM if spec.tx_power_dbm is None else spec.tx_power_dbm
    places = world.streams.stream(f"crowd/{spec.name}/place")
    addresses = world.streams.stream(f"crowd/{spec.name}/address")
    width_m, depth_m = spec.area
    x_m, y_m, z_m = (*spec.at, 0.0)[:3]
    members: list[Member] = []
    for n in range(spec.count):
        address = addresses.randbytes(5) + bytes((addresses.randrange(0xC0, 0x100),))
        world.claim(spec.name, address[::-1].hex(":"))
        position = (
            x_m + (places.random() - 0.5) * width_m,
            y_m + (places.random() - 0.5) * depth_m,
            z_m,
        )
        pdu = advertising_pdu(address, _data(world, index, spec, n))
        members.append(Member(position, interval_us, pdu, power_dbm))
    try:
        return Crowd(world.air, spec.name, members)
    except UsageError as exc:
        raise world.scenario.error(("crowd", index, "interval"), str(exc)) from None


def _data(world: World, index: int, spec: CrowdSpec, n: int) -> bytes:
    try:
        fields = numbered(spec.fields, n)
    except ValueError as exc:
        raise world.scenario.error(
            ("crowd", index, "fields"), f"{exc}; write {{n}} or {{n:04x}}"
        ) from None
    try:
        return advert_data(
            pieces_of_format(spec.format, fields, {}, world.base),
            with_flags=False,
            limit=_LEGACY_LIMIT,
        )
    except ProtocolError as exc:
        raise world.scenario.error(("crowd", index, "fields"), f"member {n}: {exc}") from None
    except UsageError as exc:
        raise world.scenario.error(("crowd", index, "format"), str(exc)) from None


def numbered(value: Any, n: int) -> Any:
    """`value` with `{n}` replaced in every text. Raises ValueError for a bad format."""
    if isinstance(value, dict):
        return {key: numbered(item, n) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [numbered(item, n) for item in _items(value)]
    if not isinstance(value, str):
        return value
    if value == "{n}":
        return n
    return _NUMBER.sub(lambda found: format(n, found.group(1) or ""), value)


def _items(value: Any) -> list[Any]:
    return list(value)
