"""Bonds of one device: keys, subscriptions and own identity, in memory or in a file that only its owner may read.

Core 5.4 Vol 3 Part H 2.4 (keys), Part G 3.3.3.3 (a bonded client's CCCDs are kept). Rules of the file:
* A bond is found by identity address and its type; the file holds octets as hex in the order of bumble's JSON.
* The file is replaced as a whole, with mode 0600 before the first octet of a key is in it.
* Own identity address and IRK are kept with the bonds: a bond is worthless to a device with another identity.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from bumble.keys import KeyStore, PairingKeys

from protocols.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BondStore"]

_MODE = 0o600


class BondStore(KeyStore):  # type: ignore[misc]  # bumble is untyped here
    """Bonds by identity ("AA:BB:CC:DD:EE:FF", with "/P" when public). `path` None keeps them in memory."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.identity: dict[str, str] = {}
        """own `address`, `kind` and `irk`, as text."""
        self.subscriptions: dict[str, dict[str, str]] = {}
        """peer -> "service/characteristic" -> CCCD as hex."""
        self._bonds: dict[str, dict[str, Any]] = {}
        if path is not None and path.exists():
            self._load(path)

    def _load(self, path: Path) -> None:
        try:
            plain = json.loads(path.read_text(encoding="utf-8"))
            self.identity = dict(plain["identity"])
            self.subscriptions = {name: dict(one) for name, one in plain["subscriptions"].items()}
            self._bonds = {name: dict(one) for name, one in plain["bonds"].items()}
            for one in self._bonds.values():
                PairingKeys.from_dict(one)
        except OSError as exc:
            raise UsageError(f"bonds {path}: {exc.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise UsageError(
                f"bonds {path}: is no file of bonds ({type(exc).__name__}: {exc}); delete it to begin anew"
            ) from None

    def save(self) -> None:
        """Write the file. Raises UsageError when that is impossible."""
        if self.path is None:
            return
        plain = {
            "identity": self.identity,
            "bonds": self._bonds,
            "subscriptions": self.subscriptions,
        }
        text = json.dumps(plain, indent=2, sort_keys=True) + "\n"
        fresh = self.path.with_name(self.path.name + ".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(
                os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE), "w"
            ) as file:
                os.fchmod(file.fileno(), _MODE)
                file.write(text)
            fresh.replace(self.path)
        except OSError as exc:
            raise UsageError(f"bonds {self.path}: {exc.strerror}") from None

    # As bumble asks for them

    async def get(self, name: str) -> PairingKeys | None:
        """Keys of the bond with identity `name`."""
        return self.keys_of(name)

    async def get_all(self) -> list[tuple[str, PairingKeys]]:
        """All bonds, oldest first."""
        return [(name, PairingKeys.from_dict(one)) for name, one in self._bonds.items()]

    async def update(self, name: str, keys: PairingKeys) -> None:
        """Store a bond in place of an older one with the same identity."""
        self._bonds.pop(name, None)
        self._bonds[name] = keys.to_dict()
        self.save()

    async def delete(self, name: str) -> None:
        """Remove a bond and what belongs to it."""
        self._bonds.pop(name, None)
        self.subscriptions.pop(name, None)
        self.save()

    async def get_resolving_keys(self) -> list[tuple[bytes, Any]]:
        """(IRK, identity address) of the bonds; an IRK of zeros resolves nothing."""
        return [(irk, address) for irk, address in await super().get_resolving_keys() if any(irk)]

    # As we ask for them

    def keys_of(self, name: str) -> PairingKeys | None:
        """Keys of the bond with identity `name`."""
        plain = self._bonds.get(name)
        return None if plain is None else PairingKeys.from_dict(plain)

    def names(self) -> list[str]:
        """Identities, oldest bond first."""
        return list(self._bonds)

    def remember(self, name: str, characteristic: str, cccd: bytes) -> None:
        """Keep a subscription of a bonded peer."""
        self.subscriptions.setdefault(name, {})[characteristic] = cccd.hex()
        self.save()
