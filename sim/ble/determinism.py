"""Makes bumble draw its chance from our streams.

bumble 0.0.236 takes addresses, keys, nonces and passkeys from the modules `secrets` and `random`, and elliptic curve
keys from the system by way of `cryptography`. `seeded` puts streams of the run in their place. Rules of the file:
* Only names inside bumble's own modules are replaced; the rest of the process keeps its true randomness.
* What is replaced is given back on exit, also after an exception. Blocks nest; the innermost counts.
* One stream serves all nodes of a run, in the order in which they draw, which virtual time fixes.
"""

from __future__ import annotations

import contextlib
import importlib
from typing import TYPE_CHECKING, Any

import bumble.crypto

if TYPE_CHECKING:
    from collections.abc import Generator

    from sim.rng import Streams

__all__ = ["RANDOM_USERS", "SECRETS_USERS", "STREAM", "seeded"]

STREAM = "crypto/bumble"
SECRETS_USERS = (
    "bumble.controller",
    "bumble.crypto",
    "bumble.crypto.builtin",
    "bumble.device",
    "bumble.hci",
    "bumble.pairing",
)
"""Modules of bumble that have `secrets`."""
RANDOM_USERS = ("bumble.controller",)
"""Modules of bumble that have `random`."""

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class _Secrets:
    """The functions of `secrets` that bumble uses, from `streams`."""

    def __init__(self, streams: Streams) -> None:
        self._stream = streams.stream(STREAM)

    def token_bytes(self, nbytes: int = 32) -> bytes:
        """As `secrets.token_bytes`."""
        return self._stream.randbytes(nbytes)

    def randbelow(self, exclusive_upper_bound: int) -> int:
        """As `secrets.randbelow`."""
        return self._stream.randrange(exclusive_upper_bound)


@contextlib.contextmanager
def seeded(streams: Streams) -> Generator[None]:
    """Inside the block everything random in bumble comes from the stream "crypto/bumble" of `streams`."""
    secrets, stream = _Secrets(streams), streams.stream(STREAM)
    ecc_key: Any = vars(bumble.crypto)["EccKey"]
    replaced: list[tuple[Any, str, Any]] = []

    def generate(_: type[Any]) -> Any:
        private = 1 + stream.randrange(P256_ORDER - 1)
        return ecc_key.from_private_key_bytes(private.to_bytes(32, "big"))

    def replace(owner: Any, name: str, value: Any) -> None:
        replaced.append((owner, name, owner.__dict__[name]))
        setattr(owner, name, value)

    try:
        for module in SECRETS_USERS:
            replace(importlib.import_module(module), "secrets", secrets)
        for module in RANDOM_USERS:
            replace(importlib.import_module(module), "random", stream)
        replace(ecc_key, "generate", classmethod(generate))
        yield
    finally:
        for owner, name, value in reversed(replaced):
            setattr(owner, name, value)
