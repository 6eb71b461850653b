"""An advertiser taken from a capture: its address, PDU type, data, scan response and how often it sent.

Reads LE link-layer captures (LINKTYPE 251, 256) and HCI captures with advertising reports. Of link-layer captures
only legacy PDUs count. The interval is estimated: gaps between events that follow each other directly, less the
mean advertising delay of 5 ms (Core Vol 6 Part B 4.4.2.2.1). No clock; the only IO is on the named file.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from protocols.ble.link_layer import decode_packet as decode_ll
from protocols.capture import open_reader
from protocols.errors import CaptureError, UsageError
from protocols.hci.packets import decode_packet as decode_hci
from sim.gatt import Sort  # msgspec reads the annotations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from protocols.capture import Packet

__all__ = ["Clone", "read_clone"]

_HCI, _LL, _LL_PHDR = 187, 251, 256
_SORTS: dict[str, Sort] = {
    "ADV_IND": "connectable",
    "ADV_SCAN_IND": "scannable",
    "ADV_NONCONN_IND": "non_connectable",
}
_EVENT_GAP_US = 10_000  # packets of one event on the three channels are closer together
_DELAY_MAX_US, _DELAY_MEAN_US = 10_000, 5_000
_STEP_US, _SHORTEST_US, _LONGEST_US = 625, 20_000, 10_240_000
_DEFAULT_US = 100_000
_MOST_FRAMES = 10


class Clone(msgspec.Struct, frozen=True, kw_only=True):
    """What one advertiser sent."""

    address: str
    address_type: str
    """public or random."""
    sort: Sort
    extended: bool
    frames: tuple[bytes, ...]
    """distinct advertising data in the order they were first sent."""
    frame_us: int
    """mean time one of several was sent before the next."""
    scan_response: bytes
    interval_us: int


class _Sent(msgspec.Struct, frozen=True, gc=False):
    """One advertising packet of the capture."""

    t_us: int
    address: str
    address_type: str
    pdu: str
    data: bytes
    extended: bool = False


def read_clone(path: Path, address: str = "") -> Clone:
    """The advertiser `address` of the capture, or its only one. Raises UsageError that names clone or clone_address."""
    try:
        with path.open("rb") as stream:
            sent = list(_packets(open_reader(stream, path.name)))
    except OSError as exc:
        raise UsageError(f"clone: {path}: {exc.strerror}") from None
    except UsageError as exc:
        raise UsageError(f"clone: {exc}") from None
    by_address: dict[str, list[_Sent]] = {}
    for one in sent:
        by_address.setdefault(one.address, []).append(one)
    wanted = address.lower().split(" ")[0]
    if not by_address:
        raise UsageError(
            f"clone: {path.name} holds no advertising packet this can read (LE link layer or HCI reports)"
        )
    if wanted and wanted not in by_address:
        raise UsageError(
            f"clone_address: {path.name} has no packet of {wanted}; it has {_listed(by_address)}"
        )
    if not wanted and len(by_address) > 1:
        raise UsageError(
            f"clone: {path.name} holds several advertisers, give clone_address: {_listed(by_address)}"
        )
    return _clone(by_address[wanted or next(iter(by_address))], path.name)


def _listed(by_address: dict[str, list[_Sent]]) -> str:
    ranked = sorted(by_address.items(), key=lambda item: (-len(item[1]), item[0]))
    shown = ", ".join(f"{address} ({len(sent)} packets)" for address, sent in ranked[:8])
    return shown if len(ranked) <= 8 else f"{shown} and {len(ranked) - 8} more"


def _packets(reader: Iterator[Packet]) -> Iterator[_Sent]:
    """Advertising packets up to the first damage of the file."""
    try:
        for packet in reader:
            if packet.link_type == _HCI:
                yield from _of_hci(packet)
            elif packet.link_type in (_LL, _LL_PHDR):
                yield from _of_ll(packet)
    except CaptureError:
        return


def _of_ll(packet: Packet) -> Iterator[_Sent]:
    outcome = decode_ll(packet.data, phdr=packet.link_type == _LL_PHDR)
    fields: Any = outcome.fields
    if fields is None or outcome.error is not None:
        return
    pdu = fields.__struct_config__.tag
    if pdu in _SORTS or pdu == "SCAN_RSP":
        yield _Sent(
            packet.t_us,
            fields.adv_address,
            fields.adv_address_type,
            pdu,
            bytes.fromhex(fields.data),
        )


def _of_hci(packet: Packet) -> Iterator[_Sent]:
    fields: Any = decode_hci(packet.data).fields
    reports = getattr(getattr(fields, "body", None), "reports", ())
    for report in reports:
        event = report.event_type
        if not hasattr(report, "data"):
            continue  # a directed report has none
        kind = report.address_type.removesuffix("_identity").removeprefix("resolved_")
        if hasattr(report, "primary_phy"):
            pdu, extended = _extended_pdu(event), not event & 0x10
        else:
            pdu, extended = (
                {0: "ADV_IND", 2: "ADV_SCAN_IND", 3: "ADV_NONCONN_IND", 4: "SCAN_RSP"}.get(
                    event, ""
                ),
                False,
            )
        if pdu:
            yield _Sent(
                packet.t_us, report.address, kind, pdu, bytes.fromhex(report.data), extended
            )


def _extended_pdu(event: int) -> str:
    if event & 0x64:
        return ""  # directed, or a part of longer data
    if event & 0x08:
        return "SCAN_RSP"
    return "ADV_IND" if event & 1 else "ADV_SCAN_IND" if event & 2 else "ADV_NONCONN_IND"


def _clone(sent: list[_Sent], file: str) -> Clone:
    adverts = [one for one in sent if one.pdu != "SCAN_RSP"]
    if not adverts:
        raise UsageError(f"clone: {file} holds only scan responses of {sent[0].address}")
    frames = tuple(dict.fromkeys(one.data for one in adverts))
    if len(frames) > _MOST_FRAMES:
        frames = frames[:_MOST_FRAMES]
    changes = sum(a.data != b.data for a, b in pairwise(adverts))
    span_us = adverts[-1].t_us - adverts[0].t_us
    responses = [one.data for one in sent if one.pdu == "SCAN_RSP" and one.data]
    last = adverts[-1]
    return Clone(
        address=last.address,
        address_type=last.address_type,
        sort=_SORTS[last.pdu],
        extended=last.extended,
        frames=frames,
        frame_us=max(_SHORTEST_US, span_us // (changes + 1)) if changes else 0,
        scan_response=responses[-1] if responses else b"",
        interval_us=_interval_us([one.t_us for one in adverts]),
    )


def _interval_us(times_us: list[int]) -> int:
    """Advertising interval in steps of 0.625 ms; 100 ms when there is no second event."""
    starts = [
        t
        for before, t in zip([None, *times_us], times_us, strict=False)
        if before is None or t - before > _EVENT_GAP_US
    ]
    gaps = [b - a for a, b in pairwise(starts)]
    if not gaps:
        return _DEFAULT_US
    direct = [gap for gap in gaps if gap <= min(gaps) + _DELAY_MAX_US]
    mean_us = sum(direct) / len(direct) - _DELAY_MEAN_US
    return min(max(round(mean_us / _STEP_US) * _STEP_US, _SHORTEST_US), _LONGEST_US)
