"""A NAN device behind wpa_supplicant, told what to do by the commands of `nearbench node --stdio`, and telling alike.

hostap README-NAN-USD, wpa_supplicant/nan_supplicant.c (2026-08 tree), read and not executed; digest 3.4. Rules of the
file: two tables say which command becomes which, and which event is which; what has no counterpart is an error that
says so. Handles and ids are numbers; other values stay as wpa_supplicant writes them: hex, addresses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from protocols.errors import NearbenchError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hw_bridge.wpa_control import WpaControl, WpaEvent

__all__ = ["COMMANDS", "EVENTS", "WpaNode"]

_SECRET: Final = ("passphrase", "pin", "pmk")


class _Command(NamedTuple):
    """What a command of a node becomes."""

    name: str
    arguments: dict[str, str]
    """Ours -> wpa_supplicant's; one without a name stands alone, in front."""
    gives: str = ""
    """What its reply is called."""
    always: str = ""
    needs: tuple[str, ...] = ()


COMMANDS: Final[dict[str, _Command]] = {
    "publish": _Command(
        "NAN_PUBLISH",
        {"service": "service_name", "service_info": "ssi", "windows": "ttl", "methods": "pbm",
         "cipher_suites": "cipher_suites", "unsolicited": "unsolicited"},
        gives="handle",
        needs=("service",),
    ),
    "subscribe": _Command(
        "NAN_SUBSCRIBE",
        {"service": "service_name", "service_info": "ssi", "windows": "ttl", "active": "active", "methods": "pbm"},
        gives="handle",
        needs=("service",),
    ),
    "end": _Command("NAN_CANCEL_PUBLISH", {"handle": "publish_id"}, needs=("handle",)),
    "end_subscribe": _Command("NAN_CANCEL_SUBSCRIBE", {"handle": "subscribe_id"}, needs=("handle",)),
    "send": _Command(
        "NAN_TRANSMIT",
        {"handle": "handle", "instance": "req_instance_id", "peer": "address", "hex": "ssi"},
        needs=("handle", "instance", "peer"),
    ),
    "bootstrap": _Command(
        "NAN_BOOTSTRAP",
        {"peer": "", "handle": "handle", "instance": "req_instance_id", "method": "method"},
        needs=("peer", "handle", "instance", "method"),
    ),
    "pair": _Command(
        "NAN_PAIR",
        {"peer": "", "handle": "handle", "instance": "peer_instance_id", "auth": "auth", "cipher": "cipher",
         "pin": "password"},
        needs=("peer", "handle", "instance"),
    ),
    "accept": _Command(
        "NAN_PAIR",
        {"peer": "", "handle": "handle", "instance": "peer_instance_id", "auth": "auth", "cipher": "cipher",
         "pin": "password"},
        always="responder",
        needs=("peer", "handle", "instance"),
    ),
    "abort": _Command("NAN_PAIR_ABORT", {"peer": ""}, needs=("peer",)),
    "open_datapath": _Command(
        "NAN_NDP_REQUEST",
        {"handle": "handle", "ndi": "ndi", "peer": "peer_nmi", "instance": "peer_id", "csid": "csid",
         "passphrase": "password", "pmk": "pmk", "service_info": "ssi", "interface_id": "interface_id",
         "gtk_csid": "gtk_csid"},
        needs=("handle", "ndi", "peer", "instance"),
    ),
    "close_datapath": _Command(
        "NAN_NDP_TERMINATE",
        {"peer": "peer_nmi", "initiator": "init_ndi", "ndp_id": "ndp_id"},
        needs=("peer", "initiator", "ndp_id"),
    ),
    "state": _Command("NAN_STATUS", {}, gives="status"),
}  # fmt: skip
"""Command of a node -> wpa_supplicant's."""

EVENTS: Final = {
    "NAN-DISCOVERY-RESULT": "discovery",
    "NAN-REPLIED": "replied",
    "NAN-RECEIVE": "followup",
    "NAN-TRANSMIT-STATUS": "transmit_status",
    "NAN-PUBLISH-TERMINATED": "publish_terminated",
    "NAN-SUBSCRIBE-TERMINATED": "subscribe_terminated",
    "NAN-BOOTSTRAP-REQUEST": "bootstrap_request",
    "NAN-BOOTSTRAP-SUCCESS": "bootstrap_completed",
    "NAN-BOOTSTRAP-FAILURE": "bootstrap_failed",
    "NAN-PAIRING-REQUEST": "pairing_request",
    "NAN-PAIRING-STATUS": "pairing_result",
    "NAN-NIK-RECEIVED": "nik_received",
    "NAN-NDP-REQUEST": "ndp_request",
    "NAN-NDP-CONNECTED": "ndp_connected",
    "NAN-NDP-DISCONNECTED": "ndp_disconnected",
    "NAN-CLUSTER-JOIN": "cluster_joined",
}
"""Event of wpa_supplicant -> as a node tells it; NAN events that are not here keep their name in small letters."""
_NUMBERS: Final = frozenset(
    (
        *("handle", "id", "publish_id", "subscribe_id", "instance_id", "peer_instance_id"),
        *("req_instance_id", "peer_id", "ndp_id", "method", "status"),
    )
)
"""Fields of events that are handles and the like; a command takes them back as they are told."""
_MOST_DIGITS: Final = 18
_HIDDEN: Final = ("nik", "npk", "pmk", "pmkid", "keys", "password")


class WpaNode:
    """One node; `write` gets what it tells. Give its `on_event` and `on_state` to the control."""

    def __init__(
        self, control: WpaControl, write: Callable[[dict[str, Any]], None], *, reveal: bool = False
    ) -> None:
        self._control = control
        self._write = write
        self._reveal = reveal

    async def do(self, given: dict[str, Any]) -> None:
        """Carry out `{"cmd": NAME, ...}` and write its answer."""
        try:
            name = given.get("cmd", "")
            if not isinstance(name, str):
                raise UsageError(f'cmd: {name!r} is no text; give the name of a command, or "help"')
            if name == "help":
                result: Any = {key: sorted(one.arguments) for key, one in COMMANDS.items()}
            else:
                result = await self._command(name, given)
            answer: dict[str, Any] = {"ok": result}
        except NearbenchError as exc:
            answer = {"error": str(exc)}
        self._write(answer | ({"id": given["id"]} if "id" in given else {}))

    async def _command(self, name: str, given: dict[str, Any]) -> Any:
        text = line_of(name, given)
        reply = await self._control.command(text)
        made = COMMANDS[name]
        if not made.gives:
            return {}
        return {made.gives: _number(reply)}

    def on_event(self, event: WpaEvent) -> None:
        """Tell an event; what is not of NAN is left out."""
        if event.name not in EVENTS and not event.name.startswith("NAN-"):
            return
        name = EVENTS.get(event.name, event.name.lower().replace("-", "_"))
        hidden = {} if self._reveal else {key: "••••••" for key in event.fields if key in _HIDDEN}
        fields = {
            key: _number(text) if key in _NUMBERS else text for key, text in event.fields.items()
        }
        self._write({"event": name} | fields | hidden | {"event": name})

    def on_state(self, there: bool) -> None:  # the control's callback
        """Tell that the daemon came or went."""
        self._write({"event": "ready" if there else "gone", "node": self._control.path})


def _number(text: str) -> int | str:
    """A whole number as one; anything else as it stands."""
    is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if is_number else text


def line_of(name: str, given: dict[str, Any]) -> str:
    """wpa_supplicant's command for a node's. Raises UsageError, UnknownNameError."""
    if name not in COMMANDS:
        raise UnknownNameError("command of a node behind wpa_supplicant", name, COMMANDS)
    made = COMMANDS[name]
    words: list[str] = []
    for key, value in given.items():
        if key not in ("cmd", "id"):
            if key not in made.arguments:
                raise UnknownNameError(f"argument of {name}", key, made.arguments)
            words.append(_word(name, key, made.arguments[key], value))
    missing = [key for key in made.needs if given.get(key) in (None, "")]
    if missing:
        raise UsageError(f"{name} needs {', '.join(missing)}")
    front = [word for word in words if "=" not in word]
    rest = [word for word in words if "=" in word]
    return " ".join([made.name, *front, *rest, *([made.always] if made.always else [])])


def _word(command: str, key: str, name: str, value: Any) -> str:
    if isinstance(value, bool):
        value = int(value)
    parts = cast("Iterable[object]", value) if isinstance(value, list | tuple) else (value,)
    text = ",".join(map(str, parts))
    if any(character.isspace() for character in text) or not text.isprintable():
        shown = "its value" if key in _SECRET else repr(text)
        raise UsageError(
            f"{command}: {key}: {shown} has white space, and wpa_supplicant splits at it"
        )
    return f"{name}={text}" if name else text
