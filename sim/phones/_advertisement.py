"""The same advert as apps get it: CoreBluetooth's dictionary and Android's ScanRecord.

Keys of CBCentralManagerDelegate (advertisementData) and of android.bluetooth.le.ScanRecord. No clock, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.explain.ad import Ad
    from sim.explain.observations import Advert

__all__ = ["core_bluetooth", "scan_record"]


def core_bluetooth(
    advert: Advert, response: Advert | None, hidden: Iterable[str] = ()
) -> dict[str, Any]:
    """The advertisementData dictionary; octets as hex, UUIDs in upper case. `hidden`: what the phone withholds
    (`service_data`, `manufacturer_data`, `scan_response`).
    """
    withheld = set(hidden)
    use_response = response is not None and "scan_response" not in withheld
    ads = [advert.ad, *([response.ad] if response is not None and use_response else [])]
    out: dict[str, Any] = {}
    name = next((ad.name for ad in reversed(ads) if ad.name), "")
    if name:
        out["kCBAdvDataLocalName"] = name
    manufacturer = [one for ad in ads for one in ad.manufacturer]
    if manufacturer and "manufacturer_data" not in withheld:
        company, data = manufacturer[0]
        out["kCBAdvDataManufacturerData"] = bytes.fromhex(company)[::-1].hex() + data.hex()
    data_of = {uuid.upper(): data.hex() for ad in ads for uuid, data in ad.service_data}
    if data_of and "service_data" not in withheld:
        out["kCBAdvDataServiceData"] = data_of
    for key, listed in (
        ("kCBAdvDataServiceUUIDs", [uuid for ad in ads for uuid in ad.service_uuids]),
        ("kCBAdvDataSolicitedServiceUUIDs", [uuid for ad in ads for uuid in ad.solicited]),
    ):
        if listed:
            out[key] = [uuid.upper() for uuid in dict.fromkeys(listed)]
    power = next((ad.tx_power_dbm for ad in ads if ad.tx_power_dbm is not None), None)
    if power is not None:
        out["kCBAdvDataTxPowerLevel"] = power
    out["kCBAdvDataIsConnectable"] = int(advert.connectable)
    return out


def scan_record(advert: Advert, response: Advert | None, *, pad: bool) -> dict[str, Any]:
    """A ScanRecord: parsed fields and the octets of advert and scan response joined; `pad`: to 62 octets with zeros.

    Malformed octets keep the raw form and lose the parsed fields.
    """
    raw = advert.data + (response.data if response is not None else b"")
    if pad:
        raw = raw.ljust(62, b"\0")
    out: dict[str, Any] = {"bytes": raw.hex()}
    ads: list[Ad] = [advert.ad, *([response.ad] if response is not None else [])]
    if any(ad.framing for ad in ads):
        return out
    flags = next((ad.flags for ad in ads if ad.flags is not None), None)
    out["advertiseFlags"] = -1 if flags is None else flags
    for key, listed in (
        ("serviceUuids", [uuid for ad in ads for uuid in ad.service_uuids]),
        ("serviceSolicitationUuids", [uuid for ad in ads for uuid in ad.solicited]),
    ):
        if listed:
            out[key] = list(dict.fromkeys(listed))
    manufacturer = {company: data.hex() for ad in ads for company, data in ad.manufacturer}
    if manufacturer:
        out["manufacturerSpecificData"] = manufacturer
    data_of = {uuid: data.hex() for ad in ads for uuid, data in ad.service_data}
    if data_of:
        out["serviceData"] = data_of
    name = next((ad.name for ad in ads if ad.name), None)
    if name is not None:
        out["deviceName"] = name
    power = next((ad.tx_power_dbm for ad in ads if ad.tx_power_dbm is not None), None)
    if power is not None:
        out["txPowerLevel"] = power
    return out
