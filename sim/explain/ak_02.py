"""AK-02: what descriptors use must stand in Info.plist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.ad import uuid_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.app import Descriptor, Plist


def undeclared(descriptor: Descriptor, plist: Plist) -> list[str]:
    """Values of the descriptor that the plist lacks, as "key: value"."""
    services = {uuid_key(uuid) for uuid in plist.services}
    companies = {company.lower().removeprefix("0x").rjust(4, "0") for company in plist.companies}
    missing: list[str] = []
    if descriptor.service and uuid_key(descriptor.service) not in services:
        missing.append(f"NSAccessorySetupBluetoothServices: {descriptor.service}")
    if descriptor.company and descriptor.company.lower().rjust(4, "0") not in companies:
        missing.append(f"NSAccessorySetupBluetoothCompanyIdentifiers: {descriptor.company}")
    if descriptor.name_substring and descriptor.name_substring not in plist.names:
        missing.append(f"NSAccessorySetupBluetoothNames: {descriptor.name_substring}")
    return missing


def _judge(case: Case) -> Iterator[Verdict]:
    app = case.scene.app
    if app.picker is None or app.plist is None or not app.plist.supports:
        return
    missing = [text for one in app.picker.descriptors for text in undeclared(one, app.plist)]
    if missing:
        yield Verdict(
            severity="error",
            evidence=f"not declared in Info.plist: {', '.join(missing)}",
            short=f"not declared in Info.plist: {', '.join(missing)}",
            effect=case.view.options.get("plist_mismatch", "crash"),
        )


RULE = Rule(
    id="AK-02",
    title="descriptor not declared in Info.plist",
    statement="Every service UUID, name substring and company identifier of a descriptor must also be declared in "
    "NSAccessorySetupBluetoothServices, ...Names or ...CompanyIdentifiers; else the app crashes or finds nothing.",
    source='Apple "Discovering and configuring accessories"; plug-in documentation',
    confidence="D",
    profiles=("ios-ask",),
    stories=("US-14",),
    remedy="Declare the value under the key that is named, exactly as the descriptor has it.",
    switch="on; plist_mismatch = crash or no_discovery: the sources have both",
    on="app",
    judge=_judge,
)
