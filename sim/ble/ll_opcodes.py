"""Opcodes and parameter lengths of LL control PDUs, and the error codes that link-layer procedures use.

Bluetooth Core specification 5.4, Vol 6 Part B, 2.4.2 and Vol 1 Part F. Tables only.
"""

from __future__ import annotations

import enum

__all__ = ["LENGTHS", "ErrorCode", "Opcode"]


class Opcode(enum.IntEnum):
    """First octet of an LL control PDU."""

    CONNECTION_UPDATE_IND = 0x00
    CHANNEL_MAP_IND = 0x01
    TERMINATE_IND = 0x02
    ENC_REQ = 0x03
    ENC_RSP = 0x04
    START_ENC_REQ = 0x05
    START_ENC_RSP = 0x06
    UNKNOWN_RSP = 0x07
    FEATURE_REQ = 0x08
    FEATURE_RSP = 0x09
    PAUSE_ENC_REQ = 0x0A
    PAUSE_ENC_RSP = 0x0B
    VERSION_IND = 0x0C
    REJECT_IND = 0x0D
    PERIPHERAL_FEATURE_REQ = 0x0E
    CONNECTION_PARAM_REQ = 0x0F
    CONNECTION_PARAM_RSP = 0x10
    REJECT_EXT_IND = 0x11
    PING_REQ = 0x12
    PING_RSP = 0x13
    LENGTH_REQ = 0x14
    LENGTH_RSP = 0x15
    PHY_REQ = 0x16
    PHY_RSP = 0x17
    PHY_UPDATE_IND = 0x18


LENGTHS: dict[int, int] = {
    Opcode.CONNECTION_UPDATE_IND: 11,
    Opcode.CHANNEL_MAP_IND: 7,
    Opcode.TERMINATE_IND: 1,
    Opcode.ENC_REQ: 22,
    Opcode.ENC_RSP: 12,
    Opcode.START_ENC_REQ: 0,
    Opcode.START_ENC_RSP: 0,
    Opcode.UNKNOWN_RSP: 1,
    Opcode.FEATURE_REQ: 8,
    Opcode.FEATURE_RSP: 8,
    Opcode.PAUSE_ENC_REQ: 0,
    Opcode.PAUSE_ENC_RSP: 0,
    Opcode.VERSION_IND: 5,
    Opcode.REJECT_IND: 1,
    Opcode.PERIPHERAL_FEATURE_REQ: 8,
    Opcode.CONNECTION_PARAM_REQ: 23,
    Opcode.CONNECTION_PARAM_RSP: 23,
    Opcode.REJECT_EXT_IND: 2,
    Opcode.PING_REQ: 0,
    Opcode.PING_RSP: 0,
    Opcode.LENGTH_REQ: 8,
    Opcode.LENGTH_RSP: 8,
    Opcode.PHY_REQ: 2,
    Opcode.PHY_RSP: 2,
    Opcode.PHY_UPDATE_IND: 4,
}
"""Octets after the opcode; a PDU of another length is answered as an unknown one."""


class ErrorCode(enum.IntEnum):
    """The error codes of this link layer."""

    SUCCESS = 0x00
    UNKNOWN_CONNECTION = 0x02
    AUTHENTICATION_FAILURE = 0x05
    PIN_OR_KEY_MISSING = 0x06
    CONNECTION_TIMEOUT = 0x08
    COMMAND_DISALLOWED = 0x0C
    UNSUPPORTED_PARAMETER = 0x11
    INVALID_PARAMETERS = 0x12
    REMOTE_USER_TERMINATED = 0x13
    LOCAL_HOST_TERMINATED = 0x16
    UNSUPPORTED_REMOTE_FEATURE = 0x1A
    INVALID_LL_PARAMETERS = 0x1E
    UNSUPPORTED_LL_PARAMETER = 0x20
    LL_RESPONSE_TIMEOUT = 0x22
    LL_PROCEDURE_COLLISION = 0x23
    INSTANT_PASSED = 0x28
    DIFFERENT_TRANSACTION_COLLISION = 0x2A
    CONTROLLER_BUSY = 0x3A
    UNACCEPTABLE_PARAMETERS = 0x3B
    MIC_FAILURE = 0x3D
    FAILED_TO_BE_ESTABLISHED = 0x3E
