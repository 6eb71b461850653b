"""Rules of the phone profiles that no code here carries out, one row each: known, not (yet) simulated.

`documented` ones can be watched for by a reader or wait for a part of the simulation; `not simulated` ones are outside
of it. Data only.
"""

from __future__ import annotations

from sim.explain import On, Rule, Status

__all__ = ["DOCUMENTED", "Row", "rule"]

_ASK, _BLE, _ANDROID = ("ios-ask",), ("ios-ble",), ("android-ble",)
Row = tuple[str, str, str, str, str, Status, On, tuple[str, ...], tuple[str, ...], str]

# id, title, statement, source, confidence, status, subject, profiles, stories, why no code does it
_ROWS: tuple[Row, ...] = (
    (
        "AK-11", "migration of accessories",
        "ASMigrationDisplayItem takes a peripheralIdentifier or hotspotSSID; a picker with migration items only shows an "
        "information screen instead of discovery. Starting a CBCentralManager before the migration is complete makes it fail.",
        "Apple documentation; public notes; WWDC24-10203", "D/D†", "not simulated", "app", _ASK, (),
        "the simulated app has no accessories from before AccessorySetupKit",
    ),
    (
        "AK-17", "SSID accessories",
        "Accessories found by SSID are joined with joinAccessoryHotspot(_:passphrase:) or the variant without security "
        "(iOS 18 and later); the Hotspot Configuration entitlement is still needed.",
        "Apple NEHotspotConfigurationManager; public notes", "D/O", "not simulated", "app", _ASK, (), "Wi-Fi networks are not simulated",
    ),
    (
        "AK-18", "watch apps",
        "On watchOS 26 a companion watch app may use CoreBluetooth with an accessory set up by AccessorySetupKit.",
        "Apple AccessorySetupKit page", "D", "not simulated", "app", _ASK, (), "watches are not simulated",
    ),
    (
        "IB-14", "what an iPhone peripheral can advertise",
        "An iPhone as peripheral advertises only its local name and service UUIDs, no service or manufacturer data.",
        "Knit IOS_PORT_REVIEW.md; CBPeripheralManager", "D", "not simulated", "advert", _BLE, (),
        "the peripheral role of an iPhone is not simulated",
    ),
    (
        "IB-27", "L2CAP channels",
        "The PSM of an L2CAP channel is dynamic: publish it in a characteristic. A channel does not wake a suspended app.",
        "Apple documentation; Apple Developer Forums, thread 746286", "D/O", "not simulated", "link", _BLE, (),
        "the simulated phones open no L2CAP channels",
    ),
    (
        "IB-35", "PIN sheet again and again",
        "After such a failure (IB-34) CoreBluetooth may rediscover the stale identifier and show the PIN sheet repeatedly.",
        "meshtastic/Meshtastic-Apple PR #2346", "O", "documented", "link", _BLE, ("US-18",),
        "nobody published when the sheet comes again; the simulated iPhone ends with CBError 14 (IB-34)",
    ),
    (
        "IB-38", "ANCS and AMS",
        "ANCS and AMS are usable only on a bonded, encrypted link and may be absent at any time; the client must subscribe "
        "to Service Changed.",
        "Apple ANCS specification", "D†", "not simulated", "link", _BLE, (), "the simulated iPhone has no GATT server",
    ),
    (
        "IB-39", "no classic Bluetooth for apps",
        "Apps have no SPP or RFCOMM of Bluetooth Classic; External Accessory needs MFi. The proximity pairing of iOS 26.x is "
        "on system level.",
        "QA1657; MacRumors 2025-12-22", "D/O", "not simulated", "link", _BLE, (), "Bluetooth Classic is not simulated",
    ),
    (
        "AB-08", "passkey with leading zeros",
        "A passkey can work on iOS and fail on Android with the same firmware (a value of four digits shown as an entry of "
        "six).",
        "h2zero/NimBLE-Arduino #232", "O", "documented", "link", _ANDROID, ("US-17",),
        "displays and PIN dialogs of the simulation have six digits; what a dialog makes of four is not published",
    ),
)  # fmt: skip


def rule(row: Row) -> Rule:
    """The rule of a row."""
    identifier, title, statement, source, confidence, status, subject, profiles, stories, why = row
    return Rule(
        id=identifier,
        title=title,
        statement=statement,
        source=source,
        confidence=confidence,
        status=status,
        on=subject,
        profiles=profiles,
        stories=stories,
        default=False,
        switch=f"off: {why}",
    )


DOCUMENTED: tuple[Rule, ...] = tuple(map(rule, _ROWS))
