"""AK-19: the error codes of AccessorySetupKit. The phone carries them out."""

from __future__ import annotations

from sim.explain import Rule

AS_ERRORS = {
    100: "activationFailed",
    150: "connectionFailed",
    200: "discoveryTimeout",
    300: "extensionNotFound",
    400: "invalidated",
    450: "invalidRequest",
    500: "pickerAlreadyActive",
    550: "pickerRestricted",
    700: "userCancelled",
    750: "userRestricted",
}

RULE = Rule(
    id="AK-19",
    title="ASError codes",
    statement="ASError has the codes "
    + ", ".join(f"{code} {name}" for code, name in AS_ERRORS.items())
    + ".",
    source="AccessorySetupKit ASError.h (public SDK header copies)",
    confidence="D; 100 and 150: D†",
    profiles=("ios-ask",),
    stories=("US-14",),
    remedy="Handle 200, 450, 550 and 700 in the app; each has a different cause.",
    on="app",
)
