"""What state an event puts a party into, where the trace does not say it itself (engines of Wi-Fi Aware do).

Bluetooth Core 5.4 Vol 3 Part H 2.3.5 and C.2 (the order of the messages). One table; no code decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.trace import TraceEvent

__all__ = ["PAIRING_STARTS", "SIGNS", "sign_of", "states_of"]

_MESSAGES = {  # event -> (state of the sender, state of the receiver)
    "connect": ("connecting", ""), "pairing_request": ("wait response", "got request"),
    "pairing_response": ("wait public key", "features known"), "security_request": ("wait request", "asked to pair"),
    "public_key": ("key sent", "key received"), "pairing_confirm": ("confirm sent", "confirm kept"),
    "pairing_random": ("random sent", "confirm checked"), "dhkey_check": ("check sent", "check received"),
    "pairing_failed": ("failed", "failed"), "encrypt": ("starting encryption", ""), "disconnect": ("closing", ""),
    "encryption_key": ("giving keys", "taking keys"), "identity_key": ("giving keys", "taking keys"),
    "identity_address": ("giving keys", "taking keys"), "signing_key": ("giving keys", "taking keys"),
}  # fmt: skip
_EVENTS = {  # event of one node -> its state
    "connected": "connected", "disconnected": "idle", "encrypted": "encrypted", "paired": "paired",
    "not_paired": "failed", "pin_displayed": "shows PIN", "pin_required": "wait PIN", "pin_entered": "PIN entered",
    "compare_required": "comparing", "consent_required": "wait consent", "accepted": "said yes", "rejected": "said no",
    "bond_stored": "bonded", "locked_out": "locked out", "encryption_failed": "not encrypted", "bond_missing": "bond lost",
    "cluster_joined": "in cluster", "nik_received": "paired", "ndp_connected": "data path", "ndp_disconnected": "no data path",
    "aware_paired": "paired", "switched_off": "off", "factory_reset": "erased",
}  # fmt: skip
_ENGINES = {"discovery": "find", "bootstrapping": "boot", "pairing": "pair", "data_path": "path"}
"""Engine of Wi-Fi Aware -> the word before its state."""
PAIRING_STARTS = frozenset(("pairing_request", "security_request", "auth1"))
SIGNS = {
    "not_paired": "failed", "pairing_failed": "failed", "step_failed": "failed", "command_failed": "failed",
    "failed": "failed", "refused": "failed", "att_error": "failed", "encryption_failed": "failed",
    "bond_missing": "failed", "rejected": "failed", "locked_out": "failed", "connection_failed": "failed",
    "browser_failed": "failed", "picker_failed": "failed", "message_refused": "failed", "dropped": "failed",
    "not_acknowledged": "timeout", "paired": "ok", "bond_stored": "ok", "aware_paired": "ok", "ndp_connected": "ok",
    "connection_ready": "ok", "accepted": "ok", "pin_displayed": "shows", "pin_required": "enters",
    "pin_entered": "enters", "compare_required": "shows", "fault": "malformed", "fault_acted": "malformed",
}  # fmt: skip
"""Event -> sign in front of its rung."""


def states_of(event: TraceEvent) -> dict[str, str]:
    """Party -> the state that the event puts it into."""
    name, node, peer = event.event, event.node, event.peer
    if event.layer == "aware" and name == "step":
        after = str(event.fields.get("after", "")).replace("_", " ")
        engine = _ENGINES.get(str(event.fields.get("engine", "")), "")
        return {node: f"{engine} {after}".strip()} if after else {}
    if event.direction == "tx" and name in _MESSAGES:
        sender, receiver = _MESSAGES[name]
        bit = event.fields.get("bit")
        shown = f" {bit}/20" if bit else ""
        found = {
            node: f"{sender}{shown}" if sender else "",
            peer: f"{receiver}{shown}" if receiver else "",
        }
        return {party: state for party, state in found.items() if party and state}
    if name == "pairing_result":
        return {node: "authenticated" if event.fields.get("status") == 0 else "failed"}
    if name == "pairing_failed" and event.layer == "phone":
        return {node: "failed"}
    state = _EVENTS.get(name)
    return {node: state} if state and node else {}


def sign_of(event: TraceEvent) -> str:
    """Name of the sign of an event; empty for none."""
    if event.event == "pairing_result":
        return "ok" if event.fields.get("status") == 0 else "failed"
    if event.event == "bootstrap_completed":
        return "ok" if event.fields.get("success") else "failed"
    sign = SIGNS.get(event.event, "")
    words = str(event.fields.get("words", "")) + str(event.fields.get("because", ""))
    return "timeout" if sign == "failed" and ("timeout" in words or "timed out" in words) else sign
