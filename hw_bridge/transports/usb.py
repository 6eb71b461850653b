"""USB controllers, through bumble's USB transport with its defects contained.

bumble 0.0.236 transport/usb.py, as measured in digest 1.4. What is contained here:
* it opens in the loop, and libusb may wait there: `_usb_claim` opens in a thread, for so long at most;
* an OUT transfer that fails, or cannot even begin, is only logged: it is reported, and a stall cleared;
* its packet splitters have no plausibility check: the pieces come to our framers instead;
* its queue of packets to send is unbounded: one packet at a time is given to it;
* it reads 4096 octets on the interrupt endpoint, which clones may not end: `int-read` says another size;
* it leaks its context when a device has no interface that fits: contexts of a failure are closed;
* closing after an unplug raises before handle and context are closed: each step is taken on its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from hw_bridge.discover import usb_devices
from hw_bridge.errors import BadMonikerError, BridgeError, BusyError, LostError, opening_error
from hw_bridge.link import Link, LinkInfo, Transport
from hw_bridge.moniker import Option
from hw_bridge.quirks import quirk_for
from hw_bridge.threads import call_in_loop
from hw_bridge.transports._usb_claim import claim, give_back
from hw_bridge.usb_bus import fits, why_not
from protocols.hci.framing import ACL, EVENT, SCO, Framer
from protocols.hci.usb import UsbFramer

if TYPE_CHECKING:
    from collections.abc import Callable

    from hw_bridge.link import Receiver
    from hw_bridge.moniker import Moniker

__all__ = ["TRANSPORT", "UsbPort"]

_TARGET: Final = re.compile(
    r"(\d+|[0-9a-fA-F]{4}:[0-9a-fA-F]{4}(/[^/#+!]+|#\d+)?|\d+-\d+(\.\d+)*)(\+sco=\d+)?!?"
)
_COMPLETED, _STALL = 0, 4
_STATUS_WORDS: Final[dict[int | None, str]] = {
    None: "libusb did not take it",
    1: "error",
    2: "timed out",
    3: "cancelled",
    4: "stall",
    5: "no device",
    6: "overflow",
}
_REMEDIES: Final = {
    "busy": "another program or the system's Bluetooth has it; close that, or `hciconfig hci0 down`",
    "no-permission": "add a udev rule for its ids; on macOS and Windows see `nearbench doctor`",
    "refused": "unplug it and plug it in",
    "no-backend": "on Windows give it WinUSB with Zadig"
    if sys.platform == "win32"
    else "pass the bus through to a container or virtual machine; `nearbench doctor` says what libusb there is",
}
_KEPT_PIECES: Final = 64


class UsbPort:
    """One USB device by index, ids or physical port."""

    needs_probe = True

    def __init__(self, moniker: Moniker) -> None:
        if not _TARGET.fullmatch(moniker.target):
            raise BadMonikerError(
                f"{moniker.text}: after usb: comes an index, VID:PID[/SERIAL] or BUS-PORT, as in usb:2fe3:000b"
            )
        self.moniker = moniker

    def framer(self) -> Framer:
        """A new framer for a new link."""
        return UsbFramer()

    def present(self) -> bool:
        """Whether a device with these ids is there, as far as that can be seen without opening anything."""
        devices = usb_devices()
        return not devices or any(fits(info, self.moniker.target) for info, _ in devices)

    async def open(self, receiver: Receiver) -> Link:
        """Claim it. Raises BridgeError."""
        info = self._info()
        try:
            transport = await claim(self.moniker.target, self._read_size(info))
        except Exception as exc:
            raise self._error(exc) from exc
        return UsbLink(transport, receiver, info)

    def _error(self, exc: Exception) -> BridgeError:
        """What libusb says; what can be seen on the bus where that says more."""
        error = opening_error(exc, self.moniker.text, remedies=_REMEDIES)
        seen = None if isinstance(error, BusyError) else why_not(self.moniker.target)
        return error if seen is None else type(seen)(f"{self.moniker.text}: {seen}")

    def _info(self) -> LinkInfo:
        for info, _ in usb_devices():
            if ":" in self.moniker.target and fits(info, self.moniker.target):
                return info
            if info.location == self.moniker.target:
                return info
        return LinkInfo(node=f"usb:{self.moniker.target}")

    def _read_size(self, info: LinkInfo) -> int | None:
        """Octets of one read, 0 for the endpoint's packet size; None leaves bumble's."""
        if "int-read" in self.moniker.given:
            return self.moniker.number("int-read")
        quirk = quirk_for(info)
        return None if quirk is None else quirk.int_read_size

    async def close(self) -> None:
        """Nothing stays between two links."""


class _Feeder:
    """Stands where bumble has a packet splitter; runs in libusb's thread."""

    def __init__(self, kind: int, feed: Callable[[bytes], None]) -> None:
        self._prefix = bytes((kind,))
        self._feed = feed

    def feed(self, data: bytes) -> None:
        if data:
            self._feed(self._prefix + bytes(data))


class UsbLink:
    """Link over bumble's UsbTransport, which it owns."""

    def __init__(self, transport: Any, receiver: Receiver, info: LinkInfo) -> None:
        self._transport = transport
        self._receiver = receiver
        self._info = info
        self._loop = asyncio.get_running_loop()
        self._in_flight = 0
        self._taken = 0
        self._open = True
        self._held: list[bytes] | None = None
        self._pieces = threading.Semaphore(_KEPT_PIECES)
        transport.source.set_packet_sink(_Early(self._on_early, self._lost))
        for kind in (EVENT, ACL, SCO):
            transport.source.splitters[kind] = _Feeder(kind, self._from_thread)
        self._status: int | None = None
        self._endpoint = 0
        self._callback = transport.sink.transfer_callback
        transport.sink.transfer_callback = self._on_out
        transport.sink.out_transfer_ready = _Ready(self._sent)

    @property
    def info(self) -> LinkInfo:
        """What it leads to."""
        return self._info

    @property
    def buffered(self) -> int:
        """Octets given to libusb and not taken yet."""
        return self._in_flight

    @property
    def taken(self) -> int:
        """Octets taken so far."""
        return self._taken

    def write(self, data: bytes) -> None:
        """Send one packet."""
        if self._open and self._transport is not None:
            self._in_flight += len(data)
            self._transport.sink.on_packet(data)

    def pause_reading(self) -> None:
        """Keep what comes; after a few pieces libusb's thread waits."""
        if self._held is None:
            self._held = []

    def resume_reading(self) -> None:
        """Give on what was kept."""
        held, self._held = self._held or [], None
        for data in held:
            self._on_piece(data)

    def _from_thread(self, data: bytes) -> None:
        if self._open and self._pieces.acquire():
            call_in_loop(self._loop, lambda: self._on_piece(data))

    def _on_piece(self, data: bytes) -> None:
        if self._held is not None:
            self._held.append(data)
            return
        self._pieces.release()
        if self._open:
            self._receiver.on_data(data)

    def _on_early(self, packet: bytes) -> None:
        """A whole packet from before this link was made."""
        if self._open:
            self._receiver.on_data(packet)

    def _on_out(self, transfer: Any) -> None:
        """An OUT transfer ended; in libusb's thread, before bumble says that it is ready for the next."""
        self._status = transfer.getStatus()
        self._endpoint = transfer.getEndpoint() if self._status == _STALL else 0
        self._callback(transfer)

    def _sent(self) -> None:
        """bumble is ready for the next packet: the last one went, or failed, or was never submitted."""
        status, self._status = self._status, None
        endpoint = self._endpoint
        self._taken, self._in_flight = self._taken + self._in_flight, 0
        if not self._open:
            return
        if status != _COMPLETED:
            words = _STATUS_WORDS.get(status, f"status {status}")
            self._receiver.on_trouble(
                f"a USB transfer to the dongle failed ({words}); what it carried is lost"
            )
            if status == _STALL and endpoint & 0x7F and self._transport is not None:
                with contextlib.suppress(
                    Exception
                ):  # whatever libusb says: the next transfer tells
                    self._transport.device.clearHalt(endpoint)
        self._receiver.on_writable()

    def _lost(self) -> None:
        if self._open:
            self._open = False
            self._receiver.on_lost(LostError(f"{self._info.node}: the USB device is gone"))

    async def close(self) -> None:
        """Give everything back."""
        self._open = False
        self._pieces.release(_KEPT_PIECES)
        transport, self._transport = self._transport, None
        if transport is not None:
            await give_back(transport)


class _Ready(asyncio.Semaphore):
    """bumble's mark that the next packet may go; tells when it is set, whatever became of the last one."""

    def __init__(self, told: Callable[[], None]) -> None:
        super().__init__(1)
        self._told = told

    def release(self) -> None:
        super().release()
        self._told()


class _Early:
    """What bumble's source delivers to: packets from before its splitters were ours, and that the device is lost."""

    def __init__(self, take: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        self._take = take
        self._lost = lost

    def on_packet(self, packet: bytes) -> None:
        """A whole packet."""
        self._take(packet)

    def on_transport_lost(self) -> None:
        """The device is gone."""
        self._lost()


TRANSPORT = Transport(
    summary="a USB controller",
    form="usb:INDEX | usb:VID:PID[/SERIAL] | usb:BUS-PORT[.PORT] [+sco=N] [!]",
    example="usb:2fe3:000b",
    carries="packets",
    options=(
        Option(
            name="int-read",
            kind="number",
            default=4096,
            least=8,
            summary="octets of one read of the interrupt endpoint",
        ),
    ),
    port=UsbPort,
)
