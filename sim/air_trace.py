"""What nodes put on the air, as trace events: one per packet, with what became of it at every listener.

Every packet has its channel, what became of it at every radio that listened, and the signal there (`signal_dbm`).
Event names are those of the PDUs in small letters; packets of connections are `ll_control`, `ll_data` and
`ll_empty`, with `again` when they repeat what was not acknowledged and `encrypted` when their payload is ciphertext and
MIC; of control PDUs, which hold no secret, `clear` is that payload in clear (hex). Frames of Wi-Fi have `phy = "wifi"`, the channel's
number, the sender's TSF at their beginning, and for each Wi-Fi radio that did not listen
the outcome `not_listening`. No clock, no chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.wifi_aware.on_air import WifiFrame, frame_name

if TYPE_CHECKING:
    from collections.abc import Container

    from sim.causes import Causes
    from sim.radio import Outcome, Transmission
    from sim.trace import TraceLog

__all__ = ["AirTrace"]

_ADVERTISING_PDUS = {
    0: "adv_ind", 1: "adv_direct_ind", 2: "adv_nonconn_ind", 3: "scan_req", 4: "scan_rsp", 5: "connect_ind",
    6: "adv_scan_ind", 7: "adv_ext", 8: "aux_connect_rsp", 9: "aux_sync_subevent_rsp",
}  # fmt: skip
_CONTROL = 3
_RETRY = 0x08
"""In the second octet of Frame Control: sent before and not acknowledged."""


class AirTrace:
    """Observer of an air; packets of others than `nodes` (crowds) are left out."""

    def __init__(self, trace: TraceLog, nodes: Container[str], causes: Causes) -> None:
        self._trace = trace
        self._nodes = nodes
        self._causes = causes
        self._sequence: dict[tuple[str, int], int] = {}

    def on_air(self, sent: Transmission, heard: tuple[Outcome, ...]) -> None:
        """Write one transmission that has ended."""
        if sent.sender not in self._nodes:
            return
        channel = sent.channel
        details: dict[str, Any] = {"again": True} if self._is_repeated(sent) else {}
        if getattr(sent.meta, "encrypted", False):
            details |= _encrypted_details(sent.meta)
        outcomes = {outcome.radio: outcome.reason or "heard" for outcome in heard}
        if isinstance(sent.meta, WifiFrame):
            channel = sent.meta.channel
            details = _wifi_details(sent, sent.meta)
            outcomes |= dict.fromkeys(sent.meta.deaf, "not_listening")
        event = self._trace.emit(
            sent.sender,
            "air",
            _packet_name(sent),
            direction="tx",
            data=sent.data,
            cause=self._causes.of(sent.sender, "air", sent.end_us, sent.start_us),
            channel=channel,
            outcomes=outcomes,
            signal_dbm={outcome.radio: outcome.rssi_dbm for outcome in heard},
            **details,
        )
        for outcome in heard:
            if not outcome.reason:
                self._causes.heard(outcome.radio, event)

    def _is_repeated(self, sent: Transmission) -> bool:
        """Whether a packet of a connection has the sequence number of the one before: it was not acknowledged."""
        number = getattr(sent.meta, "sn", None)
        if number is None:
            return False
        key = (sent.sender, sent.meta.access_address)
        before = self._sequence.get(key)
        self._sequence[key] = number
        return bool(before == number)


def _encrypted_details(meta: Any) -> dict[str, Any]:
    details: dict[str, Any] = {"encrypted": True}
    if meta.llid == _CONTROL and meta.plaintext is not None:
        details["clear"] = meta.plaintext.hex()
    return details


def _wifi_details(sent: Transmission, meta: WifiFrame) -> dict[str, Any]:
    details: dict[str, Any] = {
        "phy": "wifi",
        "rate_mbit_s": meta.rate_mbit_s,
        "tsft_us": meta.tsft_us,
        "began_us": sent.start_us,
    }
    again = len(sent.data) > 1 and bool(sent.data[1] & _RETRY)
    return details | ({"again": True} if again else {})


def _packet_name(sent: Transmission) -> str:
    if isinstance(sent.meta, WifiFrame):
        return frame_name(sent.data)
    llid = getattr(sent.meta, "llid", None)
    if llid is None:
        return _ADVERTISING_PDUS.get(sent.data[0] & 0x0F, "packet") if sent.data else "packet"
    return "ll_control" if llid == _CONTROL else "ll_data" if len(sent.data) > 2 else "ll_empty"
