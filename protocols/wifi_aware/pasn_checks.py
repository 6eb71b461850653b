"""What a PASN frame of a Wi-Fi Aware pairing must hold, each check with the status that answers its failure.

IEEE 802.11az-2022, PASN; IEEE 802.11-2020 12.4 (SAE); digest of pairing, sections 2, 3.5, 6.3 and 6.5, as in hostap
src/pasn and src/nan/nan_pairing.c. Rule: reading raises `PasnError`, nothing else; its `status` is the status code.

PasnError                      1: unspecified
├── IgnoredError               the frame is passed over, nothing answers it
├── RsneError                  72
├── ParametersError            38
├── GroupError                 77, answered with the groups that are taken
├── PmkidError                 53
├── PasswordIdentifierError    123
├── PublicKeyRefusedError      136 for its form, otherwise 1
├── MismatchError              1: confirm or MIC, the peer has another password or key
└── RejectedError              the status that the peer sent

No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from protocols.errors import DecodeError, RemoteProtocolError
from protocols.wifi_aware import elements, frames, p_curves
from protocols.wifi_aware.elements.pasn_parameters import PasnParameters
from protocols.wifi_aware.elements.rsne import Rsne
from protocols.wifi_aware.kinds import PASN
from protocols.wifi_aware.pasn_frames import AKMS, NO_GROUP_TRAFFIC, PAIRWISE
from protocols.wifi_aware.vocabulary import UNSET

if TYPE_CHECKING:
    from protocols.wifi_aware.attributes.cipher_suite_information import CipherSuiteInformation
    from protocols.wifi_aware.attributes.device_capability_extension import (
        DeviceCapabilityExtension,
    )
    from protocols.wifi_aware.attributes.identity_resolution import IdentityResolution
    from protocols.wifi_aware.heard import Heard
    from protocols.wifi_aware.keys import Akm, Suite
    from protocols.wifi_aware.sae_messages import SaeMessage

__all__ = [
    "GroupError", "IgnoredError", "Message", "MismatchError", "ParametersError", "PasnError", "PasswordIdentifierError",
    "PmkidError", "PublicKeyRefusedError", "RejectedError", "RsneError", "akm_of", "check_group", "check_npkid",
    "check_rsne", "commit_of", "confirm_of",
]  # fmt: skip

_COMMIT, _CONFIRM = 1, 2
_HASH_TO_ELEMENT = 126
_IDENTIFIER_EXTENSION = "21"
"""ID extension of a container with a password identifier, as hex."""


class PasnError(RemoteProtocolError):
    """A check failed; `status` is what answers it."""

    code: ClassVar[int] = 1

    @property
    def status(self) -> int:
        """802.11 status."""
        return type(self).code


class IgnoredError(PasnError):
    """A frame that is passed over in silence."""


class RsneError(PasnError):
    """RSNE missing or malformed, or not what was agreed on."""

    code: ClassVar[int] = 72


class ParametersError(PasnError):
    """PASN Parameters missing or malformed, or without key."""

    code: ClassVar[int] = 38


class GroupError(PasnError):
    """Another group than that of the suite."""

    code: ClassVar[int] = 77


class PmkidError(PasnError):
    """The identity that the peer shows is not the one that is known."""

    code: ClassVar[int] = 53


class PasswordIdentifierError(PasnError):
    """A password identifier; no password here has one."""

    code: ClassVar[int] = 123


class MismatchError(PasnError):
    """Confirm or MIC are those of another password or key, or the frame was changed on its way."""


class PublicKeyRefusedError(PasnError):
    """A public key that cannot be used."""

    def __init__(self, status: int, message: str) -> None:
        self._status = status
        super().__init__(message)

    @property
    def status(self) -> int:
        """136 for its form, otherwise 1."""
        return self._status


class RejectedError(PasnError):
    """The peer sent a status other than 0; nothing proves that it was the peer."""

    def __init__(self, status: int, transaction: int) -> None:
        self._status = status
        super().__init__(f"frame {transaction} of the peer has status {status}")

    @property
    def status(self) -> int:
        """As received."""
        return self._status


class Message:
    """An Authentication frame of a pairing. Raises IgnoredError when it is none, or its attributes are malformed."""

    def __init__(self, heard: Heard, own_nmi: str) -> None:
        frame: Any = heard.frame
        if not isinstance(frame, frames.Authentication) or frame.algorithm != PASN:
            raise IgnoredError("no PASN authentication")
        if frame.destination != own_nmi:
            raise IgnoredError(f"sent to {frame.destination}, not to the NMI")
        if not any(element.name == "nan" for element in frame.elements):
            raise IgnoredError("no NAN element: not a pairing")
        try:
            self.attributes = frame.nan_attributes
        except DecodeError as exc:
            raise IgnoredError(f"NAN attributes are malformed: {exc}") from exc
        self.heard = heard
        self.frame = frame
        self.body = heard.body

    @property
    def source(self) -> str:
        """NMI of the sender."""
        return self.frame.source

    @property
    def transaction(self) -> int:
        """1, 2 or 3."""
        return self.frame.transaction

    @property
    def status(self) -> int:
        """0 unless the sender refuses."""
        return self.frame.status

    def element(self, name: str) -> elements.Element | None:
        """The first element of that name."""
        return next((one for one in self.frame.elements if one.name == name), None)

    def attribute(self, name: str) -> Any:
        """Typed fields of the first attribute of that name, None without one. Raises IgnoredError."""
        found = next((one for one in self.attributes if one.name == name), None)
        try:
            return None if found is None else found.fields
        except DecodeError as exc:
            raise IgnoredError(f"attribute {name} is malformed: {exc}") from exc

    def suites(self) -> tuple[int, ...]:
        """CSIDs of the CSIA. Raises IgnoredError when there is none."""
        found: CipherSuiteInformation | None = self.attribute("cipher_suite_information")
        if found is None:
            raise IgnoredError("no Cipher Suite Information attribute")
        return tuple(one.suite for one in found.suites)

    def publish_id(self) -> int:
        """Publish ID of the first suite. Raises IgnoredError."""
        found: CipherSuiteInformation | None = self.attribute("cipher_suite_information")
        return found.suites[0].publish_id if found is not None and found.suites else 0

    def nira(self) -> IdentityResolution | None:
        """The identity that it shows. Raises IgnoredError."""
        found: IdentityResolution | None = self.attribute("identity_resolution")
        return found

    def caching(self) -> bool | None:
        """Whether its DCEA says that keys are cached, None without one. Raises IgnoredError."""
        found: DeviceCapabilityExtension | None = self.attribute("device_capability_extension")
        return None if found is None else found.npk_nik_caching

    def rsne(self) -> Rsne:
        """The RSNE. Raises RsneError."""
        found = self._fields("rsne", RsneError)
        if not isinstance(found, Rsne):
            raise RsneError("no RSNE")
        return found

    def parameters(self) -> PasnParameters:
        """The PASN Parameters. Raises ParametersError."""
        found = self._fields("pasn_parameters", ParametersError)
        if not isinstance(found, PasnParameters):
            raise ParametersError("no PASN Parameters")
        return found

    def public_key(self) -> tuple[int, bytes]:
        """Group and ephemeral public key. Raises ParametersError."""
        found = self.parameters()
        if found.group is UNSET or found.public_key is UNSET:
            raise ParametersError("PASN Parameters have no key")
        return found.group, bytes.fromhex(found.public_key)

    def sae(self) -> list[SaeMessage]:
        """The SAE messages of the Wrapped Data. Raises PasnError."""
        found = self._fields("wrapped_data", PasnError)
        if found is None or found.messages is UNSET:
            raise PasnError("no SAE message in Wrapped Data")
        messages: list[SaeMessage] = found.messages
        return messages

    def groups(self) -> tuple[int, ...] | None:
        """Supported Groups, None without the element. Raises PasnError."""
        found = self._fields("supported_groups", PasnError)
        return None if found is None else tuple(found.groups)

    def mic(self) -> tuple[bytes, bytes]:
        """The MIC, and the body with zeros in its place. Raises PasnError unless there is one MIC element."""
        start = 6
        run = elements.scan(self.body, start, len(self.body))
        places = [
            (element, at)
            for element, at in zip(run.found, run.starts, strict=True)
            if element.name == "mic"
        ]
        if len(places) != 1:
            raise PasnError(f"{len(places)} MIC elements, needs one")
        element, at = places[0]
        first = at + elements.HEADER
        end = first + len(element.octets)
        zeroed = self.body[:first] + bytes(end - first) + self.body[end:]
        return element.octets, zeroed

    def _fields(self, name: str, error: type[PasnError]) -> Any:
        found = self.element(name)
        try:
            return None if found is None else found.fields
        except DecodeError as exc:
            raise error(f"{name} is malformed: {exc}") from exc


def check_rsne(rsne: Rsne, suite: Suite, akm: Akm) -> None:
    """Suite, AKM, protection of management frames and PMKIDs. Raises RsneError that names the first fault."""
    wanted: dict[str, tuple[Any, Any]] = {
        "pairwise cipher": (rsne.pairwise_ciphers, [PAIRWISE[suite.cipher]]),
        "AKM": (rsne.akms, [AKMS[akm]]),
        "group data cipher": (rsne.group_data_cipher, NO_GROUP_TRAFFIC),
        "group management cipher": (rsne.group_management_cipher, NO_GROUP_TRAFFIC),
    }
    for name, (got, expected) in wanted.items():
        if got != expected:
            told = "missing" if got is UNSET else got
            raise RsneError(f"RSNE: {name} is {told}, expected {expected}")
    bits = rsne.capabilities
    if bits is UNSET or not (bits.mfp_required and bits.mfp_capable):
        raise RsneError("RSNE: protection of management frames is not both required and capable")
    if rsne.pmkids is not UNSET and len(rsne.pmkids) > 1:
        raise RsneError(f"RSNE: {len(rsne.pmkids)} PMKIDs, one at most")


def akm_of(rsne: Rsne) -> Akm:
    """AKM of an RSNE that asks for a pairing. Raises RsneError when it has none, or another one."""
    names: dict[str, Akm] = {selector: name for name, selector in AKMS.items()}
    found = () if rsne.akms is UNSET else rsne.akms
    if len(found) != 1 or found[0] not in names:
        raise RsneError(f"RSNE: AKMs {', '.join(found) or 'missing'} are no pairing's")
    return names[found[0]]


def check_group(message: Message, group: int) -> bytes:
    """The public key, in that group. Raises ParametersError, GroupError."""
    found, key = message.public_key()
    if found != group:
        raise GroupError(f"group {found}, the suite has {group}")
    return key


def check_npkid(message: Message, nik: bytes) -> None:
    """NIRA and PMKID of a verification are those of that identity key. Raises PmkidError."""
    from protocols.wifi_aware.matching import nira_tag

    nira = message.nira()
    if nira is None or nira.nonce is UNSET or nira.tag is UNSET:
        raise PmkidError("no NIRA of cipher version 0")
    nonce = bytes.fromhex(nira.nonce)
    if nira_tag(nik, message.source, nonce).hex() != nira.tag:
        raise PmkidError("the NIRA is not that of the stored identity")
    pmkids = message.rsne().pmkids
    if pmkids is UNSET or pmkids != [nira.nonce + nira.tag]:
        raise PmkidError("the PMKID of the RSNE is not nonce and tag of the NIRA")


def commit_of(messages: list[SaeMessage], group: int) -> tuple[bytes, bytes]:
    """Scalar and element (x and y) of a commit that can be used. Raises PasnError."""
    found = messages[0] if messages else None
    if found is None or found.transaction != _COMMIT or found.status != _HASH_TO_ELEMENT:
        raise PasnError("no SAE commit by hash to element")
    containers = () if found.containers is UNSET else found.containers
    if any(one.octets.startswith(_IDENTIFIER_EXTENSION) for one in containers):
        raise PasswordIdentifierError("the SAE commit names a password identifier")
    parts = (found.scalar, found.element_x, found.element_y)
    if found.group != group or UNSET in parts:
        raise PasnError(f"SAE commit of group {found.group}, the suite has {group}")
    scalar, x, y = (bytes.fromhex(str(part)) for part in parts)
    curve = p_curves.curve_of(group)
    if not 1 < int.from_bytes(scalar, "big") < curve.q:
        raise PasnError("SAE scalar out of range")
    if not curve.holds((int.from_bytes(x, "big"), int.from_bytes(y, "big"))):
        raise PasnError("SAE element is no point of the curve")
    return scalar, x + y


def confirm_of(messages: list[SaeMessage]) -> tuple[int, bytes]:
    """Send-confirm counter and confirm, the last message. Raises PasnError."""
    found = messages[-1] if messages else None
    if (
        found is None
        or found.transaction != _CONFIRM
        or found.send_confirm is UNSET
        or found.confirm is UNSET
    ):
        raise PasnError("no SAE confirm")
    return found.send_confirm, bytes.fromhex(found.confirm)
