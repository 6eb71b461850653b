"""Which HCI commands the controller does not have, and how each kind is answered.

Bluetooth Core specification 5.4, Vol 4 Part E, 6.27 (supported commands) and 7. bumble's virtual controller brings
handlers for more than the air can carry; those are taken out here, so that they answer 0x01 and are not in the mask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bumble import hci

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "EXTENDED_COMMANDS",
    "LEGACY_COMMANDS",
    "NOT_SIMULATED",
    "NO_REPLY",
    "RETURN_OCTETS",
    "is_async",
    "parse_command",
    "supported_commands_mask",
    "without_feature",
]

# Words of command names -> why they are out
_NO_HANDLER = {
    "_CIS_": "isochronous channels",
    "_CIG_": "isochronous channels",
    "_BIG_": "isochronous channels",
    "_ISO_": "isochronous channels",
    "HCI_LE_CS_": "channel sounding",
    "SUBRATE": "connection subrating",
    "CONNECTION_RATE": "shorter connection intervals",
    "P_256": "the host has its own P-256",
    "SET_HOST_FEATURE": "no feature of the host's is one that we have",
    "READ_ALL_LOCAL_SUPPORTED_FEATURES": "of a later version than 5.4",
}
# BR/EDR. What stays is what dual-mode hosts insist on before they look at the features: local name, simple pairing
# mode, LE host support, buffer size.
_NO_HANDLER_NAMES = (
    "HCI_WRITE_SCAN_ENABLE",
    "HCI_READ_CLASS_OF_DEVICE",
    "HCI_WRITE_CLASS_OF_DEVICE",
    "HCI_READ_SYNCHRONOUS_FLOW_CONTROL_ENABLE",
    "HCI_WRITE_SYNCHRONOUS_FLOW_CONTROL_ENABLE",
    "HCI_WRITE_EXTENDED_INQUIRY_RESPONSE",
    "HCI_CREATE_CONNECTION",
    "HCI_ACCEPT_CONNECTION_REQUEST",
    "HCI_REMOTE_NAME_REQUEST",
    "HCI_READ_REMOTE_SUPPORTED_FEATURES",
    "HCI_READ_REMOTE_EXTENDED_FEATURES",
    "HCI_ENHANCED_SETUP_SYNCHRONOUS_CONNECTION",
    "HCI_ENHANCED_ACCEPT_SYNCHRONOUS_CONNECTION_REQUEST",
    "HCI_SNIFF_MODE",
    "HCI_EXIT_SNIFF_MODE",
    "HCI_SWITCH_ROLE",
    "HCI_AUTHENTICATION_REQUESTED",
    "HCI_IO_CAPABILITY_REQUEST_REPLY",
    "HCI_IO_CAPABILITY_REQUEST_NEGATIVE_REPLY",
    "HCI_USER_CONFIRMATION_REQUEST_REPLY",
    "HCI_USER_CONFIRMATION_REQUEST_NEGATIVE_REPLY",
    "HCI_USER_PASSKEY_REQUEST_REPLY",
    "HCI_USER_PASSKEY_REQUEST_NEGATIVE_REPLY",
    "HCI_REMOTE_OOB_DATA_REQUEST_REPLY",
    "HCI_REMOTE_OOB_DATA_REQUEST_NEGATIVE_REPLY",
    "HCI_SEND_KEYPRESS_NOTIFICATION",
    "HCI_LINK_KEY_REQUEST_REPLY",
    "HCI_LINK_KEY_REQUEST_NEGATIVE_REPLY",
)


def _left_out(name: str) -> bool:
    return name.removesuffix("_COMMAND") in _NO_HANDLER_NAMES or any(
        word in name for word in _NO_HANDLER
    )


NO_REPLY: int = vars(hci)["HCI_HOST_NUMBER_OF_COMPLETED_PACKETS_COMMAND"]
"""The one command that is not answered (Vol 4 Part E, 7.3.40)."""
NOT_SIMULATED: frozenset[int] = frozenset(
    opcode for opcode, name in hci.HCI_Command.command_names.items() if _left_out(name)
)
"""Opcodes that answer 0x01 although bumble has a handler."""


_HCI: Mapping[str, Any] = vars(hci)  # bumble makes its opcodes and masks without types


def _opcodes(*names: str) -> frozenset[int]:
    return frozenset(_HCI[f"HCI_LE_{name}_COMMAND"] for name in names)


LEGACY_COMMANDS = _opcodes(
    "SET_ADVERTISING_PARAMETERS",
    "SET_ADVERTISING_DATA",
    "SET_SCAN_RESPONSE_DATA",
    "SET_ADVERTISING_ENABLE",
    "SET_SCAN_PARAMETERS",
    "SET_SCAN_ENABLE",
    "CREATE_CONNECTION",
)
"""Commands that may not follow one of the extended ones without a reset (Vol 4 Part E, 3.1.1; reading is harmless)."""
EXTENDED_COMMANDS = _opcodes(
    "SET_EXTENDED_ADVERTISING_PARAMETERS",
    "SET_EXTENDED_ADVERTISING_DATA",
    "SET_EXTENDED_SCAN_RESPONSE_DATA",
    "SET_EXTENDED_ADVERTISING_ENABLE",
    "REMOVE_ADVERTISING_SET",
    "CLEAR_ADVERTISING_SETS",
    "SET_PERIODIC_ADVERTISING_PARAMETERS",
    "SET_PERIODIC_ADVERTISING_DATA",
    "SET_PERIODIC_ADVERTISING_ENABLE",
    "SET_EXTENDED_SCAN_PARAMETERS",
    "SET_EXTENDED_SCAN_ENABLE",
    "EXTENDED_CREATE_CONNECTION",
    "PERIODIC_ADVERTISING_CREATE_SYNC",
    "PERIODIC_ADVERTISING_CREATE_SYNC_CANCEL",
    "PERIODIC_ADVERTISING_TERMINATE_SYNC",
    "SET_ADVERTISING_SET_RANDOM_ADDRESS",
)
"""Commands that may not follow one of the legacy ones without a reset."""


_Feature: Any = hci.LeFeatureMask
FEATURE_COMMANDS: tuple[tuple[int, frozenset[int]], ...] = (
    (_Feature.LE_ENCRYPTION, frozenset(range(0x2019, 0x201C))),
    (_Feature.CONNECTION_PARAMETERS_REQUEST_PROCEDURE, frozenset((0x2020, 0x2021))),
    (_Feature.LE_PING, frozenset((0x0C7B, 0x0C7C))),
    (_Feature.LE_DATA_PACKET_LENGTH_EXTENSION, frozenset((0x2022, 0x2023, 0x2024, 0x202F))),
    (_Feature.LL_PRIVACY, frozenset((*range(0x2027, 0x202F), 0x204E))),
    (_Feature.LE_2M_PHY | _Feature.LE_CODED_PHY, frozenset(range(0x2030, 0x2033))),
    (
        _Feature.LE_EXTENDED_ADVERTISING,
        frozenset((*range(0x2035, 0x203E), *range(0x2041, 0x2044))),
    ),
    (
        _Feature.LE_PERIODIC_ADVERTISING,
        frozenset((*range(0x203E, 0x2041), *range(0x2044, 0x204B), 0x2059)),
    ),
)
"""Feature bits (any of them) -> commands that exist with them only (Vol 4 Part E, 3.1)."""


def without_feature(le_features: int) -> frozenset[int]:
    """Opcodes that a controller with `le_features` does not have."""
    gone: frozenset[int] = frozenset()
    return gone.union(*(opcodes for bits, opcodes in FEATURE_COMMANDS if not le_features & bits))


_LENGTHS: dict[int, int] = {
    _HCI[f"HCI_{name}_COMMAND"]: length
    for name, length in {
        "READ_TRANSMIT_POWER_LEVEL": 3,
        "READ_AUTHENTICATED_PAYLOAD_TIMEOUT": 2,
        "LE_SET_HOST_CHANNEL_CLASSIFICATION": 5,
        "LE_READ_CHANNEL_MAP": 2,
        "LE_ENCRYPT": 32,
        "LE_REMOVE_DEVICE_FROM_RESOLVING_LIST": 7,
        "LE_READ_PEER_RESOLVABLE_ADDRESS": 7,
        "LE_READ_LOCAL_RESOLVABLE_ADDRESS": 7,
        "LE_ADD_DEVICE_TO_PERIODIC_ADVERTISER_LIST": 8,
        "LE_REMOVE_DEVICE_FROM_PERIODIC_ADVERTISER_LIST": 8,
        "LE_CLEAR_PERIODIC_ADVERTISER_LIST": 0,
        "LE_READ_PERIODIC_ADVERTISER_LIST_SIZE": 0,
    }.items()
}
"""Octets of parameters of the commands that bumble has no class for and the controller handles."""
RETURN_OCTETS: dict[int, int] = {
    _HCI[f"HCI_{name}_COMMAND"]: octets
    for octets, names in {
        2: (
            "LE_READ_ADVERTISING_PHYSICAL_CHANNEL_TX_POWER",
            "LE_READ_FILTER_ACCEPT_LIST_SIZE",
            "LE_READ_RESOLVING_LIST_SIZE",
            "LE_READ_NUMBER_OF_SUPPORTED_ADVERTISING_SETS",
            "LE_READ_PERIODIC_ADVERTISER_LIST_SIZE",
            "LE_SET_EXTENDED_ADVERTISING_PARAMETERS",
            "READ_SIMPLE_PAIRING_MODE",
        ),
        3: (
            "READ_LE_HOST_SUPPORT",
            "WRITE_AUTHENTICATED_PAYLOAD_TIMEOUT",
            "LE_LONG_TERM_KEY_REQUEST_REPLY",
            "LE_LONG_TERM_KEY_REQUEST_NEGATIVE_REPLY",
            "LE_REMOTE_CONNECTION_PARAMETER_REQUEST_REPLY",
            "LE_REMOTE_CONNECTION_PARAMETER_REQUEST_NEGATIVE_REPLY",
            "LE_SET_DATA_LENGTH",
            "LE_READ_MAXIMUM_ADVERTISING_DATA_LENGTH",
            "LE_READ_TRANSMIT_POWER",
        ),
        4: ("READ_TRANSMIT_POWER_LEVEL", "READ_RSSI", "LE_READ_BUFFER_SIZE"),
        5: (
            "READ_AUTHENTICATED_PAYLOAD_TIMEOUT",
            "LE_READ_SUGGESTED_DEFAULT_DATA_LENGTH",
            "LE_READ_PHY",
        ),
        7: (
            "READ_BD_ADDR",
            "LE_READ_PEER_RESOLVABLE_ADDRESS",
            "LE_READ_LOCAL_RESOLVABLE_ADDRESS",
            "LE_READ_BUFFER_SIZE_V2",
        ),
        8: ("READ_BUFFER_SIZE", "LE_READ_CHANNEL_MAP"),
        9: (
            "READ_LOCAL_VERSION_INFORMATION",
            "READ_LOCAL_SUPPORTED_FEATURES",
            "LE_READ_LOCAL_SUPPORTED_FEATURES",
            "LE_READ_SUPPORTED_STATES",
            "LE_READ_MAXIMUM_DATA_LENGTH",
            "LE_RAND",
        ),
        11: ("READ_LOCAL_EXTENDED_FEATURES",),
        17: ("LE_ENCRYPT",),
        65: ("READ_LOCAL_SUPPORTED_COMMANDS",),
        249: ("READ_LOCAL_NAME",),
    }.items()
    for name in names
}
"""Octets of return parameters with the status, of commands that return more than that (also with an error)."""
_MASKS: dict[int, int] = _HCI["HCI_SUPPORTED_COMMANDS_MASKS"]
_PADDED = _opcodes("SET_ADVERTISING_DATA", "SET_SCAN_RESPONSE_DATA")
_PADDED_LENGTH = 32


def parse_command(packet: bytes) -> hci.HCI_Command | None:
    """The command in an H4 `packet`; None when its parameters are not what the command has.

    bumble alone takes too long parameters, reads some that are too short as zeros, and raises anything on others.
    """
    parameters = packet[4:]
    try:
        command = hci.HCI_Command.from_bytes(packet)
        kind = type(command)
        if kind is hci.HCI_Command:
            expected = _LENGTHS.get(command.op_code, len(parameters))
        elif command.op_code in _PADDED:
            expected = len(parameters) if parameters[0] < len(parameters) <= _PADDED_LENGTH else -1
        elif "from_parameters" in vars(kind):
            expected = len(kind.from_parameters(parameters).parameters)
        else:
            expected, _ = hci.HCI_Object.dict_and_offset_from_bytes(parameters, 0, kind.fields)
    except Exception:  # noqa: BLE001 # bumble raises six kinds of exception on short or odd parameters
        return None
    return command if expected == len(parameters) else None


def is_async(opcode: int) -> bool:
    """Whether the command is answered with Command Status (else Command Complete)."""
    known = hci.HCI_Command.command_classes.get(opcode)
    return known is not None and issubclass(known, hci.HCI_AsyncCommand)


def supported_commands_mask(opcodes: list[int]) -> bytes:
    """The 64 octets that list `opcodes` (Vol 4 Part E, 6.27)."""
    mask = 0
    for opcode in opcodes:
        mask |= _MASKS.get(opcode, 0)
    return mask.to_bytes(64, "little")
