"""What a node on a line can be told: services here, pairing and data paths in the files beside, and about itself.

Commands are coroutines marked as such; their annotations and docstrings are their help. Those of the device itself
(`aware_picker` of a phone, `reboot` of an accessory) can be given too. Peers are named by their NMI.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.errors import NearbenchError, UnknownNameError, UsageError
from protocols.wifi_aware.matching import address_filter, filter_of
from sim.device import check_address, command
from sim.wifi_aware.firmware import Method, method_bits
from sim.wifi_aware.stdio_base import octets_of
from sim.wifi_aware.stdio_pairing import PairingCommands
from sim.wifi_aware.stdio_paths import PathCommands
from sim.wifi_aware.stdio_state import keys_of, state_of

if TYPE_CHECKING:
    from sim.device import CommandInfo

__all__ = ["NodeCommands"]

_ADDRESS = 6
_LONGEST_FILTER = 255
"""Octets; the Service Descriptor tells the length of a matching filter in one octet."""


class NodeCommands(PairingCommands, PathCommands):
    """The commands of one node."""

    async def run(self, name: str, arguments: dict[str, Any]) -> Any:
        """The result of a command of the node or of its device; an error that it ends in is returned."""
        device: Any = self.node.device
        own = self.commands()
        theirs: dict[str, CommandInfo] = device.commands()
        try:
            if name in own:
                return await self.do(name, arguments)
            if name not in theirs:
                raise UnknownNameError("command", name, {**theirs, **own})
            return await device.do(name, arguments)
        except NearbenchError as exc:
            return exc

    # Services

    @command
    async def publish(
        self,
        service: str = "",
        service_info: str = "",
        methods: tuple[Method, ...] | None = None,
        cipher_suites: tuple[int, ...] | None = None,
        passphrase: str = "",
        port: int | None = None,
        unsolicited: bool = True,
        windows: int = 0,
        tx_filter: tuple[str, ...] | None = None,
        rx_filter: tuple[str, ...] | None = None,
        close_range: bool | None = None,
        unsynchronised: bool | None = None,
    ) -> dict[str, Any]:
        """Begin to publish a service; what is not given is as the settings have it. Gives its handle.

        Matching filters are lists of elements in hex, an empty one matches anything.
        """
        more = _terms(tx_filter, rx_filter, close_range, unsynchronised)
        more |= {"unsolicited": unsolicited, "ttl_windows": windows}
        if service_info:
            more["service_info"] = octets_of(service_info, "service_info")
        if methods is not None:
            more["methods"] = method_bits(methods)
        if cipher_suites is not None:
            more["cipher_suites"] = cipher_suites
        if passphrase:
            more["passphrase"] = passphrase.encode()
        return {"handle": self.half.publish(service, port=port, **more)}

    @command
    async def subscribe(
        self,
        service: str = "",
        active: bool = False,
        service_info: str = "",
        windows: int = 0,
        response_filter: tuple[str, ...] | None = None,
        include: bool = True,
        tx_filter: tuple[str, ...] | None = None,
        rx_filter: tuple[str, ...] | None = None,
        close_range: bool | None = None,
        unsynchronised: bool | None = None,
    ) -> dict[str, Any]:
        """Begin to look for a service, asking for it when `active`. Gives its handle.

        Those NMIs in `response_filter` are to answer; all others unless `include`.
        """
        more = _terms(tx_filter, rx_filter, close_range, unsynchronised)
        more |= {"active": active, "ttl_windows": windows}
        if response_filter is not None:
            addresses = [_nmi(one) for one in response_filter]
            more["response_filter"] = address_filter(addresses, include=include)
        if service_info:
            more["service_info"] = octets_of(service_info, "service_info")
        return {"handle": self.half.subscribe(service, **more)}

    @command
    async def end(self, handle: int) -> None:
        """End a publish or subscribe."""
        self.half.command(lambda now: self.engine.discovery.cancel(handle, now))

    @command
    async def window(self) -> None:
        """A discovery window begins: what is announced goes out."""
        if self.half.on and self.node.radio is not None:
            self.node.radio.window()

    # About itself

    @command
    async def cluster(self, cluster_id: str = "", tsf_us: int | None = None) -> None:
        """Take a Cluster ID, and a TSF as it is now."""
        if cluster_id:
            octets = octets_of(cluster_id.replace(":", ""), "cluster_id")
            if len(octets) != _ADDRESS:
                raise UsageError("cluster: cluster_id is written as 50:6f:9a:01:00:00")
            self.engine.station.cluster_id = octets.hex(":")
        if tsf_us is not None and self.node.radio is not None:
            self.node.radio.tsf_offset_us = tsf_us - self.now_us

    @command
    async def address(self, nmi: str = "") -> dict[str, Any]:
        """Take another NMI, a drawn one unless given."""
        node = self.half.node
        try:
            return {"nmi": "" if node is None else node.move(nmi)}
        except ValueError as exc:
            raise UsageError(str(exc)) from None

    @command
    async def keys(self) -> list[dict[str, Any]]:
        """Every key derived so far; the node must have been started with --reveal."""
        if not self.node.world.reveal:
            raise UsageError("keys are told by a node that was started with --reveal")
        return keys_of(self.node.derived)

    @command
    async def state(self) -> dict[str, Any]:
        """Who it is, whom it knows, what goes on."""
        return state_of(self.node)

    @command
    async def help(self) -> dict[str, Any]:
        """This list: what can be told, its arguments with types and defaults."""
        theirs: dict[str, CommandInfo] = self.node.device.commands()
        found = {**theirs, **self.commands()}
        return {
            name: {"about": info.about, "arguments": info.parameters}
            for name, info in sorted(found.items())
        }


def _terms(
    tx_filter: tuple[str, ...] | None,
    rx_filter: tuple[str, ...] | None,
    close_range: bool | None,
    unsynchronised: bool | None,
) -> dict[str, Any]:
    """What publish and subscribe have in common, as far as it was given. Raises UsageError."""
    given = {
        "tx_filter": _filter(tx_filter, "tx_filter"),
        "rx_filter": _filter(rx_filter, "rx_filter"),
        "close_range": close_range,
        "unsynchronised": unsynchronised,
    }
    return {name: value for name, value in given.items() if value is not None}


def _filter(elements: tuple[str, ...] | None, name: str) -> bytes | None:
    if elements is None:
        return None
    octets = [octets_of(one, name) for one in elements]
    longest = max(map(len, octets), default=0)
    written = sum(map(len, octets)) + len(octets)
    if longest > _LONGEST_FILTER or written > _LONGEST_FILTER:
        raise UsageError(
            f"{name}: {written} octets with the length of each; at most {_LONGEST_FILTER}"
        )
    return filter_of(*octets)


def _nmi(text: str) -> str:
    try:
        return check_address(text)[0]
    except ValueError as exc:
        raise UsageError(f"response_filter: {exc}") from None
