"""The state of one device in words: power, battery, LEDs, button, radios, bonds, PIN, person, faults; and its settings.

Everything is read from the device as it is now; what its model does not have is said. PINs and keys of settings are
dots. No screen.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec

from protocols.wifi_aware.station import RefusedError
from sim.accessories import Accessory
from sim.device import settings_table
from sim.redaction import HIDDEN, is_secret, masked
from sim.units import Duration, duration_text
from tui.text import clean, cut_middle, pin_groups

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.control import Control
    from sim.device import Device
    from sim.device import Settings as DeviceSettings
    from tui.models.accessory_log import DeviceLog
    from tui.session import Session

__all__ = ["NONE", "Fact", "Setting", "button_of", "facts_of", "settings_of"]

_KEYS = ("identity_key", "lock_code")
"""Settings that are keys beside those that are secret everywhere."""
_ROLES = {
    "master": "master",
    "non_master_sync": "non-master sync",
    "non_master_non_sync": "non-master non-sync",
}
_PERSONS = {True: "you", False: "by itself"}
NONE = "not in model"
"""What is said of parts that the simulated device does not have."""


class Fact(NamedTuple):
    """One thing that is known of a device."""

    name: str
    text: str
    style: str = ""


class Setting(NamedTuple):
    """One setting as it is shown."""

    name: str
    text: str
    typed: str
    """the value as it is typed behind `value=`; empty for secrets and what cannot be typed."""
    is_changed: bool
    """whether it was changed since the start, and counts from the next one on."""
    about: str


def button_of(device: Device) -> str:
    """The command that the button of a device gives; empty without one."""
    name = str(getattr(device, "button", ""))
    return name if name in type(device).commands() else ""


def facts_of(
    session: Session, control: Control, node: str, log: DeviceLog, *, wide: bool = True
) -> list[Fact]:
    """What is known of a device now; in fewer words unless `wide`."""
    device = control.world.devices[node]
    found = [Fact("model", clean(session.about.get(node, "")))]
    if isinstance(device, Accessory):
        found += _body(control, device)
    if "ble" in device.radios:
        found += _ble(session, device, log.bonds if wide else {}, wide=wide)
    if "wifi_aware" in device.radios:
        found += _aware_or_off(device, wide=wide)
    found += _people(control, device)
    words = [fault.name for fault in control.faults() if fault.node == node]
    found.append(Fact("faults", ", ".join(words) or "none", "warn" if words else ""))
    return found


def _body(control: Control, device: Accessory) -> Iterator[Fact]:
    state = "off" if device.is_off else "on" if _has_radio(device) else "not switched on yet"
    yield Fact("power", state, "" if state == "on" else "warn")
    yield Fact("battery", _battery(device))
    leds = [f"{led} {state}" for led, state in list(device.leds.items())]
    yield Fact("LEDs", ", ".join(leds) or NONE)
    button = button_of(device)
    yield Fact("button", "b presses it" if button else NONE)
    face = control.face(device.name)
    if face is not None and (face.pin or face.number):
        yield Fact("display", pin_groups(face.pin or face.number, "-"), "key")


def _has_radio(device: Any) -> bool:
    aware = getattr(device, "aware", None)
    return hasattr(device, "ble") or bool(aware is not None and aware.on)


def _battery(device: Any) -> str:
    measure = getattr(device, "battery_pct", None)
    if callable(measure):
        try:
            return f"{measure()} %"
        except Exception as exc:  # noqa: BLE001  # a user's device may raise anything
            return f"{type(exc).__name__}: {exc}"
    millivolts = getattr(device.settings, "battery_mv", 0)
    return f"{millivolts} mV, as set" if millivolts else NONE


def _ble(session: Session, device: Any, kinds: dict[str, str], *, wide: bool) -> Iterator[Fact]:
    radio: Any = getattr(device, "ble", None)
    if radio is None:
        yield Fact("ble", "off")
        return
    if getattr(device, "is_off", False):
        yield Fact("ble", "off")
    else:
        peers: list[str] = list(radio.connected_with())
        link, advert = (
            ("connected: ", "{} every {:.1f} ms") if wide else ("link ", "adv {1:.1f} ms")
        )
        said = [f"{link}{', '.join(map(clean, peers))}"] if peers else []
        said += [advert.format(pdu, ms) for pdu, ms in _adverts(session, device.name)]
        yield Fact("ble", "; ".join(said) or "silent")
    yield Fact("pairable", "yes" if getattr(device.settings, "pairable", False) else "no")
    try:
        bonds: list[str] = list(radio.bonded_with())
    except AttributeError:  # it was never switched on
        bonds = []
    words = [f"{clean(peer)} ({kinds[peer]})" if peer in kinds else clean(peer) for peer in bonds]
    yield Fact("bonds", f"{len(bonds)}: {'; '.join(words)}" if bonds else "none")


def _adverts(session: Session, node: str) -> list[tuple[str, float]]:
    """What it sends on advertising channels now: (PDU, interval in milliseconds)."""
    air = session.air
    return [
        (one.pdu, interval_us / 1000)
        for one in list(air.all.values())
        if one.owner == node
        and one.kind != "NAN"
        and not one.is_stale(air.now_us)
        and (interval_us := one.interval_us)
    ]


def _aware_or_off(device: Any, *, wide: bool) -> list[Fact]:
    try:
        return list(_aware(device, wide=wide))
    except RefusedError:  # it was switched off while it was looked at
        return [Fact("aware", "off")]


def _aware(device: Any, *, wide: bool) -> Iterator[Fact]:
    half: Any = getattr(device, "aware", None)
    if half is None or not half.on:
        yield Fact("aware", "off")
        return
    cluster: Any = getattr(half.radio, "cluster", None)
    peers = list(half.engine.station.peers.values())
    paired = sum(1 for peer in peers if peer.paired)
    if cluster is None:
        yield Fact("aware", "on")
    else:
        role = _ROLES.get(cluster.role, str(cluster.role))
        yield Fact("aware", role if wide else role.removeprefix("non-master "))
        yield Fact("cluster", cut_middle(cluster.cluster_id or "searching", 30 if wide else 13))
    yield Fact("peers", f"{len(peers)}, {paired} paired")
    yield Fact("pairings", f"{len(half.identities)} in flash")


def _people(control: Control, device: Any) -> Iterator[Fact]:
    settings = device.settings
    if hasattr(settings, "pin"):
        yield Fact("PIN", f"set {HIDDEN}" if settings.pin else "random")
    if hasattr(settings, "person"):
        by_command = settings.person != "policy" and not control.is_played(device.name)
        person = "by commands" if by_command else _PERSONS[control.is_played(device.name)]
        yield Fact("person", person)


# Settings


def settings_of(device: Device) -> list[Setting]:
    """The settings of a device, in the order of its model."""
    abouts = _abouts(device.settings.__class__)
    changed: set[str] = getattr(device, "changed", set())
    return [
        _setting(name, getattr(device.settings, name), name in changed, abouts.get(name, ""))
        for name in device.settings.__struct_fields__
    ]


def _setting(name: str, value: Any, is_changed: bool, about: str) -> Setting:
    plain: Any = msgspec.to_builtins(value, enc_hook=_worded)
    hidden = bool(plain) and (is_secret(name) or name in _KEYS)
    shown: Any = HIDDEN if hidden else masked(plain, lambda _: HIDDEN)
    typed = "" if hidden or shown != plain else _typed(plain)
    text = "" if shown is None else _typed(shown) or str(shown)
    return Setting(name, clean(text), clean(typed), is_changed, about)


def _worded(value: Any) -> str:
    return duration_text(value) if isinstance(value, Duration) else str(value)


def _typed(value: Any) -> str:
    """A value as a console takes it; empty for tables."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"' if " " in value else value
    if isinstance(value, (list, tuple)):
        items: list[Any] = list(cast("Any", value))
        if any(isinstance(one, (dict, list)) for one in items):
            return ""
        return f"[{','.join(_item(one) for one in items)}]"
    return "" if value is None or isinstance(value, dict) else str(value)


def _item(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else _typed(value)


@functools.cache
def _abouts(kind: type[DeviceSettings]) -> dict[str, str]:
    return {row["name"]: row["about"] for row in settings_table(kind)}
