"""A tiny host without a stack: it sends HCI commands to an AirController and keeps every event it is given."""

from __future__ import annotations

import struct
from typing import Any

from bumble import hci as typed_hci

from sim.air import Air, AirSettings, Outcome, Transmission
from sim.ble.controller import AirController
from sim.clock import VirtualLoop
from sim.rng import Streams

hci: Any = typed_hci  # its commands are made by a decorator that hides their fields
MS = 1000
S = 1_000_000
ADV_DATA = bytes.fromhex("020106")
RANDOM_A = "C0:00:00:00:00:0A"
RANDOM_B = "C0:00:00:00:00:0B"
PROPERTIES = {
    "ADV_IND": 0x13,
    "ADV_DIRECT_IND": 0x15,
    "ADV_DIRECT_IND_HIGH": 0x1D,
    "ADV_SCAN_IND": 0x12,
    "ADV_NONCONN_IND": 0x10,
}


class World:
    """Loop, air and the packets on it."""

    def __init__(self, seed: int = 1, **settings: Any) -> None:
        self.loop = VirtualLoop()
        self.streams = Streams(seed)
        self.air = Air(self.loop, self.streams, AirSettings(**settings))
        self.sent: list[Transmission] = []
        self.air.observe(self._on_air)

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.close()

    def _on_air(self, sent: Transmission, outcomes: tuple[Outcome, ...]) -> None:
        self.sent.append(sent)

    def run(self, duration_us: int) -> None:
        self.loop.run_until_us(self.loop.now_us + duration_us)

    def host(self, name: str, *, public: str = "00:00:00:00:00:01", **options: Any) -> RawHost:
        return RawHost(self, name, public, **options)

    def vanish(self, host: RawHost) -> None:
        """Its power is gone: nothing more is sent or heard, and nobody is told."""
        host.controller.host = None
        host.controller.on_packet(bytes(hci.HCI_Reset_Command()))
        self.air.detach(host.controller.radio)

    def of(self, name: str) -> list[Transmission]:
        return [sent for sent in self.sent if sent.sender == name]


class Report:
    """One advertising report of either kind, as named values."""

    def __init__(self, t_us: int, subevent: int, data: bytes) -> None:
        self.t_us = t_us
        self.subevent = subevent
        assert data[0] == 1
        if subevent == 0x02:
            self.event_type, self.address_type = data[1], data[2]
            self.address = data[3:9]
            self.data = data[10 : 10 + data[9]]
            self.rssi = struct.unpack("b", data[-1:])[0]
        else:
            (
                self.event_type,
                self.address_type,
                self.address,
                self.primary_phy,
                self.secondary_phy,
                self.sid,
                self.tx_power,
                self.rssi,
                self.interval,
                self.target_type,
                self.target,
                length,
            ) = struct.unpack_from("<HB6sBBBbbHB6sB", data, 1)
            self.data = data[25:]
            assert len(self.data) == length


class RawHost:
    """`command` returns the return parameters (Command Complete) or the status octet (Command Status)."""

    def __init__(self, world: World, name: str, public: str, **options: Any) -> None:
        self.world = world
        self.name = name
        self.events: list[tuple[int, bytes]] = []
        self.controller = AirController(
            name, world.air, world.loop, world.streams, public_address=public, **options
        )
        self.controller.set_packet_sink(self)
        self.reset()

    def on_packet(self, packet: bytes) -> None:
        self.events.append((self.world.loop.now_us, packet))

    def reset(self) -> None:
        self.command(hci.HCI_Reset_Command())
        self.command(hci.HCI_Set_Event_Mask_Command(event_mask=b"\xff" * 8))
        self.command(hci.HCI_LE_Set_Event_Mask_Command(le_event_mask=b"\xff" * 8))

    def raw(self, packet: bytes) -> list[bytes]:
        """Send any octets; the packets that came back by the end of this instant."""
        before = len(self.events)
        self.controller.on_packet(packet)
        self.world.run(0)
        return [event for _, event in self.events[before:]]

    def command(self, command: Any) -> bytes:
        before = len(self.events)
        self.controller.on_packet(bytes(command))
        self.world.run(0)
        opcode = command.op_code.to_bytes(2, "little")
        for _, event in self.events[before:]:
            if event[1] == 0x0E and event[4:6] == opcode:
                return event[6:]
            if event[1] == 0x0F and event[5:7] == opcode:
                return event[3:4]
        raise AssertionError(f"no answer to {command.name}")

    def ok(self, command: Any) -> bytes:
        answer = self.command(command)
        assert answer[0] == 0, f"{command.name}: status 0x{answer[0]:02x}"
        return answer

    def opcode(self, opcode: int, parameters: bytes = b"") -> bytes:
        return self.command(hci.HCI_Command(parameters, op_code=opcode))

    def le(self, subevent: int) -> list[tuple[int, bytes]]:
        """LE meta events: time and what follows the subevent octet."""
        return [(t, e[4:]) for t, e in self.events if e[1] == 0x3E and e[3] == subevent]

    def event(self, code: int) -> list[tuple[int, bytes]]:
        return [(t, e[3:]) for t, e in self.events if e[1] == code]

    def reports(self) -> list[Report]:
        return [
            Report(t, e[3], e[4:]) for t, e in self.events if e[1] == 0x3E and e[3] in (0x02, 0x0D)
        ]

    # Shorthands

    def random_address(self, address: str) -> None:
        self.ok(hci.HCI_LE_Set_Random_Address_Command(random_address=hci.Address(address)))

    def legacy_set(
        self,
        kind: int = 0,
        *,
        data: bytes = ADV_DATA,
        scan_response: bytes = b"",
        interval_ms: float = 100,
        own_type: int = 0,
        peer: str = "00:00:00:00:00:00/P",
        channels: int = 7,
        policy: int = 0,
        enable: bool = True,
    ) -> None:
        """Advertise with the legacy commands; `kind` is the HCI advertising type."""
        units = round(interval_ms / 0.625)
        address = hci.Address(peer)
        self.ok(
            hci.HCI_LE_Set_Advertising_Parameters_Command(
                advertising_interval_min=units,
                advertising_interval_max=units,
                advertising_type=kind,
                own_address_type=own_type,
                peer_address_type=address.address_type,
                peer_address=address,
                advertising_channel_map=channels,
                advertising_filter_policy=policy,
            )
        )
        self.ok(hci.HCI_LE_Set_Advertising_Data_Command(advertising_data=data))
        self.ok(hci.HCI_LE_Set_Scan_Response_Data_Command(scan_response_data=scan_response))
        if enable:
            self.ok(hci.HCI_LE_Set_Advertising_Enable_Command(advertising_enable=1))

    def set_parameters(
        self,
        handle: int = 0,
        properties: int = 0x13,
        *,
        interval_ms: float = 100,
        own_type: int = 0,
        peer: str = "00:00:00:00:00:00/P",
        power: int = 127,
        primary_phy: int = 1,
        secondary_phy: int = 1,
        sid: int = 0,
        policy: int = 0,
        notify: int = 0,
        channels: int = 7,
    ) -> bytes:
        units = round(interval_ms / 0.625)
        address = hci.Address(peer)
        return self.command(
            hci.HCI_LE_Set_Extended_Advertising_Parameters_Command(
                advertising_handle=handle,
                advertising_event_properties=properties,
                primary_advertising_interval_min=units,
                primary_advertising_interval_max=units,
                primary_advertising_channel_map=channels,
                own_address_type=own_type,
                peer_address_type=address.address_type,
                peer_address=address,
                advertising_filter_policy=policy,
                advertising_tx_power=power & 0xFF,
                primary_advertising_phy=primary_phy,
                secondary_advertising_max_skip=0,
                secondary_advertising_phy=secondary_phy,
                advertising_sid=sid,
                scan_request_notification_enable=notify,
            )
        )

    def set_data(self, data: bytes, handle: int = 0, *, scan_response: bool = False) -> bytes:
        """Set data in as many fragments as it needs; the last status."""
        size = 251
        parts = [data[i : i + size] for i in range(0, len(data), size)] or [b""]
        answer = b""
        for number, part in enumerate(parts):
            first, last = number == 0, number == len(parts) - 1
            operation = 3 if first and last else 1 if first else 2 if last else 0
            common = {
                "advertising_handle": handle,
                "operation": operation,
                "fragment_preference": 0,
            }
            if scan_response:
                answer = self.command(
                    hci.HCI_LE_Set_Extended_Scan_Response_Data_Command(
                        **common, scan_response_data=part
                    )
                )
            else:
                answer = self.command(
                    hci.HCI_LE_Set_Extended_Advertising_Data_Command(
                        **common, advertising_data=part
                    )
                )
            if answer[0]:
                return answer
        return answer

    def enable_set(self, *handles: int, duration: int = 0, events: int = 0, on: int = 1) -> bytes:
        return self.command(
            hci.HCI_LE_Set_Extended_Advertising_Enable_Command(
                enable=on,
                advertising_handles=list(handles),
                durations=[duration] * len(handles),
                max_extended_advertising_events=[events] * len(handles),
            )
        )

    def advertise(
        self, properties: int, data: bytes = b"", handle: int = 0, **options: Any
    ) -> None:
        """One extended set, on."""
        scan_response = options.pop("scan_response", b"")
        assert self.set_parameters(handle, properties, **options)[0] == 0
        if data:
            assert self.set_data(data, handle)[0] == 0
        if scan_response:
            assert self.set_data(scan_response, handle, scan_response=True)[0] == 0
        assert self.enable_set(handle)[0] == 0

    def scan(
        self,
        *,
        active: bool = False,
        extended: bool = True,
        interval_ms: float = 60,
        window_ms: float = 60,
        policy: int = 0,
        duplicates: int = 0,
        phys: int = 1,
        duration: int = 0,
        period: int = 0,
        own_type: int = 0,
    ) -> None:
        interval, window = round(interval_ms / 0.625), round(window_ms / 0.625)
        if not extended:
            self.ok(
                hci.HCI_LE_Set_Scan_Parameters_Command(
                    le_scan_type=int(active),
                    le_scan_interval=interval,
                    le_scan_window=window,
                    own_address_type=own_type,
                    scanning_filter_policy=policy,
                )
            )
            self.ok(
                hci.HCI_LE_Set_Scan_Enable_Command(le_scan_enable=1, filter_duplicates=duplicates)
            )
            return
        count = phys.bit_count()
        self.ok(
            hci.HCI_LE_Set_Extended_Scan_Parameters_Command(
                own_address_type=own_type,
                scanning_filter_policy=policy,
                scanning_phys=phys,
                scan_types=[int(active)] * count,
                scan_intervals=[interval] * count,
                scan_windows=[window] * count,
            )
        )
        self.ok(
            hci.HCI_LE_Set_Extended_Scan_Enable_Command(
                enable=1, filter_duplicates=duplicates, duration=duration, period=period
            )
        )

    def connect(
        self,
        peer: str | None,
        *,
        extended: bool = False,
        own_type: int = 0,
        interval: int = 24,
        latency: int = 0,
        timeout: int = 100,
        phys: int = 1,
    ) -> bytes:
        """Create Connection to `peer` (None = the accept list); the status."""
        address = hci.Address(peer or "00:00:00:00:00:00/P")
        if extended:
            count = phys.bit_count()
            return self.command(
                hci.HCI_LE_Extended_Create_Connection_Command(
                    initiator_filter_policy=int(peer is None),
                    own_address_type=own_type,
                    peer_address_type=address.address_type,
                    peer_address=address,
                    initiating_phys=phys,
                    scan_intervals=[96] * count,
                    scan_windows=[96] * count,
                    connection_interval_mins=[interval] * count,
                    connection_interval_maxs=[interval] * count,
                    max_latencies=[latency] * count,
                    supervision_timeouts=[timeout] * count,
                    min_ce_lengths=[0] * count,
                    max_ce_lengths=[0] * count,
                )
            )
        return self.command(
            hci.HCI_LE_Create_Connection_Command(
                le_scan_interval=96,
                le_scan_window=96,
                initiator_filter_policy=int(peer is None),
                peer_address_type=address.address_type,
                peer_address=address,
                own_address_type=own_type,
                connection_interval_min=interval,
                connection_interval_max=interval,
                max_latency=latency,
                supervision_timeout=timeout,
                min_ce_length=0,
                max_ce_length=0,
            )
        )

    def connections(self) -> list[dict[str, Any]]:
        """Connection Complete events of both kinds, as named values."""
        found = []
        for _, data in self.le(0x0A):
            keys = ("status", "handle", "role", "peer_type", "peer", "local_rpa", "peer_rpa")
            keys += ("interval", "latency", "timeout", "sca")
            found.append(dict(zip(keys, struct.unpack("<BHBB6s6s6sHHHB", data), strict=True)))
        for _, data in self.le(0x01):
            keys = ("status", "handle", "role", "peer_type", "peer")
            keys += ("interval", "latency", "timeout", "sca")
            found.append(dict(zip(keys, struct.unpack("<BHBB6sHHHB", data), strict=True)))
        return found


def wire(address: str) -> bytes:
    """Address text as it is on the air."""
    return bytes(hci.Address(address))
