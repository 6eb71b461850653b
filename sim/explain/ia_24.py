"""IA-24: names that end with _tcp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import aware_app
from sim.explain.parts import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    app, view = aware_app(case), case.view
    if app is None or (view.choice("tcp_names", "accepted") != "trap" and "IA-24" not in view.on):
        return
    names = [
        name
        for name in dict.fromkeys((*app.services, *app.publishing, *app.subscribing))
        if name.endswith("._tcp")
    ]
    if names:
        yield Verdict(
            severity="error",
            evidence=f"{listed(names)} {'ends' if len(names) == 1 else 'end'} with ._tcp",
            short="a service name ends with ._tcp",
            effect="crash",
        )


RULE = Rule(
    id="IA-24",
    title="service name ends with ._tcp",
    statement="One third-party test asserts that the framework traps on a name that ends with ._tcp, while Apple "
    "documents and uses _example-service._tcp.",
    source="text of a third-party test; Apple article on adopting Wi-Fi Aware",
    confidence="O / conflict",
    profiles=("ios-aware",),
    stories=("US-09",),
    remedy="When an app crashes on its service name, try the same name with ._udp.",
    default=False,
    switch='off: the sources contradict each other; on, or with the option tcp_names = "trap" (default "accepted"), '
    "the app crashes",
    on="app",
    judge=_judge,
)
