"""What a device may have noted under each name, gathered while it is recomputed."""

from __future__ import annotations

__all__ = ["Pool"]


class Pool:
    """Name -> values in the order in which they were found, each once."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, None]] = {}

    def add(self, name: str, *values: bytes) -> None:
        """Values that the formula of `name` gives."""
        held = self._values.setdefault(name, {})
        held.update(dict.fromkeys(value.hex() for value in values))

    def add_named(self, values: dict[str, bytes]) -> None:
        """One value of each name."""
        for name, value in values.items():
            self.add(name, value)

    def of(self, name: str) -> list[str]:
        """Values of a name, as hex."""
        return list(self._values.get(name, ()))

    def octets_of(self, name: str) -> list[bytes]:
        """The same as octets."""
        return [bytes.fromhex(value) for value in self.of(name)]
