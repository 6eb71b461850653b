"""bumble under `seeded`: a pairing is the same to the octet and microsecond in any process."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import bumble
import pytest
from bumble import controller as bumble_controller
from bumble import crypto, hci, pairing

from sim.ble import determinism
from sim.rng import Streams

ECC_KEY: Any = vars(crypto)["EccKey"]
SCRIPT = """
import hashlib, sys
from bumble.pairing import PairingConfig
from bumble_pair import Human, World, configure
from test_pairing_over_air import KEYS, SCREEN, humans, pair
world = World(seed=int(sys.argv[1]), loss=0.1, fading_sigma_db=2.0)
humans(world, KEYS, SCREEN, sc=True)
mine, theirs = pair(world)
assert mine.is_encrypted and theirs.is_encrypted
world.run_s(5)
digest = hashlib.sha256()
for t_us, name, up, packet in world.hci:
    digest.update(f"{t_us} {name} {up} {packet.hex()}\\n".encode())
print(len(world.hci), digest.hexdigest())
world.close()
world.loop.close()
"""


def run(seed: int, hash_seed: str) -> str:
    here = Path(__file__).parent
    path = os.pathsep.join((str(here), str(here.parents[2])))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(seed)],
        env=os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_pairing_is_the_same_in_two_processes() -> None:
    """SC passkey over a lossy, fading air: same HCI octets at the same times; another seed differs."""
    first = run(5, "1")
    assert int(first.split()[0]) > 200
    assert run(5, "2") == first
    assert run(6, "1") != first


def draws() -> list[object]:
    return [
        crypto.r(),
        crypto.generate_prand(),
        bytes(hci.Address.generate_static_address()),
        ECC_KEY.generate().x,
        vars(pairing)["secrets"].randbelow(1_000_000),
        vars(bumble_controller)["random"].getrandbits(64),
    ]


def test_everything_comes_from_the_seed_inside_and_from_the_system_outside() -> None:
    with determinism.seeded(Streams(1)):
        first = draws()
    with determinism.seeded(Streams(1)):
        assert draws() == first
    with determinism.seeded(Streams(2)):
        other = draws()
    assert all(a != b for a, b in zip(first, other, strict=True))
    assert draws() != first
    assert vars(hci)["secrets"] is secrets


def test_what_was_replaced_is_given_back_after_an_exception() -> None:
    generate = vars(ECC_KEY)["generate"]

    def fail() -> None:
        with determinism.seeded(Streams(1)):
            assert vars(hci)["secrets"] is not secrets
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert vars(hci)["secrets"] is secrets
    assert vars(ECC_KEY)["generate"] is generate


def test_blocks_nest() -> None:
    with determinism.seeded(Streams(1)):
        crypto.r()
        with determinism.seeded(Streams(2)):
            inner = crypto.r()
        second = crypto.r()
    with determinism.seeded(Streams(1)):
        crypto.r()
        assert crypto.r() == second
    with determinism.seeded(Streams(2)):
        assert crypto.r() == inner


def test_no_module_of_bumble_has_chance_of_its_own_that_we_do_not_replace() -> None:
    """The lists of modules are those of the pinned version: an upgrade that adds one fails here."""
    root = Path(bumble.__file__).parent
    found: dict[str, list[str]] = {"secrets": [], "random": []}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        if {"apps", "transport", "tools", "drivers", "vendor"} & set(parts):
            continue
        text = path.read_text(encoding="utf-8")
        name = ".".join(parts).removesuffix(".__init__")
        for module, users in found.items():
            if re.search(rf"^\s*(import {module}\b|from {module} import)", text, re.MULTILINE):
                users.append(name)
        assert not re.search(r"\bos\.urandom|\buuid4\(|SystemRandom", text), name
    assert tuple(found["secrets"]) == tuple(sorted(determinism.SECRETS_USERS))
    assert tuple(found["random"]) == tuple(sorted(determinism.RANDOM_USERS))
