"""AA-06: lengths of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule
from sim.explain.aware_parts import aware_app, illegal_argument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case, Verdict

PASSPHRASE, PMK, PMKID = (8, 63), (32, 32), (16, 16)


def _judge(case: Case) -> Iterator[Verdict]:
    app = aware_app(case)
    if app is None:
        return
    given = (
        ("passphrase", app.passphrase_octets, PASSPHRASE),
        ("PMK", app.pmk_octets, PMK),
        ("PMKID", app.pmkid_octets, PMKID),
    )
    yield from illegal_argument(
        [
            f"the {what} has {size} octets, {low if low == high else f'{low} to {high}'} are needed"
            for what, size, (low, high) in given
            if size is not None and not low <= size <= high
        ]
    )


RULE = Rule(
    id="AA-06",
    title="key of a data path has the wrong length",
    statement="The passphrase of a data path has 8 to 63 characters, a PMK 32 octets, a PMKID 16.",
    source="AOSP",
    confidence="D",
    profiles=("android-aware",),
    remedy="Use a passphrase of 8 characters or more; a PIN of six digits is for pairing, not for a data path.",
    on="app",
    judge=_judge,
)
