"""Values of the Eddystone GATT Configuration Service (a3c87500), reads and writes.

Eddystone Configuration Service, characteristics 1 to 12. The context names the characteristic (`characteristic`,
its UUID) and the direction (`op`: read or write; may be left out where only one is possible). Every fault is
fatal in either mode. Capability and frame type bits without a name, and RFU octets of a UID read, are not in
the fields and are built as zero (as are the octets of an encoding of a URL other than ours, and the one octet
some beacons read an empty slot as). No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.ble import eddystone_crypto as crypto
from protocols.ble.payloads._eddystone import KEY_OCTETS, annotate
from protocols.ble.payloads._eddystone_config import (
    CAPABILITIES,
    EMPTY_SLOT,
    FORMS,
    FRAME_BITS,
    FRAME_TYPES,
    SLOT_FORMS,
    TLM_READ,
    URL_FORMS,
    Config,
    Form,
)
from protocols.ble.payloads.eddystone_tlm import build_readings
from protocols.ble.payloads.eddystone_url import compress, need_url_length, read_url
from protocols.data.eddystone_gatt import CONFIG_CHARACTERISTICS, Characteristic
from protocols.errors import DecodeError, EncodeError, UsageError
from protocols.format import (
    UNSET,
    Example,
    Fields,
    Format,
    Keys,
    Reader,
    as_fields,
    to_plain,
)
from protocols.layout import Hex, Record, build

__all__ = ["FORMAT", "KEYS", "Config", "decode", "encode"]

KEYS = ("gatt_value/*",)

_BY_UUID = {row.uuid.replace("-", ""): row for row in CONFIG_CHARACTERISTICS}
_DERIVED = {"identity_key", "shared_secret", "hkdf_salt", "eid_at_65280_s"}
_EID_CHECK_S = 65280


# --- which value ----------------------------------------------------------------------------------


def _row(keys: Keys) -> Characteristic | None:
    return _BY_UUID.get((keys.text("characteristic") or "").lower().replace("-", ""))


def _which(keys: Keys) -> tuple[str, str]:
    """(name, "r" or "w") of the context. Raises UsageError."""
    row = _row(keys)
    if row is None:
        raise UsageError(
            f"context characteristic: {keys.text('characteristic') or 'nothing'} is not one of a3c87501 to a3c8750c"
        )
    op = keys.text("op") or (row.access if len(row.access) == 1 else "")
    if op not in ("read", "write", "r", "w"):
        raise UsageError(f"context op: give read or write, {row.name} has both")
    if op[0] not in row.access:
        raise UsageError(
            f"context op: {row.name} cannot be {'read' if op[0] == 'r' else 'written'}"
        )
    return row.name, op[0]


def _claims(data: bytes, keys: Keys) -> bool:
    row = _row(keys)
    return row is not None and (keys.text("op") or row.access)[0] in row.access


def _forms(name: str, op: str) -> tuple[Form, ...]:
    return FORMS.get((name, "rw")) or FORMS[name, op]


# --- decoding -------------------------------------------------------------------------------------


def decode(reader: Reader) -> Fields:
    """Codes: `frame_length`; slot data: `frame_type` at 0, `url_*`, `tlm_version` at 1. K is not checked."""
    name, op = _which(reader.keys)
    if name == "capabilities":
        raw = _capabilities(reader)
    elif name == "adv_slot_data":
        raw = _slot_data(reader, op)
    else:
        raw = _by_size(reader, _forms(name, op))
    if reader.walk.doubts:
        first = reader.walk.doubts[0]
        reader.fatal(first.code, first.offset, first.message, first.path)
    _derive(reader, raw)
    kept: Config = as_fields(Config, raw)
    return kept


def _by_size(reader: Reader, forms: tuple[Form, ...]) -> dict[str, Any]:
    reader.length(*(form.size for form in forms))
    return reader.read(next(form.layout for form in forms if form.size == len(reader.data)))


def _capabilities(reader: Reader) -> dict[str, Any]:
    reader.length(at_least=7)
    raw = reader.read(CAPABILITIES)
    raw["frame_types"] = [name for name in FRAME_BITS if raw.pop(name)]
    return raw


def _slot_data(reader: Reader, op: str) -> dict[str, Any]:
    data = reader.data
    if not data:
        return {"frame_type": None}
    if data == b"\x00":
        return reader.read(EMPTY_SLOT.layout)
    if data[0] not in FRAME_TYPES:
        reader.fatal("frame_type", 0, f"first octet {data[0]:#04x} is not 00, 10, 20 or 30")
    kind = FRAME_TYPES[data[0]]
    if kind == "url":
        prefix_at = 1 if op == "w" else 2
        need_url_length(reader, prefix_at)
        raw = reader.read(URL_FORMS[op].layout)
        read_url(reader, raw, prefix_at)
        return raw
    if (kind, op) == ("tlm", "r"):
        version = reader.select(2)[1]
        if version not in TLM_READ:
            reader.fatal("tlm_version", 1, f"version {version} is not 0 or 1")
        return _by_size(reader, (TLM_READ[version],))
    raw = _by_size(reader, SLOT_FORMS[kind, op])
    return raw | ({"rfu_present": len(data) == 20} if (kind, op) == ("uid", "r") else {})


def _derive(reader: Reader, raw: dict[str, Any]) -> None:
    """What the keys of the context add."""
    keys = reader.keys
    lock_code = keys.octets("lock_code", KEY_OCTETS)
    if "encrypted_identity_key" in raw and lock_code is not None:
        encrypted = bytes.fromhex(raw["encrypted_identity_key"])
        raw["identity_key"] = crypto.decrypt_key(lock_code, encrypted).hex()
    challenge = keys.octets("challenge", KEY_OCTETS)
    if "unlock_token" in raw and lock_code is not None and challenge is not None:
        fits = crypto.unlock_token(lock_code, challenge).hex() == raw["unlock_token"]
        annotate(reader, "unlock_token", "opens the lock" if fits else "does not open the lock")
    private = keys.octets("beacon_private_key", 32)
    if "resolver_public_key" in raw and private is not None:
        _exchange(reader, raw, private)


def _exchange(reader: Reader, raw: dict[str, Any], private: bytes) -> None:
    resolver = bytes.fromhex(raw["resolver_public_key"])
    public = reader.keys.octets("beacon_public_key", 32) or crypto.public_key(private)
    raw["hkdf_salt"] = (resolver + public).hex()
    try:
        secret = crypto.shared_secret(private, resolver)
    except crypto.WeakKeyError:
        annotate(reader, "resolver_public_key", "refused: the shared secret is all zero")
        return
    identity_key = crypto.identity_key_of(secret, resolver, public)
    raw["shared_secret"] = secret.hex()
    raw["identity_key"] = identity_key.hex()
    exponent = raw["rotation_exponent"]
    if exponent <= crypto.MAX_EXPONENT:
        eid = crypto.ephemeral_id(identity_key, exponent, _EID_CHECK_S)
        raw["eid_at_65280_s"] = eid.hex()


# --- encoding -------------------------------------------------------------------------------------


def encode(fields: Any, keys: Keys) -> bytes:
    """The value for the characteristic and direction of the context.

    Missing `unlock_token` and `encrypted_identity_key` are computed from the context's `lock_code`. A field
    that the value does not carry is an EncodeError.
    """
    name, op = _which(keys)
    raw = {
        key: value for key, value in msgspec.structs.asdict(fields).items() if value is not UNSET
    }
    _complete(raw, keys)
    if name == "capabilities":
        data = _build_capabilities(raw)
    elif name == "adv_slot_data":
        data = _build_slot_data(raw, op)
    else:
        data = build(_given(_forms(name, op), raw).layout, raw)
    _all_carried(data, fields, keys, f"{name} {'read' if op == 'r' else 'write'}")
    return data


def _complete(raw: dict[str, Any], keys: Keys) -> None:
    lock_code = keys.octets("lock_code", KEY_OCTETS)
    if lock_code is None:
        return
    challenge = keys.octets("challenge", KEY_OCTETS)
    if not raw and challenge is not None:
        raw["unlock_token"] = crypto.unlock_token(lock_code, challenge).hex()
    if "identity_key" in raw and not raw.keys() & {"encrypted_identity_key", "resolver_public_key"}:
        key = build(Record("identity_key" / Hex(KEY_OCTETS)), raw)
        raw["encrypted_identity_key"] = crypto.encrypt_key(lock_code, key).hex()


def _given(forms: tuple[Form, ...], raw: dict[str, Any]) -> Form:
    return next((form for form in forms if form.given in raw), forms[-1])


def _build_capabilities(raw: dict[str, Any]) -> bytes:
    if not raw.get("supported_tx_power_dbm"):
        raise EncodeError("supported_tx_power_dbm", "needs one value at least")
    if "frame_types" not in raw:
        raise EncodeError("frame_types", "is missing")
    bits = {name: name in raw["frame_types"] for name in FRAME_BITS}
    return build(CAPABILITIES, {**raw, **bits, "_reserved": 0})


def _build_slot_data(raw: dict[str, Any], op: str) -> bytes:
    if "frame_type" not in raw:
        raise EncodeError("frame_type", "is missing")
    kind = raw["frame_type"]
    if kind is None:
        return b""
    if kind == "url":
        if "url" not in raw:
            raise EncodeError("url", "is missing")
        raw["scheme"], raw["encoded"] = compress(raw["url"])
        return build(URL_FORMS[op].layout, raw)
    if (kind, op) == ("tlm", "r"):
        return _build_tlm_read(raw)
    if (kind, op) == ("uid", "r") and raw.get("rfu_present", True):
        raw["_rfu"] = "0000"
    return build(_given(SLOT_FORMS[kind, op], raw).layout, raw)


def _build_tlm_read(raw: dict[str, Any]) -> bytes:
    version = raw.setdefault("version", 1 if "ciphertext" in raw else 0)
    if version not in TLM_READ:
        raise EncodeError("version", f"{version} is not 0 or 1")
    data = build(TLM_READ[version].layout, raw)
    if version == 0:
        build_readings(raw)
    return data


def _all_carried(data: bytes, fields: Any, keys: Keys, what: str) -> None:
    """A field given but not found in the octets is an EncodeError."""
    try:
        found = to_plain(decode(Reader(data, keys)))
    except DecodeError as exc:
        raise EncodeError(exc.path, exc.message) from exc
    for name in to_plain(fields):
        if name not in found and name not in _DERIVED:
            raise EncodeError(name, f"is not part of {what}")


_UUID = "a3c8{}-8ed3-4bdf-8a39-a01bebede295"
_LOCK_CODE = "000102030405060708090a0b0c0d0e0f"


def _example(octets: str, digits: str, op: str, note: str, **more: str) -> Example:
    return Example(octets, {"characteristic": _UUID.format(digits), "op": op, **more}, note)


FORMAT = Format(
    name="eddystone-config",
    title="Eddystone GATT Configuration Service values",
    source="Eddystone Configuration Service, characteristics 1 to 12",
    fields=Config,
    decode=decode,
    encode=encode,
    keys=KEYS,
    claims=_claims,
    examples=(
        _example("00050103000fe2f0fc0004", "7501", "read", "capabilities"),
        _example("02", "7502", "write", "active slot"),
        _example("03e8", "7503", "read", "advertising interval"),
        _example("f4", "7504", "write", "radio TX power"),
        _example("e3", "7505", "read", "advertised TX power"),
        _example("01", "7506", "read", "lock state"),
        _example("02", "7506", "write", "stop relocking"),
        _example("00" + "5a" * 16, "7506", "write", "lock and change the code"),
        _example("00112233445566778899aabbccddeeff", "7507", "read", "challenge"),
        _example(
            "69c4e0d86a7b0430d8cdb78070b4c55a", "7507", "write", "unlock",
            lock_code=_LOCK_CODE, challenge="00112233445566778899aabbccddeeff",
        ),
        _example("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", "7508", "read", "public key"),
        _example("d4dce4f2de17e66e06ef882a8bc08322", "7509", "read", "identity key", lock_code=_LOCK_CODE),
        _example("", "750a", "read", "empty slot"),
        _example("00", "750a", "write", "clear the slot"),
        _example("00" + "a0" * 10 + "b1" * 6, "750a", "write", "UID"),
        _example("00e3123456789012346789010000000000010000", "750a", "read", "UID"),
        _example("10036769746875620063697472757a", "750a", "write", "URL"),
        _example("10f8036769746875620063697472757a", "750a", "read", "URL"),
        _example("20", "750a", "write", "TLM"),
        _example("20000b1847110000146700002ac4", "750a", "read", "TLM"),
        _example("2001414141414141414141414141deadbeff", "750a", "read", "TLM, encrypted"),
        _example(
            "30de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f0a", "750a", "write", "EID, key exchange",
            beacon_private_key="77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
        ),
        _example("30d4dce4f2de17e66e06ef882a8bc083220c", "750a", "write", "EID, shared key", lock_code=_LOCK_CODE),
        _example("300a0000ff00cd012db1d321f609", "750a", "read", "EID"),
        _example("0b", "750b", "write", "factory reset"),
        _example("01", "750c", "read", "can become non-connectable"),
    ),
    confidence="documented",
)  # fmt: skip
