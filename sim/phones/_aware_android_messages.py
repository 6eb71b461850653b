"""Messages of an Android app to its peers: sendMessage, and what becomes of each.

Rules AA-04, AA-21. A message is a follow-up; it counts as sent when the peer's radio has acknowledged it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from protocols.wifi_aware.station import RefusedError
from sim.gatt import LinkError

if TYPE_CHECKING:
    from protocols.wifi_aware import events as ev
    from sim.phones._aware_android import AwareAndroid
    from sim.phones._aware_android_sessions import PeerHandle

__all__ = ["Messages"]


class Messages:
    """Those under way."""

    def __init__(self, phone: AwareAndroid) -> None:
        self._phone = phone
        self._fates: dict[int, tuple[str, int, asyncio.Future[bool]]] = {}
        """number of a message -> peer, when it was sent, its fate."""

    def end_all(self) -> None:
        """The radio is off: none of them arrives."""
        for _, _, fate in self._fates.values():
            if not fate.done():
                fate.set_result(False)
        self._fates.clear()

    async def send(self, peer: PeerHandle, octets: bytes, *, wait: bool) -> None:
        """sendMessage, and what becomes of it. Raises LinkError."""
        phone = self._phone
        name, discovery = phone.aware.name(peer.nmi), phone.aware.engine.discovery
        self._check_length(name, octets)
        try:
            number = phone.aware.command(
                lambda now: discovery.transmit(
                    peer.nmi, peer.session.handle, peer.instance, octets, now
                )
            )
        except RefusedError as exc:
            phone.emit("message_send_failed", peer=name, note=f"{exc} (AA-21)", label="onMessageSendFailed", rule="AA-21")  # fmt: skip
            raise LinkError(f"{phone.name}: message to {name}: {exc} (AA-21)") from None
        phone.emit("message_sent", peer=name, note=f"{len(octets)} octets to {peer}", number=number)
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._fates[number] = (name, phone.now_us, future)
        if wait and not await future:
            raise LinkError(f"{phone.name}: message to {name}: nobody acknowledged it")

    def _check_length(self, name: str, octets: bytes) -> None:
        phone, most = self._phone, self._phone.firmware().longest_info
        if len(octets) > most:
            why = f"a message of {len(octets)} octets, {most} are the most (AA-04)"
            phone.emit("message_send_failed", peer=name, note=why, label="IllegalArgumentException", rule="AA-04")  # fmt: skip
            raise LinkError(f"{phone.name}: message to {name}: {why}")

    def on_fate(self, event: ev.Transmitted) -> None:
        """A message was acknowledged, or given up."""
        found = self._fates.pop(event.number, None)
        if found is None:
            return
        phone = self._phone
        name, sent_us, future = found
        took_us = phone.now_us - sent_us
        late = took_us >= int(phone.firmware().message_timeout)
        if event.acked:
            phone.emit("message_send_succeeded", peer=name, label="onMessageSendSucceeded", number=event.number)  # fmt: skip
        else:
            why = f"no acknowledgement in {took_us / 1e6:.1f} s{' (AA-21)' if late else ''}"
            rule = "AA-21" if late else ""
            phone.emit("message_send_failed", peer=name, note=why, label="onMessageSendFailed", rule=rule, number=event.number)  # fmt: skip
        if not future.done():
            future.set_result(event.acked)
