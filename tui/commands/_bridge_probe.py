"""`nearbench bridge probe`: what is behind a moniker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.commands._bench_options import say
from tui.output import document, hanging

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from hw_bridge.identify import Facts
    from hw_bridge.probe import ProbeReport

SUMMARY = "what is behind a moniker: who it is, what it lacks, what to use it with"
EXAMPLE = """  nearbench bridge probe serial:/dev/ttyACM0
  nearbench bridge probe usb:0 --json"""
_COLUMN = 14
CORE_VERSIONS = {
    6: "4.0",
    7: "4.1",
    8: "4.2",
    9: "5.0",
    10: "5.1",
    11: "5.2",
    12: "5.3",
    13: "5.4",
    14: "6.0",
}
"""HCI version -> Core Specification (Assigned Numbers 2.1)."""
_FEATURES = {
    0: "encryption", 5: "data length extension", 6: "controller privacy", 8: "2M PHY", 11: "coded PHY",
    12: "extended advertising", 13: "periodic advertising", 14: "channel selection #2",
}  # fmt: skip
"""LE feature bit (Vol 6 Part B 4.6) -> what a bench wants to know of."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument(
        "moniker", help="serial:, usb:, tcp-client: ... (`nearbench list transports`)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(options: argparse.Namespace) -> int:
    """0 a controller answers, 1 nothing does, not to the end, or something that is no controller."""
    from hw_bridge.probe import probe
    from hw_bridge.running import run_real

    reports: list[ProbeReport] = []

    async def ask() -> None:
        reports.append(await probe(options.moniker, tell=say))

    run_real(ask())
    if not reports:
        raise KeyboardInterrupt  # stopped by a signal; the dongle is closed
    found = reports[0]
    if options.json:
        print(document(_plain(found)))
    else:
        for text in lines(found):
            print(text)
    return 0 if found.is_controller else 1


def _plain(found: ProbeReport) -> dict[str, Any]:
    import msgspec

    plain = msgspec.to_builtins(found, enc_hook=repr, builtin_types=(bytes,))
    if found.facts is not None:
        plain["facts"]["commands"] = found.facts.commands.hex()
    return dict(plain)


def lines(found: ProbeReport) -> list[str]:
    """The report for people; it can be pasted into a bug report."""
    rows = [("moniker", found.moniker), ("verdict", found.verdict), *_device(found)]
    if found.facts is not None:
        rows += _facts(found.facts)
        rows.append(("round trip", f"{found.p50_us} µs (95 % below {found.p95_us} µs)"))
        rows.append(("can", "; ".join(found.can) or "nothing that helps here"))
        rows += [("cannot", "; ".join(found.cannot))] if found.cannot else []
        rows.append(("missing", _missing(found, found.facts)))
    if found.skipped_octets:
        rows.append(("skipped", f"{found.skipped_octets} octets that were no HCI packets"))
    if found.quirk is not None:
        rows.append(("quirk", f"{found.quirk.name}: {found.quirk.note}".rstrip(": ")))
        rows += [("", found.quirk.link)] if found.quirk.link else []
    rows += [("hint", hint) for hint in found.hints]
    if not found.speaks:
        rows += list(_attempts(found))
    return [text for name, value in rows for text in hanging(f"{name:<{_COLUMN}}", value)]


def _missing(found: ProbeReport, facts: Facts) -> str:
    none = "no command that is needed" if any(facts.commands) else "not known: it lists no commands"
    return ", ".join(found.missing) or none


def _device(found: ProbeReport) -> Iterator[tuple[str, str]]:
    info = found.info
    if info.vid is not None:
        serial = f", serial {info.serial}" if info.serial else ""
        release = "" if info.bcd_device is None else f", release {info.bcd_device:#06x}"
        yield (
            "device",
            f"{info.product} ({info.vid:04x}:{info.pid or 0:04x}{serial}{release})".strip(),
        )
    if info.location:
        yield "port", info.location


def _facts(facts: Facts) -> list[tuple[str, str]]:
    from protocols.data.companies import company_name

    maker = company_name(facts.manufacturer) or f"company {facts.manufacturer:#06x}"
    core = CORE_VERSIONS.get(facts.hci_version, f"version {facts.hci_version}")
    address = facts.address if facts.has_address else "none of its own; a random one is needed"
    features = [name for bit, name in _FEATURES.items() if facts.le_features >> bit & 1]
    (packets, octets), sets = facts.buffers.le, facts.advertising_sets
    if not packets:
        packets, octets = facts.buffers.br
    return [
        ("maker", f"{maker}, LMP subversion {facts.lmp_subversion:#06x}"),
        ("Bluetooth", f"{core} (HCI revision {facts.hci_revision:#06x})"),
        ("address", address),
        ("LE features", ", ".join(features) or "none beyond Bluetooth 4.0"),
        ("buffers", f"{packets} ACL packets of {octets} octets" if packets else "it does not tell"),
        ("advertising", f"{sets} sets, {facts.max_advertising_octets} octets of data at most"),
        *([("refused", ", ".join(facts.refused))] if facts.refused else []),
        *([("no answer", ", ".join(facts.unanswered))] if facts.unanswered else []),
    ]


def _attempts(found: ProbeReport) -> Iterator[tuple[str, str]]:
    for each in found.attempts:
        heard = f"; heard {each.heard}" if each.heard else "; heard nothing"
        yield "tried", f"{each.options or 'as written'}: {each.outcome}{heard}"
