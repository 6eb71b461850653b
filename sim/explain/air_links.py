"""One connection on the air: who sends, what was sent twice, control procedures, and when encryption hides the rest.

Bluetooth Core 5.4 Vol 6 Part B 2.4 (data and control PDUs), 4.5.9 (acknowledgement), 5.1 (procedures). No clock, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.ble.ll_layout import CONTROL_BODIES
from protocols.ble.ll_radio import air_time_us
from protocols.errors import DecodeError
from protocols.layout import Walk, parse
from sim.explain.observations import Disconnection, Encryption, Parameters, Update
from sim.explain.traffic import Traffic

if TYPE_CHECKING:
    from sim.explain.air_source import AirPacket
    from sim.explain.observations import Connection

__all__ = ["AirLink"]

_UPDATE, _TERMINATE, _ENC_REQ, _START_ENC_REQ, _UNKNOWN = 0x00, 0x02, 0x03, 0x05, 0x07
_REJECT, _PARAM_REQ, _REJECT_EXT, _LENGTH_REQ = 0x0D, 0x0F, 0x11, 0x14
_CONTROL, _START = 3, 2
_ANSWER_US, _LOST = (130, 200), 0x08


class AirLink:
    """Follows the packets of one access address."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._traffic = Traffic(connection)
        self._last: dict[bool, bytes] = {}
        self._previous: tuple[bool, int] | None = None  # who sent, end of the packet
        self._encrypting = False
        self._hidden = False
        self._last_us = connection.t_us

    def packet(self, packet: AirPacket) -> None:
        """Take one packet of the connection."""
        from_central = self._sender(packet)
        self._previous = (from_central, packet.t_us + air_time_us(len(packet.pdu), packet.phy))
        self._last_us = packet.t_us
        pdu = packet.pdu
        header, payload = pdu[0], pdu[2 : 2 + pdu[1]]
        if not payload or self._is_repeated(pdu, from_central=from_central):
            return
        if self._hidden and not packet.decrypted:
            if self.connection.unread_from is None:
                self.connection.unread_from = packet.frame
            return
        if header & 3 == _CONTROL:
            self._control(packet, payload, from_central=from_central)
        else:
            is_start = header & 3 == _START
            self._traffic.fragment(
                packet.t_us, packet.frame, payload, from_central=from_central, is_start=is_start
            )

    def finish(self, end_us: int) -> None:
        """The capture ended at `end_us`: longer silence than the supervision timeout is a loss."""
        updates = self.connection.updates
        parameters = updates[-1].parameters if updates else self.connection.parameters
        lost_us = self._last_us + parameters.timeout_ms * 1000
        if self.connection.disconnection is None and lost_us < end_us:
            self.connection.disconnection = Disconnection(lost_us, 0, _LOST)

    def _sender(self, packet: AirPacket) -> bool:
        """Whether the central sent it: it begins each event, and every answer comes 150 us after the packet before."""
        if packet.from_central is not None:
            return packet.from_central
        if self._previous is None:
            return True
        was_central, end_us = self._previous
        is_answer = _ANSWER_US[0] <= packet.t_us - end_us <= _ANSWER_US[1]
        return not was_central if is_answer else True

    def _is_repeated(self, pdu: bytes, *, from_central: bool) -> bool:
        """Whether the sequence number and the octets are those of the packet before: it was not acknowledged."""
        sequence = bytes((pdu[0] & 0b1011,)) + pdu[1:]
        before = self._last.get(from_central)
        self._last[from_central] = sequence
        return before == sequence

    def _control(self, packet: AirPacket, payload: bytes, *, from_central: bool) -> None:
        opcode = payload[0]
        layout = CONTROL_BODIES.get(opcode)
        if layout is None:
            return
        try:
            said: dict[str, Any] = parse(layout, payload[1:], Walk())
        except DecodeError:
            return  # encrypted without our knowing, or cut
        frame, t_us = packet.frame, packet.t_us
        if opcode == _UPDATE:
            self._updated(frame, t_us, said)
        elif opcode == _TERMINATE:
            self.connection.disconnection = Disconnection(t_us, frame, said["error"])
        elif opcode == _ENC_REQ:
            self._encrypting = True
        elif opcode == _START_ENC_REQ and self._encrypting:
            self._encrypting, self._hidden = False, True
            self.connection.encryptions.append(Encryption(t_us, frame, 0))
        elif opcode == _PARAM_REQ and not from_central:
            wish = (said["interval_min_ms"] / 1.25, said["interval_max_ms"] / 1.25)
            low, high = map(round, wish)
            self._traffic.asked(t_us, frame, (low, high, said["latency"], said["timeout_ms"] // 10))
        elif opcode in (_REJECT, _REJECT_EXT, _UNKNOWN):
            self._refused(frame, t_us, opcode, said, from_central=from_central)

    def _updated(self, frame: int, t_us: int, said: dict[str, Any]) -> None:
        parameters = Parameters(said["interval_ms"], said["latency"], said["timeout_ms"])
        self.connection.updates.append(Update(t_us, frame, parameters))
        self._traffic.answered(frame, accepted=True)

    def _refused(
        self, frame: int, t_us: int, opcode: int, said: dict[str, Any], *, from_central: bool
    ) -> None:
        what = said.get("reject_opcode", said.get("unknown_type"))
        if self._encrypting and not from_central and (opcode == _REJECT or what == _ENC_REQ):
            self._encrypting = False
            self.connection.encryptions.append(Encryption(t_us, frame, said.get("error", 0x1A)))
        elif from_central and (opcode == _REJECT or what == _PARAM_REQ):
            self._traffic.answered(frame, accepted=False)
        elif what == _LENGTH_REQ and not from_central:
            self.connection.length_refused = frame
