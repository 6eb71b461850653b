"""A network of an Android app: the peer's address and port, and the data that go over it.

Rule AA-48. The link of the data path is the interface; the app opens its sockets on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from protocols.wifi_aware.service_info import PORT, TRANSPORT, SubAttribute, generic, sub_attributes
from sim.gatt import LinkError
from sim.phones._aware_ios_data import DEFAULT_PORT, Channel

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from protocols.wifi_aware import events as ev
    from sim.phones._aware_android import AwareAndroid
    from sim.wifi_aware.link import Link
    from sim.wifi_aware.link_sockets import StreamSocket

__all__ = ["Network", "NetworkWish", "Told", "open_channel", "receive", "send", "told_by"]

T = TypeVar("T")
Protocol = Literal["tcp", "udp"]
_TRANSPORTS: dict[Protocol, int] = {"tcp": 6, "udp": 17}
_PORT_OCTETS = 2


class NetworkWish(msgspec.Struct, frozen=True, kw_only=True):
    """WifiAwareNetworkSpecifier: how the data path is secured, and what a responder tells of its service."""

    passphrase: str = ""
    pmk: bytes = b""
    port: int = 0
    protocol: Protocol = "udp"

    @property
    def has_key(self) -> bool:
        """Whether it names a passphrase or a PMK."""
        return bool(self.passphrase or self.pmk)

    @property
    def info(self) -> bytes:
        """Service info of the responder's frames: port and transport protocol (AA-48)."""
        if not self.port:
            return b""
        port = self.port.to_bytes(_PORT_OCTETS, "little")
        transport = bytes((_TRANSPORTS[self.protocol],))
        return generic((SubAttribute(PORT, port), SubAttribute(TRANSPORT, transport)))


class _Served(Channel):
    """The responder's side: its port is open from the beginning, as that of a ServerSocket."""

    def __init__(self, link: Link, transport: Protocol, port: int) -> None:
        super().__init__(link, transport, port, incoming=True)
        self._listener = link.listen(port) if transport == "tcp" else None

    async def _byte_stream(self) -> StreamSocket:
        if self._stream is None and self._listener is not None:
            self._stream = await self._listener.accept()
        return await super()._byte_stream()


class Network:
    """A data path, from its connection to its end."""

    def __init__(self, path: ev.DataPathConnected, wish: NetworkWish) -> None:
        self.path = path
        self.wish = wish
        self.channel: Channel | None = None
        """once it is available."""

    @property
    def key(self) -> tuple[str, str, int]:
        """Peer, initiator's interface and number of its data path."""
        return self.path.peer, self.path.initiator_ndi, self.path.ndp_id


class Told(msgspec.Struct, frozen=True):
    """What a responder tells of its service."""

    port: int = 0
    protocol: Protocol | Literal[""] = ""
    fault: str = ""
    """why it does not count."""


def told_by(service_info: str, *, strict: bool) -> Told:
    """Port and transport protocol in the service info (hex) of a data path; `strict`: a wrong port voids both (AA-48)."""
    items = sub_attributes(bytes.fromhex(service_info)) or ()
    told = {item.id: item.value for item in items}
    port = told.get(PORT)
    if port is None:
        return Told()
    number = int.from_bytes(port, "little")
    if strict and (len(port) != _PORT_OCTETS or not number):
        shown = f"0x{port.hex()}" if port else "without octets"
        return Told(fault=f"the port {shown} makes the service info invalid")
    transport = int.from_bytes(told.get(TRANSPORT, b""), "little")
    names: dict[int, Protocol] = {value: name for name, value in _TRANSPORTS.items()}
    return Told(number, names.get(transport, ""))


def open_channel(network: Network, link: Link, told: Told) -> Channel:
    """Sockets of the app: to the port that the responder told, or as the responder on its own one."""
    if network.path.initiator:
        port = told.port or network.wish.port
        transport = told.protocol or network.wish.protocol
        return Channel(link, transport, port, incoming=False)
    port = network.wish.port or DEFAULT_PORT
    return _Served(link, network.wish.protocol, port)


async def send(phone: AwareAndroid, network: Network, octets: bytes, seconds: float) -> None:
    """Send over a network. Raises LinkError."""
    if network.channel is None:
        raise LinkError(f"{phone.name}: the network is not available yet")
    await _carried(phone, "sending", network.channel.send(octets, seconds))
    _tell(phone, network, "sent", octets, "tx")


async def receive(phone: AwareAndroid, network: Network, seconds: float) -> bytes:
    """What the peer sent over a network. Raises LinkError."""
    if network.channel is None:
        raise LinkError(f"{phone.name}: the network is not available yet")
    octets = await _carried(phone, "receiving", network.channel.receive(seconds))
    _tell(phone, network, "received", octets, "rx")
    return octets


async def _carried(phone: AwareAndroid, what: str, doing: Awaitable[T]) -> T:
    try:
        return await doing
    except TimeoutError:
        raise LinkError(f"{phone.name}: {what}: nothing came of it in time") from None


def _tell(phone: AwareAndroid, network: Network, event: str, octets: bytes, way: str) -> None:
    text = octets.decode("ascii", "replace")
    shown = repr(text) if octets.isascii() and text.isprintable() else octets.hex()
    phone.emit(
        f"data_{event}",
        direction=way,
        peer=phone.aware.name(network.path.peer),
        note=f"{len(octets)} octets: {shown[:60]}",
        label=event,
        hex=octets.hex(),
    )
