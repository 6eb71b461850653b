"""Fields and layouts of the values of the Eddystone GATT Configuration Service.

Eddystone Configuration Service, characteristics 1 to 12; big-endian. Tables only: which row fits is decided in
`eddystone_config`. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from protocols.ble.payloads.eddystone_etlm import BODY as ETLM_BODY
from protocols.ble.payloads.eddystone_tlm import BODY as TLM_BODY
from protocols.ble.payloads.eddystone_uid import BODY as UID_BODY
from protocols.ble.payloads.eddystone_uid import ID as UID_ID
from protocols.ble.payloads.eddystone_url import URL
from protocols.format import UNSET, Fields, UnsetType
from protocols.layout import (
    S8,
    U8,
    U16BE,
    U32BE,
    Codec,
    Coded,
    Flags,
    Hex,
    Optional,
    Record,
    Records,
    Reserved,
)

FrameType = Literal["uid", "url", "tlm", "eid"]


class Config(Fields, frozen=True):
    """The fields of one characteristic are set; `frame_type` None is an empty slot."""

    version: int | UnsetType = UNSET
    max_slots: int | UnsetType = UNSET
    max_eid_slots: int | UnsetType = UNSET
    variable_adv_supported: bool | UnsetType = UNSET
    variable_tx_power_supported: bool | UnsetType = UNSET
    frame_types: list[FrameType] | UnsetType = UNSET
    supported_tx_power_dbm: list[int] | UnsetType = UNSET
    active_slot: int | UnsetType = UNSET
    adv_interval_ms: int | UnsetType = UNSET
    radio_tx_power_dbm: int | UnsetType = UNSET
    advertised_tx_power_dbm: int | UnsetType = UNSET
    lock_state: int | UnsetType = UNSET
    encrypted_lock_code: str | UnsetType = UNSET
    challenge: str | UnsetType = UNSET
    unlock_token: str | UnsetType = UNSET
    public_ecdh_key: str | UnsetType = UNSET
    encrypted_identity_key: str | UnsetType = UNSET
    identity_key: str | UnsetType = UNSET
    frame_type: FrameType | UnsetType | None = UNSET
    tx_power_0m_dbm: int | UnsetType = UNSET
    namespace: str | UnsetType = UNSET
    instance: str | UnsetType = UNSET
    rfu_present: bool | UnsetType = UNSET
    url: str | UnsetType = UNSET
    battery_mv: int | UnsetType | None = UNSET
    temperature_c: float | UnsetType | None = UNSET
    adv_count: int | UnsetType = UNSET
    uptime_s: float | UnsetType = UNSET
    ciphertext: str | UnsetType = UNSET
    salt: int | UnsetType = UNSET
    mic: int | UnsetType = UNSET
    resolver_public_key: str | UnsetType = UNSET
    rotation_exponent: int | UnsetType = UNSET
    clock_s: int | UnsetType = UNSET
    eid: str | UnsetType = UNSET
    shared_secret: str | UnsetType = UNSET
    hkdf_salt: str | UnsetType = UNSET
    eid_at_65280_s: str | UnsetType = UNSET
    factory_reset: int | UnsetType = UNSET
    remain_connectable: int | UnsetType = UNSET


class Form(msgspec.Struct, frozen=True):
    """One layout of a value. In encoding, the first form whose `given` field is set is taken."""

    size: int
    layout: Codec
    given: str = ""


FRAME_TYPES = {0x00: "uid", 0x10: "url", 0x20: "tlm", 0x30: "eid"}
FRAME_BITS = ("uid", "url", "tlm", "eid")
_TYPE = "frame_type" / Coded(U8, FRAME_TYPES)
_RFU = "_rfu" / Optional(Reserved(2))

CAPABILITIES = Record(
    "version" / U8, "max_slots" / U8, "max_eid_slots" / U8,
    Flags(U8, variable_adv_supported=0, variable_tx_power_supported=1, _reserved=(2, 6)),
    Flags(U16BE, uid=0, url=1, tlm=2, eid=3, _reserved=(4, 12)),
    "supported_tx_power_dbm" / Records(S8),
)  # fmt: skip
FORMS: dict[tuple[str, str], tuple[Form, ...]] = {
    ("active_slot", "rw"): (Form(1, Record("active_slot" / U8)),),
    ("advertising_interval", "rw"): (Form(2, Record("adv_interval_ms" / U16BE)),),
    ("radio_tx_power", "rw"): (Form(1, Record("radio_tx_power_dbm" / S8)),),
    ("advertised_tx_power", "rw"): (Form(1, Record("advertised_tx_power_dbm" / S8)),),
    ("lock_state", "r"): (Form(1, Record("lock_state" / U8)),),
    ("lock_state", "w"): (
        Form(17, Record("lock_state" / U8, "encrypted_lock_code" / Hex(16)), "encrypted_lock_code"),
        Form(1, Record("lock_state" / U8)),
    ),
    ("unlock", "r"): (Form(16, Record("challenge" / Hex(16))),),
    ("unlock", "w"): (Form(16, Record("unlock_token" / Hex(16))),),
    ("public_ecdh_key", "r"): (Form(32, Record("public_ecdh_key" / Hex(32))),),
    ("eid_identity_key", "r"): (Form(16, Record("encrypted_identity_key" / Hex(16))),),
    ("factory_reset", "w"): (Form(1, Record("factory_reset" / U8)),),
    ("remain_connectable", "rw"): (Form(1, Record("remain_connectable" / U8)),),
}  # fmt: skip
URL_FORMS = {
    "w": Form(0, Record(_TYPE, *URL)),
    "r": Form(0, Record(_TYPE, "tx_power_0m_dbm" / S8, *URL)),
}
SLOT_FORMS: dict[tuple[str, str], tuple[Form, ...]] = {
    ("uid", "w"): (Form(17, Record(_TYPE, *UID_ID)),),
    ("uid", "r"): (
        Form(20, Record(_TYPE, *UID_BODY, _RFU)), Form(18, Record(_TYPE, *UID_BODY, _RFU)),
    ),
    ("tlm", "w"): (Form(1, Record(_TYPE)),),
    ("eid", "w"): (
        Form(34, Record(_TYPE, "resolver_public_key" / Hex(32), "rotation_exponent" / U8), "resolver_public_key"),
        Form(18, Record(_TYPE, "encrypted_identity_key" / Hex(16), "rotation_exponent" / U8)),
    ),
    ("eid", "r"): (Form(14, Record(_TYPE, "rotation_exponent" / U8, "clock_s" / U32BE, "eid" / Hex(8))),),
}  # fmt: skip
TLM_READ = {0: Form(14, Record(_TYPE, *TLM_BODY)), 1: Form(18, Record(_TYPE, *ETLM_BODY))}
EMPTY_SLOT = Form(1, Record("frame_type" / Coded(U8, {0x00: None})))
