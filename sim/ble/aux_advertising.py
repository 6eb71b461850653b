"""Plans of extended advertising events: which packet on which channel at what time.

Bluetooth Core specification 5.4, Vol 6 Part B, 2.3.1.5 to 2.3.1.8, 2.3.4, 4.4.2.2 to 4.4.2.5. Rules of the file:
* ADV_EXT_IND on the primary channels, AUX_ADV_IND at least T_MAFS after the last of them, AUX_CHAIN_INDs each T_MAFS
  after the one before; times are multiples of the AuxPtr unit from the packet that points there.
* ADV_EXT_IND carries ADI and AuxPtr and no address, except when there is nothing for an auxiliary packet to say.
* Every packet is as full as it may be (255 octets of payload).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sim.ble.adv_params import ANONYMOUS, CONNECTABLE, SCANNABLE, TX_POWER
from sim.ble.ext_pdus import AuxPtr, SyncInfo, extended_header, extended_pdu
from sim.ble.pdus import Addr, LLPacket, air_time_us

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.ble.adv_params import AdvParams
    from sim.ble.advertiser import AdvertisingSet

__all__ = ["MAX_PAYLOAD", "PacketPlan", "plan_chain", "plan_event", "plan_scan_response"]

T_MAFS_US = 300
MAX_PAYLOAD = 255
UNIT_US = 30
PRIMARY_GAP_US = 200


class PacketPlan(msgspec.Struct, frozen=True):
    """One packet of an event, not before `start_us`."""

    start_us: int
    channel: int
    packet: LLPacket
    answerable: bool = False


def plan_event(
    one: AdvertisingSet, params: AdvParams, own: Addr, now_us: int, draw: Callable[[], int]
) -> list[PacketPlan]:
    """Packets of one extended event that starts now; `draw` gives secondary channels."""
    adv_a = b"" if params.properties & ANONYMOUS else own
    target = one.target(params)
    mode = params.properties & (CONNECTABLE | SCANNABLE)
    power = one.power_dbm if params.properties & TX_POWER else None
    sync = one.periodic is not None and one.periodic.enabled
    ids: dict[str, Any] = {"did": one.did, "sid": params.sid}
    if not mode and not one.data and not sync and adv_a:
        bare = extended_pdu(adv_a=adv_a, peer_a=target, tx_power_dbm=power, phy=params.primary_phy)
        return [PacketPlan(0, channel, bare) for channel in params.channels]
    size = 2 + 1 + len(extended_header(**_pointing(ids)))
    each_us = air_time_us(size, params.primary_phy) + PRIMARY_GAP_US
    starts = [now_us + i * each_us for i in range(len(params.channels))]
    aux_channel = draw()
    aux_us = starts[-1] + each_us - PRIMARY_GAP_US + T_MAFS_US
    steps: list[PacketPlan] = []
    for start_us, channel in zip(starts, params.channels, strict=True):
        pointer = AuxPtr(
            channel=aux_channel, phy=params.secondary_phy, offset_us=_units(aux_us - start_us)
        )
        packet = extended_pdu(mode=mode, aux=pointer, phy=params.primary_phy, **ids)
        steps.append(PacketPlan(start_us, channel, packet))
    data = b"" if mode & SCANNABLE else one.data
    first = {"mode": mode, "adv_a": adv_a, "peer_a": target, "tx_power_dbm": power, **ids}
    if sync and one.periodic is not None:
        first["sync"] = one.periodic.sync_info(aux_us)
    chain = plan_chain(first, ids, data, params.secondary_phy, aux_channel, aux_us, draw)
    if mode:
        chain[0] = msgspec.structs.replace(chain[0], answerable=True)
    return steps + chain


def plan_scan_response(
    one: AdvertisingSet,
    params: AdvParams,
    own: Addr,
    channel: int,
    start_us: int,
    draw: Callable[[], int],
) -> list[PacketPlan]:
    """AUX_SCAN_RSP at `start_us` on `channel`, with its chain."""
    ids: dict[str, Any] = {"did": one.did, "sid": params.sid}
    first = {"adv_a": own, **ids}
    return plan_chain(first, ids, one.scan_response, params.secondary_phy, channel, start_us, draw)


def plan_chain(
    first: dict[str, Any],
    rest: dict[str, Any],
    data: bytes,
    phy: int,
    channel: int,
    start_us: int,
    draw: Callable[[], int],
    **where: Any,
) -> list[PacketPlan]:
    """Packets that carry `data`: one with the header fields `first`, then chained ones with those of `rest`."""
    steps: list[PacketPlan] = []
    fields = first
    while True:
        room = MAX_PAYLOAD - 1 - len(_header(fields))
        if len(data) <= room:
            steps.append(
                PacketPlan(start_us, channel, extended_pdu(**fields, body=data, phy=phy, **where))
            )
            return steps
        room = MAX_PAYLOAD - 1 - len(_header({**fields, "aux": _ANY_POINTER}))
        packet_us = air_time_us(MAX_PAYLOAD + 2, phy)
        offset_us = _units(packet_us + T_MAFS_US + UNIT_US)
        pointer = AuxPtr(channel=draw(), phy=phy, offset_us=offset_us)
        packet = extended_pdu(**fields, aux=pointer, body=data[:room], phy=phy, **where)
        steps.append(PacketPlan(start_us, channel, packet))
        data = data[room:]
        start_us += offset_us
        channel = pointer.channel
        fields = rest


_ANY_POINTER = AuxPtr(channel=0, phy=1, offset_us=300)
_ABSENT: dict[str, Any] = {
    "adv_a": b"",
    "peer_a": b"",
    "did": None,
    "sid": None,
    "aux": None,
    "sync": None,
    "tx_power_dbm": None,
}


def _header(fields: dict[str, Any]) -> bytes:
    return extended_header(**{name: fields.get(name, absent) for name, absent in _ABSENT.items()})


def _pointing(ids: dict[str, Any]) -> dict[str, Any]:
    return {**_ABSENT, **ids, "aux": _ANY_POINTER}


def _units(offset_us: int) -> int:
    unit = UNIT_US if offset_us < 245_700 else 300
    return offset_us // unit * unit


def largest_single(first: dict[str, Any], sync: SyncInfo | None = None) -> int:
    """Octets of data that fit one packet with the header fields `first`."""
    return MAX_PAYLOAD - 1 - len(_header({**first, "sync": sync}))
