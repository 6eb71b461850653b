"""CPU time of one pairing's cryptography, with one ECDH on P-256 as `openssl speed` counts it as the unit.

    python tests/bench/bench_pairing_crypto.py [SECONDS]

A pairing is both sides in one thread: with a password the commits, their processing and the confirms (the password
element is made before, once for all); in any case two ephemeral keys, two shared secrets, PTK and the MICs of Auth2
and Auth3, made by one side and checked by the other. Every pairing has draws of its own, made before the clock
starts. Goals: 28 units with SAE on P-256, 8 without; the median of the rounds counts. Without `openssl` the unit is
one ECDH of `cryptography`, and the goals are not judged.
"""

from __future__ import annotations

import itertools
import random
import re
import shutil
import statistics
import subprocess
import sys
import time

from cryptography.hazmat.primitives.asymmetric import ec

from protocols.wifi_aware import keys
from protocols.wifi_aware.p_curves import CURVES
from protocols.wifi_aware.sae import Sae, password_element

ROUNDS = 5
A, B = "02:00:5e:10:a0:01", "02:00:5e:20:b0:01"
AUTH1, SECURITY, AUTH2, AUTH3 = bytes(200), bytes(52), bytes(307), bytes(93)
"""As long as those of a pairing with a password on P-256 are."""
GOALS = {"pairing with SAE, P-256": 28, "opportunistic pairing, P-256": 8}


def draws(group):
    """Endless scalars of a group."""
    chance, curve = random.Random(group), CURVES[group]
    while True:
        yield chance.randrange(2, curve.q).to_bytes(curve.octets, "big")


def pasn(group, pmk, private, csid, akm):
    """Two ephemeral keys, PTK on both sides, both MICs made and checked."""
    publics = [keys.ecdh_public(group, each) for each in private]
    for own, peer in ((0, 1), (1, 0)):
        dhss = keys.ecdh_shared(group, private[own], publics[peer])
        found = keys.pasn_keys(pmk, B, A, dhss, csid=csid, akm=akm)
        hashed = keys.auth1_hash(AUTH1, csid=csid, akm=akm)
        keys.pasn_mic(found.kck, A, B, SECURITY, AUTH2, csid=csid, akm=akm)
        keys.pasn_mic(found.kck, B, A, hashed, AUTH3, csid=csid, akm=akm)


def with_password(group, pt, csid, drawn):
    """A pairing with SAE."""
    one, two = Sae(pt, A, B, *drawn[:2]), Sae(pt, B, A, *drawn[2:4])
    one.process(two.scalar, two.element)
    two.process(one.scalar, one.element)
    if one.confirm() != two.expected_confirm() or two.confirm() != one.expected_confirm():
        raise RuntimeError("the sides do not agree")
    pasn(group, one.pmk, drawn[4:6], csid, "sae")


def opportunistic(group, _pt, csid, drawn):
    """A pairing without a password."""
    pasn(group, keys.OPPORTUNISTIC_PMK, drawn[:2], csid, "pasn")


def pasn_only(group, _pt, csid, drawn):
    """What SAE comes on top of."""
    pasn(group, bytes(32), drawn[:2], csid, "sae")


def cost_us(function, group, csid, seconds):
    """Median CPU time of one call."""
    pt = password_element(group, b"492137")
    stream = draws(group)
    function(
        group, pt, csid, list(itertools.islice(stream, 6))
    )  # imports and the point's own table
    per_round = []
    for _ in range(ROUNDS):
        count, spent = 0, 0.0
        while spent < seconds / ROUNDS:
            batch = [list(itertools.islice(stream, 6)) for _ in range(20)]
            start = time.process_time()
            for drawn in batch:
                function(group, pt, csid, drawn)
            spent += time.process_time() - start
            count += len(batch)
        per_round.append(spent / count * 1e6)
    return statistics.median(per_round)


def element_us(group, seconds):
    """Median CPU time of making a password element."""
    per_round = []
    for _ in range(ROUNDS):
        count, start = 0, time.process_time()
        while time.process_time() - start < seconds / ROUNDS:
            password_element(group, b"%06d" % count)
            count += 1
        per_round.append((time.process_time() - start) / count * 1e6)
    return statistics.median(per_round)


def openssl_us():
    """CPU time of one ECDH as `openssl speed` counts it, None without it."""
    program = shutil.which("openssl")
    if program is None:
        return None
    found = subprocess.run(
        [program, "speed", "-seconds", "1", "ecdhp256"], capture_output=True, text=True, check=True
    )
    rate = re.search(r"ecdh \(nistp256\)\s+\S+\s+([\d.]+)", found.stdout)
    return None if rate is None else 1e6 / float(rate.group(1))


def exchange_us():
    """CPU time of one ECDH of `cryptography`, keys given."""
    curve = ec.SECP256R1()
    own, peer = (
        ec.derive_private_key(12345, curve),
        ec.derive_private_key(54321, curve).public_key(),
    )
    start = time.process_time()
    for _ in range(2000):
        own.exchange(ec.ECDH(), peer)
    return (time.process_time() - start) / 2000 * 1e6


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    units = [openssl_us(), exchange_us()]
    found = {
        "pairing with SAE, P-256": cost_us(with_password, 19, 7, seconds),
        "opportunistic pairing, P-256": cost_us(opportunistic, 19, 7, seconds),
        "PASN part alone, P-256": cost_us(pasn_only, 19, 7, seconds),
        "password element, P-256": element_us(19, seconds),
        "pairing with SAE, P-384": cost_us(with_password, 20, 8, seconds),
        "opportunistic pairing, P-384": cost_us(opportunistic, 20, 8, seconds),
        "password element, P-384": element_us(20, seconds),
    }
    units.append(openssl_us())  # the machine may have slowed down meanwhile
    judged = [unit for unit in (units[0], units[2]) if unit is not None]
    unit = statistics.mean(judged) if judged else units[1]
    what = "openssl speed ecdhp256" if judged else "cryptography's ECDH (openssl: not installed)"
    print(f"unit: {what}, {unit:.1f} us; cryptography's own ECDH {units[1] / unit:.2f} units")
    missed = False
    for name, cost in found.items():
        goal = GOALS.get(name) if judged else None
        verdict = (
            "" if goal is None else f"   goal {goal}: {'met' if cost / unit <= goal else 'MISSED'}"
        )
        missed |= "MISSED" in verdict
        print(f"{name:30} {cost:9.1f} us   {cost / unit:6.1f} units{verdict}")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
