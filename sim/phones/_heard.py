"""What a phone has heard: each distinct payload decoded once, and the latest report of each advertiser.

No loop, no clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.ble.payloads import fits
from protocols.data.ad_types import SERVICE_DATA
from protocols.dissect import Block, dissect
from protocols.format import Keys

if TYPE_CHECKING:
    from protocols.format import Format
    from sim.phones import Report

__all__ = ["Heard", "HeardBook", "Payload"]

_REMEMBERED = 20_000
_TOLD = 4
_UNKNOWN_DBM = -128
"""Weaker than any report can say."""
_MANUFACTURER = 0xFF
_SERVICE_TYPES = frozenset(SERVICE_DATA.values())


class Payload:
    """A run of AD structures, decoded: `formats` found, their fields, the name, and what is wrong with it."""

    __slots__ = (
        "_own",
        "decoded",
        "formats",
        "kinds",
        "local_name",
        "named",
        "note",
        "octets",
        "wrong",
    )

    def __init__(self, data: bytes, own: tuple[Format, ...] = ()) -> None:
        self._own = own
        self.octets = len(data)
        self.formats: list[str] = []
        self.kinds: list[str] = []
        self.decoded: dict[str, Any] = {}
        self.wrong: list[str] = []
        run = dissect(Block(kind="ad", data=data))
        if run.error is not None:
            self.wrong.append(f"ad: {run.error}")
        plain = run.plain
        self.local_name: str | None = plain.get("local_name")
        for structure in plain.get("structures", []):
            self._structure(structure["type"], bytes.fromhex(structure["data"]))
        self.named: dict[str, Any] = (
            {"local_name": self.local_name} if self.local_name is not None else {}
        )
        if self.wrong:
            self.named["wrong"] = self.wrong
        self.note = self._words()

    def _structure(self, ad_type: int, data: bytes) -> None:
        block = _block(ad_type, data)
        if block is None:
            return
        found = dissect(block, form=next((form for form in self._own if _fits(form, block)), None))
        if found.format is None:
            return
        self.formats.append(found.format)
        self.kinds.append(" ".join((found.format, *_frame(found.plain))))
        if found.error is not None:
            self.wrong.append(f"{found.format}: {found.error}")
        elif found.fields is not None:
            self.decoded[found.format] = found.plain

    def _words(self) -> str:
        parts = [f'"{self.local_name}"'] if self.local_name is not None else []
        for name, fields in self.decoded.items():
            plain = (
                f"{key} {_word(value)}"
                for key, value in fields.items()
                if key != "frame" and not isinstance(value, list | dict)
            )
            parts.append(f"{name} ({', '.join(plain)})")
        parts += [f"wrong: {text}" for text in self.wrong]
        return "; ".join(parts) or (f"{self.octets} octets" if self.octets else "no data")


def _word(value: object) -> str:
    if value is None:
        return "not available"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _fits(form: Format, block: Block) -> bool:
    return fits(form, block.kind, block.selector, block.data, Keys())


def _frame(fields: dict[str, Any]) -> tuple[str, ...]:
    """The kind of frame, for formats that have several."""
    frame = fields.get("frame")
    return (frame,) if isinstance(frame, str) else ()


def _block(ad_type: int, data: bytes) -> Block | None:
    """What one AD structure holds, None when it only speaks about the advertiser."""
    if ad_type in _SERVICE_TYPES:
        size = {0x16: 2, 0x20: 4, 0x21: 16}[ad_type]
        uuid = data[:size][::-1].hex()
        if size == 16:
            uuid = "-".join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:]))
        return (
            Block(kind="service_data", data=data[size:], service_uuid=uuid)
            if len(data) >= size
            else None
        )
    if ad_type == _MANUFACTURER:
        company = data[:2][::-1].hex()
        return (
            Block(kind="manufacturer_data", data=data[2:], company_id=company)
            if len(data) >= 2
            else None
        )
    return Block(kind="ad_value", data=data, ad_type=ad_type)


class Heard:
    """The latest report of one address with its payload."""

    __slots__ = ("local_name", "node", "payload", "report")

    def __init__(self, node: str, report: Report, payload: Payload, local_name: str | None) -> None:
        self.node = node
        self.report = report
        self.payload = payload
        self.local_name = local_name


def _told(heard: Heard) -> str:
    address = heard.report.address
    known = f"{heard.node} " if heard.node != address else ""
    name = "without a name" if heard.local_name is None else f'"{heard.local_name}"'
    strength = heard.report.rssi_dbm
    return f"{known}{address} {name}" + ("" if strength is None else f", {strength} dBm")


def _strength(heard: Heard) -> int:
    return _UNKNOWN_DBM if heard.report.rssi_dbm is None else heard.report.rssi_dbm


class HeardBook:
    """Reports in the order of the last time each address was heard."""

    def __init__(self, own: tuple[Format, ...] = ()) -> None:
        self._own = own
        self._payloads: dict[bytes, Payload] = {}
        self._latest: dict[str, Heard] = {}

    def add(self, node: str, report: Report) -> Heard:
        """Note a report; a scan response keeps what its advert said about connecting."""
        payload = self._payloads.get(report.data)
        if payload is None:
            if len(self._payloads) >= _REMEMBERED:
                self._payloads.clear()
            payload = self._payloads[report.data] = Payload(report.data, self._own)
        before = self._latest.pop(report.address, None)
        name = payload.local_name or (before.local_name if before else None)
        heard = self._latest[report.address] = Heard(node, report, payload, name)
        return heard

    def names(self, node: str, report: Report, payload: Payload) -> set[str]:
        """All names under which a report may be waited for, in lower case."""
        names = {node.lower(), report.address, *payload.formats}
        heard = self._latest[report.address]
        if heard.local_name is not None:
            names.add(heard.local_name.lower())
        return names

    def told(self) -> str:
        """Who was heard, the strongest first, for whoever looked for somebody else."""
        if not self._latest:
            return "nobody was heard"
        strongest = sorted(self._latest.values(), key=_strength, reverse=True)
        words = [_told(one) for one in strongest[:_TOLD]]
        more = [f"{len(strongest) - _TOLD} more"] if len(strongest) > _TOLD else []
        return f"heard: {'; '.join([*words, *more])}"

    def find(self, what: str) -> Heard | None:
        """The latest advertiser called `what` (node, address, local name or format), a connectable one first."""
        wanted = what.lower()
        fallback: Heard | None = None
        for heard in reversed(self._latest.values()):
            local = (heard.local_name or "").lower()
            if (
                wanted in (heard.node.lower(), heard.report.address, local)
                or wanted in heard.payload.formats
            ):
                if heard.report.connectable:
                    return heard
                fallback = fallback or heard
        return fallback
