"""Known answers of single functions: every entry of `wifi-aware-crypto.json`, and of a user's file of that form.

An entry holds inputs and outputs under the names of the recordings; the outputs are computed from the inputs. What
an entry holds beyond that is no input and no output that this file knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from protocols.errors import NearbenchError, UsageError
from protocols.wifi_aware import key_data, keys, p_curves, sae
from protocols.wifi_aware.matching import nira_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from protocols.wifi_aware.keys import Akm

__all__ = ["FUNCTIONS", "Entry", "Output", "outputs_of"]

_CSID_OF = {"CCMP": 7, "GCMP-256": 8}
_AKM_OF: dict[str, Akm] = {"SAE": "sae", "PASN": "pasn"}
_HASH_NAMES = {"sha256": "SHA-256", "sha384": "SHA-384"}
Output = Any
"""An output as the file writes it: hex, text, or a list of hex."""


class Entry:
    """Members of one entry, each of the form that is asked for; `asked` notes which were inputs."""

    def __init__(self, members: dict[str, Any]) -> None:
        self.members = members
        self.asked: set[str] = set()

    def text(self, name: str) -> str:
        """Raises UsageError when it is missing or no text."""
        self.asked.add(name)
        value = self.members.get(name)
        if not isinstance(value, str):
            raise UsageError(f"{name} is {'missing' if value is None else 'no text'}")
        return value

    def octets(self, name: str) -> bytes:
        """Hex. Raises UsageError."""
        try:
            return bytes.fromhex(self.text(name))
        except ValueError:
            raise UsageError(f"{name} is no hex") from None

    def number(self, name: str) -> int:
        """Raises UsageError when it is missing or no number."""
        self.asked.add(name)
        value = self.members.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise UsageError(f"{name} is {'missing' if value is None else 'no whole number'}")
        return value

    def mac(self, name: str) -> str:
        """An address. Raises UsageError."""
        text = self.text(name)
        parts = text.split(":")
        if len(parts) != 6 or any(len(part) != 2 for part in parts):
            raise UsageError(f"{name} is no address such as 02:00:5e:10:a0:01")
        return text

    def one_of(self, name: str, known: dict[str, Any]) -> Any:
        """What a word stands for. Raises UsageError."""
        word = self.text(name)
        if word not in known:
            raise UsageError(f"{name} is {word!r}; known: {', '.join(known)}")
        return known[word]


def outputs_of(kind: str, members: Any) -> tuple[dict[str, Output], list[str]]:
    """Outputs of an entry by name, and its members that are neither input nor output.

    Raises UsageError for an entry whose inputs are missing or of another form.
    """
    if not isinstance(members, dict):
        raise UsageError("is no object")
    entry = Entry(cast("dict[str, Any]", members))
    try:
        outputs = dict(FUNCTIONS[kind](entry))
    except NearbenchError as exc:
        raise UsageError(str(exc)) from exc
    except ValueError as exc:  # from a library, of octets of another length
        raise UsageError(f"cannot be computed: {exc}") from exc
    return outputs, [
        name for name in entry.members if name not in outputs and name not in entry.asked
    ]


# --- one function per array -------------------------------------------------------------------------


def _sae_pt(entry: Entry) -> Iterator[tuple[str, Output]]:
    group = entry.number("group")
    curve = p_curves.curve_of(group)

    def hexed(*numbers: int) -> list[str]:
        return [number.to_bytes(curve.octets, "big").hex() for number in numbers]

    seed = sae.password_seed(group, entry.text("password").encode(), entry.text("ssid").encode())
    values = sae.password_values(group, seed)
    u1, u2 = sae.password_numbers(group, values)
    one, two = p_curves.sswu(curve, u1), p_curves.sswu(curve, u2)
    pt = p_curves.add(curve, one, two)
    hashed = sae.address_hash(group, entry.mac("addr1"), entry.mac("addr2"))
    factor = sae.address_scalar(group, hashed)
    pwe = p_curves.multiply(curve, factor, pt)
    yield "pwd_seed", seed.hex()
    yield from zip(("pwd_value_1", "pwd_value_2"), (value.hex() for value in values), strict=True)
    yield from zip(("u1", "u2"), hexed(u1, u2), strict=True)
    yield from (("p1", hexed(*one)), ("p2", hexed(*two)))
    yield from zip(("pt_x", "pt_y"), hexed(*(pt or ())), strict=False)
    yield from (("pwe_hash", hashed.hex()), ("pwe_val", hexed(factor)[0]))
    yield from zip(("pwe_x", "pwe_y"), hexed(*(pwe or ())), strict=False)


def _nira(entry: Entry) -> Iterator[tuple[str, Output]]:
    yield "tag", nira_tag(entry.octets("nik"), entry.mac("nmi"), entry.octets("nonce")).hex()


def _nd_pmk_passphrase(entry: Entry) -> Iterator[tuple[str, Output]]:
    passphrase, service = entry.text("passphrase").encode(), entry.octets("service_id").hex()
    nmi, csid = entry.mac("publisher_nmi"), entry.number("csid")
    yield "nd_pmk", keys.nd_pmk_of_passphrase(passphrase, csid, service, nmi).hex()


def _ndp_pmkid(entry: Entry) -> Iterator[tuple[str, Output]]:
    nmis = entry.mac("initiator_nmi"), entry.mac("responder_nmi")
    service, csid = entry.octets("service_id").hex(), entry.number("csid")
    yield "pmkid", keys.nd_pmkid(entry.octets("nd_pmk"), *nmis, service, csid).hex()


def _ndp_ptk(entry: Entry) -> Iterator[tuple[str, Output]]:
    ndis = entry.mac("initiator_ndi"), entry.mac("responder_ndi")
    nonces = entry.octets("initiator_nonce"), entry.octets("responder_nonce")
    found = keys.ndp_keys(entry.octets("nd_pmk"), *ndis, *nonces, entry.number("csid"))
    yield from (("kck", found.kck.hex()), ("kek", found.kek.hex()), ("tk", found.tk.hex()))


def _ndp_mic(entry: Entry) -> Iterator[tuple[str, Output]]:
    data, csid = entry.octets("data"), entry.number("csid")
    yield "mic", keys.ndp_mic(entry.octets("kck"), data, csid).hex()
    yield "auth_token", keys.auth_token(data, csid).hex()


def _kdk_derivations(entry: Entry) -> Iterator[tuple[str, Output]]:
    of_kdk = (
        entry.octets("kdk"), entry.mac("initiator_nmi"), entry.mac("responder_nmi"), entry.number("csid"),
    )  # fmt: skip
    yield "npk_opportunistic", keys.npk_opportunistic(*of_kdk).hex()
    yield "nm_kek", keys.nm_kek(*of_kdk).hex()
    yield "nd_pmk", keys.nd_pmk(*of_kdk).hex()


def _key_wrap(entry: Entry) -> Iterator[tuple[str, Output]]:
    plain = key_data.padded(entry.octets("plain"))
    yield "wrapped", key_data.wrap(entry.octets("kek"), plain).hex()


def _pasn_ptk(entry: Entry) -> Iterator[tuple[str, Output]]:
    csid, akm = entry.one_of("cipher", _CSID_OF), entry.one_of("akm", _AKM_OF)
    nmis = entry.mac("initiator"), entry.mac("responder")
    found = keys.pasn_keys(entry.octets("pmk"), *nmis, entry.octets("dhss"), csid=csid, akm=akm)
    yield from (("kck", found.kck.hex()), ("nm_tk", found.nm_tk.hex()), ("kdk", found.nm_kdk.hex()))
    yield "hash", _HASH_NAMES[keys.pasn_hash(csid, akm)]


FUNCTIONS: dict[str, Callable[[Entry], Iterator[tuple[str, Output]]]] = {
    "sae_pt": _sae_pt,
    "nira": _nira,
    "nd_pmk_passphrase": _nd_pmk_passphrase,
    "ndp_pmkid": _ndp_pmkid,
    "ndp_ptk": _ndp_ptk,
    "ndp_mic": _ndp_mic,
    "kdk_derivations": _kdk_derivations,
    "key_wrap": _key_wrap,
    "pasn_ptk": _pasn_ptk,
}
"""By the name of the array that holds the entries."""
