"""The Eddystone GATT Configuration Service (a3c87500) as an engine.

Eddystone Configuration Service, characteristics 1 to 12. Rule 1: `ACCESS` says which operation is allowed in
which lock state, `LOCK_MOVES` how the lock state moves; the permission is checked before the value. Rule 2:
values are read and built by the format `eddystone-config`. Rule 3: where the document names no error, a value
it does not allow is 0x0D (its "parameter out of range"), a frame type the beacon lacks too; an EID slot too
many or a weak resolver key is 0x03; the identity key of a slot that is not EID is 0x02. Time is `now_us`,
chance is `draw(purpose, octets)` with purposes `ecdh_private_key`, `unlock_challenge` and `etlm_salt`; no IO.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, Final

from protocols.ble import eddystone_crypto as crypto
from protocols.ble.eddystone_beacon import (
    Beacon,
    Broadcast,
    Capabilities,
    Content,
    EidState,
    Slot,
)
from protocols.ble.payloads import eddystone_config as values
from protocols.data.eddystone_gatt import CONFIG_CHARACTERISTICS
from protocols.errors import DecodeError, UnknownNameError, UsageError
from protocols.format import UNSET, Keys, Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "ACCESS",
    "LOCK_MOVES",
    "AttError",
    "Broadcast",
    "Capabilities",
    "ConfigService",
    "LockState",
]


class AttError(enum.IntEnum):
    """ATT error codes the service answers with."""

    READ_NOT_PERMITTED = 0x02
    WRITE_NOT_PERMITTED = 0x03
    INVALID_LENGTH = 0x0D


class LockState(enum.IntEnum):
    """Characteristic 6."""

    LOCKED = 0
    UNLOCKED = 1
    UNLOCKED_FOR_GOOD = 2
    """unlocked, and a disconnection does not lock again."""


Rule = tuple[AttError | None, AttError | None, AttError | None]
"""The error in lock states 0, 1, 2; None: allowed."""

_R, _W = AttError.READ_NOT_PERMITTED, AttError.WRITE_NOT_PERMITTED
_UNLOCKED_READ: Rule = (_R, None, None)
_UNLOCKED_WRITE: Rule = (_W, None, None)
_NO_READ: Rule = (_R, _R, _R)
_NO_WRITE: Rule = (_W, _W, _W)
_ALWAYS: Rule = (None, None, None)

ACCESS: Final[dict[str, tuple[Rule, Rule]]] = {
    "capabilities": (_UNLOCKED_READ, _NO_WRITE),
    "active_slot": (_UNLOCKED_READ, _UNLOCKED_WRITE),
    "advertising_interval": (_UNLOCKED_READ, _UNLOCKED_WRITE),
    "radio_tx_power": (_UNLOCKED_READ, _UNLOCKED_WRITE),
    "advertised_tx_power": (_UNLOCKED_READ, _UNLOCKED_WRITE),
    "lock_state": (_ALWAYS, _UNLOCKED_WRITE),
    "unlock": ((None, _R, _R), (None, _W, _W)),
    "public_ecdh_key": (_UNLOCKED_READ, _NO_WRITE),
    "eid_identity_key": (_UNLOCKED_READ, _NO_WRITE),
    "adv_slot_data": (_UNLOCKED_READ, _UNLOCKED_WRITE),
    "factory_reset": (_NO_READ, (_W, None, _W)),
    "remain_connectable": (_ALWAYS, _UNLOCKED_WRITE),
}
"""Characteristic -> (read, write)."""

LOCK_MOVES: Final[dict[tuple[LockState, str], LockState]] = {
    (LockState.LOCKED, "unlock"): LockState.UNLOCKED,
    (LockState.LOCKED, "disconnect"): LockState.LOCKED,
    (LockState.UNLOCKED, "lock"): LockState.LOCKED,
    (LockState.UNLOCKED, "stop_relocking"): LockState.UNLOCKED_FOR_GOOD,
    (LockState.UNLOCKED, "disconnect"): LockState.LOCKED,
    (LockState.UNLOCKED_FOR_GOOD, "lock"): LockState.LOCKED,
    (LockState.UNLOCKED_FOR_GOOD, "stop_relocking"): LockState.UNLOCKED_FOR_GOOD,
    (LockState.UNLOCKED_FOR_GOOD, "disconnect"): LockState.UNLOCKED_FOR_GOOD,
}
"""(state, event) -> state; the writes that `ACCESS` refuses have no row."""

_LOCK_EVENTS = {0x00: "lock", 0x02: "stop_relocking"}
_RESET = 0x0B
_UUIDS = {row.name: row.uuid for row in CONFIG_CHARACTERISTICS}
_NAMES = {row.uuid: row.name for row in CONFIG_CHARACTERISTICS}


class ConfigService:
    """A beacon's configuration: `read` and `write` for the client, `frames` for the radio.

    `factory` is the slot data, as written to characteristic 10, that a new or reset beacon broadcasts.
    Raises UsageError when it, the capabilities or the lock code (16 octets) are not acceptable.
    """

    def __init__(
        self,
        capabilities: Capabilities,
        draw: Callable[[str, int], bytes],
        now_us: int,
        *,
        lock_code: bytes,
        factory: Mapping[int, bytes] | None = None,
        lock_state: LockState = LockState.LOCKED,
        interval_ms: int = 1000,
        radio_tx_power_dbm: int = 0,
        eid_clock_start_s: int = 65280,
    ) -> None:
        if len(lock_code) != 16:
            raise UsageError(f"the lock code has 16 octets, not {len(lock_code)}")
        self.beacon = Beacon(
            capabilities,
            draw,
            now_us,
            interval_ms=interval_ms,
            radio_tx_power_dbm=radio_tx_power_dbm,
        )
        self.capabilities = capabilities
        self.lock_state = lock_state
        self.connected = False
        self.active_slot = 0
        self.remain_connectable = False
        """a client asked the beacon to stay connectable (characteristic 12)."""
        self._draw = draw
        self._lock_code = lock_code
        self._private_key = draw("ecdh_private_key", 32)
        self._challenge: bytes | None = None
        self._clock_start_s = eid_clock_start_s
        self._factory = dict(factory or {})
        self._reset(now_us)

    @property
    def slot(self) -> Slot:
        """The active slot."""
        return self.beacon.slots[self.active_slot]

    @property
    def stays_connectable(self) -> bool:
        """Whether the beacon is connectable when no client is."""
        return self.remain_connectable or not self.capabilities.non_connectable_supported

    def frames(self, now_us: int) -> list[Broadcast]:
        """What to broadcast in one round, see `Beacon.frames`."""
        return self.beacon.frames(now_us)

    # --- connection ---

    def connect(self) -> bool:
        """A client connects; False when one is connected already and this one must be refused."""
        if self.connected:
            return False
        self.connected = True
        self.active_slot = 0
        return True

    def disconnect(self) -> None:
        """The client is gone: state 1 locks again, and a challenge it read is void."""
        self.connected = False
        self._challenge = None
        self._move("disconnect")

    # --- attributes ---

    def read(self, uuid: str, now_us: int) -> bytes | AttError:
        """Value of the characteristic, or the ATT error. Raises UnknownNameError."""
        name = _name(uuid)
        refused = ACCESS[name][0][self.lock_state]
        if refused is not None:
            return refused
        if name == "adv_slot_data" and self._slot_eid() is None:
            return self.beacon.frame(self.active_slot, now_us)
        found = self._value(name, now_us)
        if isinstance(found, AttError):
            return found
        return values.encode(values.Config(**found), self._keys(name, "read"))

    def write(self, uuid: str, value: bytes, now_us: int) -> AttError | None:
        """None when accepted (or ignored as specified), else the ATT error. Raises UnknownNameError."""
        name = _name(uuid)
        refused = ACCESS[name][1][self.lock_state]
        if refused is not None:
            return refused
        try:
            fields: Any = values.decode(Reader(value, self._keys(name, "write")))
        except DecodeError:
            return AttError.INVALID_LENGTH
        if name == "adv_slot_data":
            return self._write_slot(self.active_slot, value, fields, now_us)
        if name == "lock_state":
            return self._write_lock_state(fields)
        if name == "unlock":
            return self._unlock(bytes.fromhex(fields.unlock_token))
        return self._set(name, fields, now_us)

    def _keys(self, name: str, op: str) -> Keys:
        given = {"characteristic": _UUIDS[name], "op": op, "lock_code": self._lock_code.hex()}
        return Keys(given | {"beacon_private_key": self._private_key.hex()})

    def _slot_eid(self) -> EidState | None:
        return self.slot.content.eid if self.slot.content else None

    def _move(self, event: str) -> None:
        self.lock_state = LOCK_MOVES[self.lock_state, event]

    # --- reading ---

    def _value(self, name: str, now_us: int) -> dict[str, Any] | AttError:
        """Fields of `eddystone-config` for the characteristic."""
        if name == "unlock":
            self._challenge = self._draw("unlock_challenge", 16)
            return {"challenge": self._challenge.hex()}
        if name == "public_ecdh_key":
            return {"public_ecdh_key": crypto.public_key(self._private_key).hex()}
        if name == "eid_identity_key":
            eid = self._slot_eid()
            if eid is None:
                return AttError.READ_NOT_PERMITTED
            encrypted = crypto.encrypt_key(self._lock_code, eid.identity_key)
            return {"encrypted_identity_key": encrypted.hex()}
        return _PLAIN_READERS[name](self, now_us)

    # --- writing ---

    def _set(self, name: str, fields: Any, now_us: int) -> AttError | None:
        """The characteristics whose value is one number."""
        if name == "active_slot":
            if fields.active_slot >= self.capabilities.max_slots:
                return AttError.INVALID_LENGTH
            self.active_slot = fields.active_slot
        elif name == "advertising_interval":
            self.beacon.set_interval(self.active_slot, fields.adv_interval_ms)
        elif name == "radio_tx_power":
            self.beacon.set_radio_power(self.active_slot, fields.radio_tx_power_dbm)
        elif name == "advertised_tx_power":
            self.slot.advertised_tx_power_dbm = fields.advertised_tx_power_dbm
        elif name == "remain_connectable":
            if self.capabilities.non_connectable_supported:
                self.remain_connectable = fields.remain_connectable != 0
        elif fields.factory_reset == _RESET:
            self._reset(now_us)
        return None

    def _write_lock_state(self, fields: Any) -> AttError | None:
        event = _LOCK_EVENTS.get(fields.lock_state)
        new_code = fields.encrypted_lock_code
        if event is None or (new_code is not UNSET and event != "lock"):
            return AttError.INVALID_LENGTH
        if new_code is not UNSET:
            self._lock_code = crypto.decrypt_key(self._lock_code, bytes.fromhex(new_code))
        self._move(event)
        return None

    def _unlock(self, token: bytes) -> AttError | None:
        """Each challenge serves for one attempt (characteristic 7)."""
        challenge, self._challenge = self._challenge, None
        if challenge is None or crypto.unlock_token(self._lock_code, challenge) != token:
            return AttError.WRITE_NOT_PERMITTED
        self._move("unlock")
        return None

    def _write_slot(self, index: int, value: bytes, fields: Any, now_us: int) -> AttError | None:
        kind = fields.frame_type
        content = None
        if kind is not None:
            if kind not in self.capabilities.frame_types:
                return AttError.INVALID_LENGTH
            content = Content(kind, value[1:])
        if kind == "eid":
            found = self._eid_content(index, fields, now_us)
            if isinstance(found, AttError):
                return found
            content = found
        self.beacon.slots[index].content = content
        return None

    def _eid_content(self, index: int, fields: Any, now_us: int) -> Content | AttError:
        if fields.rotation_exponent > crypto.MAX_EXPONENT:
            return AttError.INVALID_LENGTH
        if len(self.beacon.eid_states(but=index)) >= self.capabilities.max_eid_slots:
            return AttError.WRITE_NOT_PERMITTED
        if fields.identity_key is UNSET:  # the shared secret is all zero
            return AttError.WRITE_NOT_PERMITTED
        identity_key = bytes.fromhex(fields.identity_key)
        eid = EidState(identity_key, fields.rotation_exponent, self._clock_start_s, now_us)
        return Content("eid", eid=eid)

    def _reset(self, now_us: int) -> None:
        """Factory state; the lock code and the lock state stay (characteristic 11)."""
        self.beacon.clear()
        self.active_slot = 0
        self.remain_connectable = False
        for index, value in self._factory.items():
            try:
                if not 0 <= index < self.capabilities.max_slots:
                    raise UsageError(f"factory slot {index}: the beacon has no such slot")
                fields = values.decode(Reader(value, self._keys("adv_slot_data", "write")))
            except DecodeError as exc:
                raise UsageError(f"factory slot {index}: {exc}") from exc
            if self._write_slot(index, value, fields, now_us) is not None:
                raise UsageError(f"factory slot {index}: the beacon cannot broadcast {value.hex()}")


def _capabilities(service: ConfigService, now_us: int) -> dict[str, Any]:
    can = service.capabilities
    return {
        "version": 0,
        "max_slots": can.max_slots,
        "max_eid_slots": can.max_eid_slots,
        "variable_adv_supported": can.variable_adv_supported,
        "variable_tx_power_supported": can.variable_tx_power_supported,
        "frame_types": list(can.frame_types),
        "supported_tx_power_dbm": list(can.supported_tx_power_dbm),
    }


def _eid_slot(service: ConfigService, now_us: int) -> dict[str, Any]:
    content = service.slot.content
    if content is None or content.eid is None:
        return {"frame_type": None}
    frame = service.beacon.frame(service.active_slot, now_us)
    return {
        "frame_type": "eid",
        "rotation_exponent": content.eid.exponent,
        "clock_s": content.eid.clock_s(now_us),
        "eid": frame[2:].hex(),
    }


_PLAIN_READERS: dict[str, Callable[[ConfigService, int], dict[str, Any]]] = {
    "capabilities": _capabilities,
    "active_slot": lambda service, _: {"active_slot": service.active_slot},
    "advertising_interval": lambda service, _: {"adv_interval_ms": service.slot.interval_ms},
    "radio_tx_power": lambda service, _: {"radio_tx_power_dbm": service.slot.radio_tx_power_dbm},
    "advertised_tx_power": lambda service, _: {
        "advertised_tx_power_dbm": service.slot.tx_power_0m_dbm
    },
    "lock_state": lambda service, _: {"lock_state": int(service.lock_state)},
    "adv_slot_data": _eid_slot,
    "remain_connectable": lambda service, _: {
        "remain_connectable": int(service.capabilities.non_connectable_supported)
    },
}


def _name(uuid: str) -> str:
    try:
        return _NAMES[uuid.lower()]
    except KeyError:
        raise UnknownNameError("Eddystone configuration characteristic", uuid, _NAMES) from None
