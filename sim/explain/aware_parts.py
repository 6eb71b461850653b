"""What several rules on Wi-Fi Aware share: going through offers, patience at the end of a capture, numbers as words.

No clock, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware.attributes.cipher_suite_information import SUITES
from protocols.wifi_aware.attributes.pairing_bootstrapping import METHODS
from protocols.wifi_aware.suites import STATUSES
from protocols.wifi_aware.vocabulary import REASONS
from sim.explain import Verdict
from sim.explain.aware_pairs import TERMINATE
from sim.explain.aware_phones import family_of
from sim.explain.parts import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sim.explain import Case
    from sim.explain.aware_observations import (
        Aware,
        AwareApp,
        AwareDevice,
        Offer,
        Service,
        Sighting,
    )
    from sim.explain.aware_pairs import DataPath, Pair
    from sim.explain.observations import Scene

__all__ = [
    "COMPLEMENTS",
    "PASN_128",
    "PASN_SUITES",
    "PIN_DISPLAY",
    "PIN_KEYPAD",
    "alive_at",
    "aware_app",
    "everywhere",
    "frames_of",
    "gone",
    "has_spoken",
    "illegal_argument",
    "is_over",
    "is_paired",
    "is_silent",
    "is_strangers",
    "known_phone",
    "maybe_phone",
    "method_words",
    "ms",
    "offers",
    "published",
    "publisher_of",
    "reason_words",
    "share",
    "status_words",
    "suite_words",
    "tail",
]

PIN_DISPLAY, PIN_KEYPAD = 0x0002, 0x0020
"""Bootstrapping methods (digest 2.27)."""
PASN_128, PASN_256 = 7, 8
PASN_SUITES = (PASN_128, PASN_256)
COMPLEMENTS = {
    0x0001: 0x0001, 0x0002: 0x0020, 0x0004: 0x0040, 0x0008: 0x0080, 0x0010: 0x0100, 0x0020: 0x0002,
    0x0040: 0x0004, 0x0080: 0x0008, 0x0100: 0x0010, 0x4000: 0x4000, 0x8000: 0x8000,
}  # fmt: skip
"""Method of one side -> method that the other side needs (digest 6.2)."""
_WITHIN_US = 1_000_000
_GONE_S = 5.0
"""Ten discovery windows; a choice of this project."""


def is_strangers(case: Case) -> bool:
    """Whether the device is not such a phone itself."""
    return case.aware.nmi not in case.phones


def published(case: Case) -> bool:
    """Whether the case is about something that another device publishes."""
    return case.service.kind == "publish" and is_strangers(case)


def offers(service: Service, wanted: Callable[[Offer], bool]) -> list[Sighting]:
    """When offers were seen that `wanted` is true for."""
    return [sighting for offer, sighting in service.offers.items() if wanted(offer)]


def everywhere(case: Case, wanted: Callable[[Offer], bool]) -> list[Sighting]:
    """Sightings of a service nobody has paired, if `wanted` of each of its offers; otherwise none."""
    service = case.service
    if not published(case) or is_paired(case):
        return []
    sightings = offers(service, wanted)
    return sightings if len(sightings) == len(service.offers) else []


def frames_of(sightings: Iterable[Sighting]) -> tuple[int, ...]:
    """First frames of each."""
    return tuple(frame for one in sightings for frame in one.frames)


def share(some: list[Sighting], service: Service) -> str:
    """How much of the traffic that is: "all 12 publish frames", "3 of 12 publish frames"."""
    total, count = service.count, sum(one.count for one in some)
    word = f"{service.kind} frame{'s' * (total != 1)}"
    if count < total:
        return f"{count} of {total} {word}"
    return f"the only {word}" if total == 1 else f"all {total} {word}"


def has_spoken(pair: Pair, nmi: str) -> bool:
    """Whether `nmi` said anything to the other of the two."""
    said = {one.sender for one in pair.keys}
    said.update(one.sender for one in pair.messages)
    said.update(one.sender for one in pair.guarded)
    said.update(one.sender for one in pair.bares)
    said.update(step.sender for path in pair.paths for step in path.steps)
    said.update(auth.sender for pasn in pair.pasns for auth in pasn.messages)
    said.update(one.requester for one in pair.bootstraps if one.requests)
    said.update(one.responder for one in pair.bootstraps if one.responses)
    return nmi in said


def is_over(scene: Scene, last_us: int, wait_s: float) -> bool:
    """Whether nothing more is to be expected after `last_us`.

    In a trace when the time to wait is over. A capture file says no more than it holds, so there it is over at its
    end; how much of it is left stands in the evidence (`tail`). A live phone waits by itself.
    """
    if scene.source == "phone":
        return False
    return scene.source != "trace" or scene.end_us - last_us >= wait_s * 1e6


def is_silent(scene: Scene, last_us: int, wait_s: float) -> bool:
    """Whether the scene goes on for `wait_s` after `last_us`."""
    return scene.source != "phone" and scene.end_us - last_us >= wait_s * 1e6


def tail(scene: Scene, last_us: int) -> str:
    """How long the scene goes on after a message, as the end of a sentence."""
    left = scene.end_us - last_us
    if left < _WITHIN_US:
        return f"; the {_noun(scene)} ends {left / 1000:.0f} ms later"
    return f" in the {left / 1e6:.1f} s that follow"


def gone(case: Case, nmi: str, t_us: int) -> str:
    """How long after an instant a device is heard for the last time, as a part of a sentence; "" when it is heard on.

    A device in a cluster sends beacons all the time, so one that only does not answer is still heard.
    """
    device = case.scene.aware.devices.get(nmi)
    if device is None or not is_silent(case.scene, device.last_us, _GONE_S):
        return ""
    after_s = (device.last_us - t_us) / 1e6
    when = f"{abs(after_s):.1f} s {'later' if after_s >= 0 else 'earlier'}"
    return f"; nothing at all is heard of it from {when} on: off, in Doze or out of range"


def _noun(scene: Scene) -> str:
    return scene.source if scene.source in ("trace", "wait") else "capture"


def publisher_of(aware: Aware, a: str, b: str) -> str:
    """Which of two devices publishes what the other looks for; the one that publishes at all; "" when both or none."""
    both = aware.devices.get(a), aware.devices.get(b)
    kinds = [_offered(device) for device in both]
    for names in (_matching(kinds[0], kinds[1]), [kind == "publish" for kind in map(_only, kinds)]):
        if names[0] != names[1]:
            return a if names[0] else b
    return ""


def _offered(device: AwareDevice | None) -> set[tuple[str, str]]:
    """Kind and ID of the services of a device."""
    services = device.services.values() if device is not None else ()
    return {(one.kind, one.service_id) for one in services}


def _matching(first: set[tuple[str, str]], second: set[tuple[str, str]]) -> list[bool]:
    return [
        any(kind == "publish" and ("subscribe", name) in others for kind, name in mine)
        for mine, others in ((first, second), (second, first))
    ]


def _only(kinds: set[tuple[str, str]]) -> str:
    """`publish` or `subscribe` when a device does nothing else."""
    found = {kind for kind, _ in kinds}
    return found.pop() if len(found) == 1 else ""


def known_phone(case: Case, *nmis: str) -> bool:
    """Whether one of these is the phone: known to be one, or the phone is asked for and nobody is known to be it."""
    if case.phones:
        return any(nmi in case.phones for nmi in nmis)
    return any(nmis) and case.concerns_phone


def maybe_phone(case: Case, *nmis: str) -> bool:
    """Whether one of these may be the phone: as `known_phone`, or no phone is known."""
    return not case.phones or any(nmi in case.phones for nmi in nmis)


def aware_app(case: Case) -> AwareApp | None:
    """The app, when it runs on such a phone."""
    app = case.scene.app.aware
    if app is None or (app.profile and family_of(app.profile) != family_of(case.view.profile)):
        return None
    return app


def illegal_argument(faults: list[str]) -> Iterator[Verdict]:
    """What Android makes of arguments of the app that have faults: an exception at the call."""
    if faults:
        yield Verdict(
            severity="error",
            evidence="; ".join(faults),
            short=faults[0],
            effect="error:IllegalArgumentException",
        )


def is_paired(case: Case) -> bool:
    """Whether the device and the phone have paired before, as far as one can tell."""
    app, nmi = aware_app(case), case.aware.nmi
    if app is not None and nmi in app.paired:
        return True
    pairs = case.scene.aware.pairs
    both = (pairs.get((min(nmi, peer), max(nmi, peer))) for peer in case.phones or case.aware.peers)
    return any(
        pair is not None and any(one.is_verification and one.is_complete for one in pair.pasns)
        for pair in both
    )


def alive_at(aware: Aware, nmi: str, path: DataPath) -> list[DataPath]:
    """Other data paths of a device that were up, and not ended, when `path` was asked for."""
    device = aware.devices.get(nmi)
    pairs = (
        (aware.pairs.get((min(nmi, peer), max(nmi, peer))) for peer in device.peers)
        if device
        else ()
    )
    return [
        one
        for pair in pairs
        if pair is not None
        for one in pair.paths
        if one is not path
        and one.t_us < path.t_us
        and not any(step.type == TERMINATE and step.t_us < path.t_us for step in one.steps)
        and one.is_up
    ]


def method_words(bits: int) -> str:
    """Bootstrapping methods with their mask."""
    names = [name for bit, name in METHODS.items() if bits >> bit & 1]
    return f"{listed(names)} ({bits:#06x})"


def suite_words(suites: Iterable[int]) -> str:
    """Names of cipher suites."""
    return listed(SUITES.get(one, f"suite {one}") for one in suites)


def reason_words(number: int) -> str:
    """A reason code with its name."""
    return f"reason {number} ({REASONS.get(number, 'reserved')})"


def status_words(number: int) -> str:
    """A status code with its name."""
    return f"status {number} ({STATUSES.get(number, 'not named here')})"


def ms(us: int) -> str:
    """A time in words."""
    return f"{us / 1000:.0f} ms" if us < 2_000_000 else f"{us / 1e6:.1f} s"
