"""A phone that judges what it handles by the rules of `sim.explain`, and says which rule made it do what.

Rules of the file: a verdict is made from observations alone, by the same function that judges captures; the phone only
carries out its `effect`. What apps asked for is an `App`, and every change of it is in the trace, so that a trace
explains itself. No wall clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import msgspec

from sim.explain import PROFILES, RULES, Case, Verdict, View, rule_of, rules_on
from sim.explain.app import App
from sim.explain.observations import Advert, Connection, Device, ParameterRequest, Parameters, Scene
from sim.gatt import LinkError
from sim.phones.generic import Generic, GenericSettings

if TYPE_CHECKING:
    from sim.explain import On
    from sim.phones import Report
    from sim.trace import TraceEvent

__all__ = ["Answer", "Judged", "JudgedSettings", "Judgement"]

_REMEMBERED = 20_000
_FAILED = (
    "_failed",
    "_silent",
    "_crashed",
    "_refused",
    "_rejected",
    "_lost",
    "_terminated",
    "_late",
)
_REFUSED = ("not_shown", "not_started", "peer_unknown", "ignored", "picker_blind")
"""Events of phones that tell of something that did not come about."""


class JudgedSettings(GenericSettings, frozen=True, kw_only=True):
    """Settings of every phone with rules."""

    rules: dict[str, bool] = msgspec.field(default_factory=dict[str, bool])
    """rules switched on or off by ID, as { "IB-04" = false }; the others are as `nearbench show rule ID` says."""

    def __post_init__(self) -> None:
        super().__post_init__()
        known = RULES.names()
        for name in self.rules:
            if name not in known:
                raise ValueError(
                    f"rules: {name!r} is no rule that is executed; see `nearbench list rules`"
                )


class Judgement(NamedTuple):
    """A rule and what it says."""

    rule: str
    verdict: Verdict


class Answer(NamedTuple):
    """What the phone does with a request for connection parameters."""

    interval_min_ms: float
    interval_max_ms: float
    latency: int
    timeout_ms: int
    accepted: bool
    override: bool = False
    """accepted, and taken back at once to the phone's defaults (IB-24)."""


class Judged(Generic):
    """Base of phones with opinions: adverts, requests and what apps ask for are judged before anything happens."""

    settings: JudgedSettings  # pyright: ignore[reportIncompatibleVariableOverride]  # a subclass narrows it
    profiles: ClassVar[tuple[str, ...]] = ()
    """rule sets it keeps."""
    security_rules: ClassVar[dict[str, str]] = {}
    """setting about security -> ID of the rule that it carries out."""

    async def start(self) -> None:
        """Be on, with nothing heard and no app running."""
        await super().start()
        self.app = self.first_app()
        self._air: dict[str, tuple[Advert | None, Advert | None]] = {}
        self._verdicts: dict[Any, list[Judgement]] = {}
        self._refusals: dict[str, Judgement] = {}
        self.views = {profile: self._view(profile) for profile in self.profiles}

    def first_app(self) -> App:
        """The app before it asked for anything."""
        return App(known=True)

    def version(self) -> str:
        """Version of the system."""
        return PROFILES[self.profiles[0]][-1]

    def options(self) -> dict[str, str]:
        """Choices that the sources leave open."""
        return {}

    def emit(self, event: str, **details: Any) -> TraceEvent:
        """Write `event` of this phone to the trace; what a rule made fail says what to do about it."""
        rule = details.get("rule")
        if rule and (event.endswith(_FAILED) or event in _REFUSED):
            details.setdefault("remedy", rule_of(rule).remedy)
        return super().emit(event, **details)

    def _view(self, profile: str) -> View:
        switched = self.settings.rules
        return View(
            profile=profile,
            version=self._version_of(profile),
            asked=True,
            off=frozenset(name for name, keep in switched.items() if not keep),
            on=frozenset(name for name, keep in switched.items() if keep),
            options=self.options(),
        )

    def _version_of(self, profile: str) -> str:
        """The version as the profile knows it: the newest that is not newer than that of the phone."""
        own = _number(self.version())
        known = PROFILES[profile]
        return max((one for one in known if _number(one) <= own), key=_number, default=known[0])

    def keeps(self, rule: str) -> bool:
        """Whether a rule is switched on."""
        return RULES.get(rule).enabled(self.views[self.profiles[0]])

    def choice(self, setting: str) -> tuple[str, str]:
        """As the settings say, by their rule; as a neutral phone when the rule is switched off."""
        rule = self.security_rules.get(setting, "")
        if rule and not self.keeps(rule):
            return getattr(GenericSettings(), setting), ""
        return super().choice(setting)[0], rule

    def set_app(self, **changes: Any) -> dict[str, Any]:
        """Change what the app asks for; the new state as plain values, for the event that says so."""
        self.app = msgspec.structs.replace(self.app, **changes)
        self._verdicts.clear()
        return msgspec.to_builtins(self.app)  # type: ignore[no-any-return]  # a dict, being a struct

    # Adverts

    def hear(self, report: Report) -> tuple[Advert | None, Advert | None]:
        """Note a report: (latest advert, latest scan response) of its sender, the response only if it belongs."""
        advert, response = self._air.get(report.address, (None, None))
        fresh = advert_of(report)
        if report.scan_response:
            response = fresh
        else:
            if not fresh.scannable:
                response = None
            advert = fresh
        if len(self._air) >= _REMEMBERED:
            self._air.clear()
        self._air[report.address] = (advert, response)
        return advert, response

    def judge_advert(self, address: str, profile: str) -> list[Judgement]:
        """What the rules say about the latest advert of an address."""
        advert, response = self._air.get(address, (None, None))
        key = (address, profile, advert, response)
        found = self._verdicts.get(key)
        if found is None:
            if len(self._verdicts) >= _REMEMBERED:
                self._verdicts.clear()
            device = self._device(address, advert, response)
            found = self._verdicts[key] = self.judge("advert", profile, device) if advert else []
        return found

    def _device(self, address: str, advert: Advert | None, response: Advert | None) -> Device:
        device = Device(address)
        for one in (advert, response):
            if one is not None:
                device.add(one, 0, self.now_us)
        return device

    def judge(self, subject: On, profile: str, device: Device | None = None) -> list[Judgement]:
        """Verdicts of all rules about `subject` that are switched on."""
        view = self.views[profile]
        scene = Scene(source="phone", app=self.app)
        device = device or Device("")
        if device.address:
            scene.devices[device.address] = device
        case = Case(view=view, scene=scene, device=device)
        return [
            Judgement(rule.id, verdict)
            for rule in rules_on(subject, view, simulated=True)
            if rule.judge is not None
            for verdict in rule.judge(case)
        ]

    def refuse_advert(self, report: Report, peer: str, why: Judgement) -> None:
        """Say that the app is not shown what was heard."""
        self._refusals[report.address] = why
        self.emit(
            "not_shown",
            peer=peer,
            note=f"heard, not shown to the app: {why.verdict.short} ({why.rule})",
            label=f"not shown: {why.rule}",
            rule=why.rule,
            often=True,
            address=report.address,
            evidence=why.verdict.evidence,
        )

    def no_connection(self, peer: str, address: str) -> LinkError:
        """The error of connecting to what the app was never shown, with the event that says why."""
        why = self._refusals.get(address)
        words = f": {why.verdict.short} ({why.rule})" if why else ""
        note = f"the app was never shown {peer}{words}"
        self.emit(
            "connect_refused", peer=peer, note=note, address=address, rule=why.rule if why else ""
        )
        return LinkError(f"{self.name}: connecting to {peer}: {note}")

    # Requests

    def on_parameter_request(
        self,
        peer: str,
        interval_min_ms: float,
        interval_max_ms: float,
        latency: int,
        timeout_ms: int,
        uuids: tuple[str, ...] = (),
    ) -> Answer:
        """Judge a peripheral's wish for connection parameters; `uuids` are the services it is known to have."""
        request = ParameterRequest(
            t_us=self.now_us,
            frame=0,
            interval_min_ms=interval_min_ms,
            interval_max_ms=interval_max_ms,
            latency=latency,
            timeout_ms=timeout_ms,
        )
        settings = self.settings
        now = Parameters(settings.connection_interval_ms, 0, settings.supervision_timeout_ms)
        device = Device(peer, connections=[Connection(self.now_us, 0, now, requests=[request])])
        if uuids:
            self._list_services(device, uuids)
        found = self.judge("link", self.profiles[0], device)
        refused = next((one for one in found if one.verdict.effect == "refuse"), None)
        if refused is not None:
            note = f"{request}: refused, {refused.verdict.short} ({refused.rule})"
            self.emit("parameters_refused", peer=peer, note=note, rule=refused.rule)
            return Answer(interval_min_ms, interval_max_ms, latency, timeout_ms, accepted=False)
        scaled = next((one for one in found if one.verdict.effect == "scale"), None)
        if scaled is not None:
            interval_min_ms = interval_max_ms = 2 * interval_min_ms
        override = self.overrides_parameters()
        rule = "IB-24" if override else scaled.rule if scaled else ""
        extra = (
            ", and overwritten with the defaults" if override else ", at 30 ms" if scaled else ""
        )
        note = f"{request}: accepted{extra}{f' ({rule})' if rule else ''}"
        self.emit("parameters_accepted", peer=peer, note=note, rule=rule)
        return Answer(
            interval_min_ms, interval_max_ms, latency, timeout_ms, accepted=True, override=override
        )

    def overrides_parameters(self) -> bool:
        """Whether accepted parameters are taken back at once."""
        return False

    def _list_services(self, device: Device, uuids: tuple[str, ...]) -> None:
        octets = b"".join(bytes.fromhex(uuid)[::-1] for uuid in uuids if len(uuid) == 4)
        device.add(
            Advert("ADV_IND", bytes((1 + len(octets), 0x03)) + octets, connectable=True), 0, 0
        )


def _number(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def advert_of(report: Report) -> Advert:
    """A report as an observation."""
    if report.scan_response:
        return Advert("SCAN_RSP", report.data)
    if not report.legacy:
        pdu = "extended"
    elif report.directed:
        pdu = "ADV_DIRECT_IND"
    elif report.connectable:
        pdu = "ADV_IND"
    else:
        pdu = "ADV_SCAN_IND" if report.scannable else "ADV_NONCONN_IND"
    return Advert(pdu, report.data, report.connectable, report.scannable, report.directed)
