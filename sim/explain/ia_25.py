"""IA-25: another service name is silence, not an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware.matching import service_id
from sim.explain import Rule, Verdict
from sim.explain.aware_parts import aware_app, is_strangers
from sim.explain.parts import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def near(name: str) -> dict[str, str]:
    """What people publish instead of `name`, with words for it."""
    label = name.removesuffix("._tcp").removesuffix("._udp")
    other = "._udp" if name.endswith("._tcp") else "._tcp"
    bare = label.removeprefix("_")
    return {
        bare: "without underscore and transport",
        label: "without transport",
        f"{bare}{name.removeprefix(label)}": "without underscore",
        f"{label}{other}": "with the other transport",
        f"{name}.": "with a dot behind it",
        f"{name}.local": "with a domain behind it",
        name.replace("_", ""): "without underscores",
    }


def _judge(case: Case) -> Iterator[Verdict]:
    app, service = aware_app(case), case.service
    if app is None or not is_strangers(case):
        return
    names = app.subscribing if service.kind == "publish" else app.publishing
    if not names or service.service_id in map(service_id, names):
        return
    guess = next(
        (
            f"the ID of {other!r}, {name!r} {words}"
            for name in names
            for other, words in near(name).items()
            if service_id(other) == service.service_id
        ),
        "",
    )
    wanted = listed(f"{name} ({service_id(name)})" for name in names)
    yield Verdict(
        severity="error" if guess else "note",
        evidence=f"service ID {service.service_id} is {guess or 'of another name'}; the app is about {wanted}",
        short="another service",
        effect="drop",
        frames=service.frames,
    )


RULE = Rule(
    id="IA-25",
    title="the service has another name",
    statement="A valid but different service name is silence on both sides. The name that is hashed is the whole one, "
    "with underscore and transport; names with dots or of more than 15 characters never match an app of iOS.",
    source="Espressif blog, 2026-08-11; getknit/Knit IOS_PORT_REVIEW.md",
    confidence="D/O",
    profiles=("ios-aware",),
    stories=("US-03", "US-52"),
    remedy="Hash the same string on both sides: the full name as in WiFiAwareServices, for example "
    "_example-service._udp, in small letters.",
    on="aware_service",
    judge=_judge,
)
