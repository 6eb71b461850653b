"""How a device bootstraps: its methods, its patience, and how it reads the method of a request.

Wi-Fi Aware 4.0, pairing bootstrapping; digest 6 and 8.3. The defaults are what hostap does (src/nan/nan_bootstrap.c);
some of that hangs when a frame is lost, and `PATIENT` is what does not. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from protocols.wifi_aware.timing import SLOT_US, TU_US

__all__ = ["COMPLEMENTS", "PATIENT", "BootstrappingSettings", "comeback_us", "complement"]

COMPLEMENTS = {
    0x0001: 0x0001,
    0x0002: 0x0020, 0x0004: 0x0040, 0x0008: 0x0080, 0x0010: 0x0100,
    0x0020: 0x0002, 0x0040: 0x0004, 0x0080: 0x0008, 0x0100: 0x0010,
    0x4000: 0x4000, 0x8000: 0x8000,
}  # fmt: skip
"""Own method -> what the other side needs: display and keypad, display and scan, tag and reader."""
_MS, _SECOND = 1_000, 1_000_000


def complement(method: int) -> int:
    """What the other side needs for a method; 0 when it is none, or several."""
    return COMPLEMENTS.get(method, 0)


class BootstrappingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which methods a device has, and how patient it is."""

    supported: int = 0x01FF
    """methods that this device can start or authorise at all."""
    automatic: int = 0x0001
    """own methods that are agreed to without asking the user; a PIN on a label is one too."""
    refused: int = 0
    """own methods that are refused though the service offers them."""

    # Which bit a request carries: stacks differ (digest 6.2)

    request_bit: Literal["own", "peer"] = "own"
    """what a request carries: the requester's method (hostap, ESP-IDF), or that of its peer (Android's API)."""
    matching: Literal["complement", "same_bit", "either"] = "complement"
    """how a request is read: it names the requester's method (hostap), or that of this side (Android's framework;
    what an iPhone that publishes was seen to want). `either`: the first reading that the service offers."""
    response_check: Literal["complement", "either", "any"] = "complement"
    """which method an acceptance must name: the complement of the own one (hostap), that or the own one, or
    whichever."""
    requires_advertisement: bool = True
    """start only with a peer that advertises the method."""
    requires_pairing_info: bool = False
    """the user is asked only when the request tells who it is from (what an iPhone may want; a hypothesis)."""

    # Requester

    retry_us: int = 1 * _SECOND
    """until an unanswered request goes out again."""
    retry_limit: int | None = None
    """repetitions of a request."""
    retry_comeback: bool = False
    """repeat a comeback request too; hostap does not, and waits for ever when it gets lost."""
    comeback_clock: Literal["hostap", "tu", "seconds"] = "hostap"
    """length of a comeback TU: whole 1024 are a second and the rest are ms (hostap), 1024 µs, 1 s (AOSP)."""
    comeback_limit: int | None = None
    """times this device lets itself be put off; AOSP 1."""
    minimum_comeback_us: int = SLOT_US
    """shortest wait, whatever the peer says (ours: 0 would mean a storm; hostap has none)."""
    timeout_us: int | None = None
    """until a request is given up; Android 20 s."""

    # Responder

    comeback_tu: int = 1024
    """Comeback After of the own responses."""
    cookie_octets: int = 4
    reject_reason: int = 13
    """of a method that is not there; an iPhone gives 0."""
    repeat_response: bool = False
    """answer a repeated request while the user is asked; hostap ignores it, and both hang when a response was lost."""
    pending_timeout_us: int | None = None
    """until an unanswered user counts as refusal."""
    pending_limit: int = 32
    """requests that wait for the user; the oldest gives way."""

    # Both at once

    crossing: Literal["replace", "lower_yields"] = "replace"
    """a request that arrives while an own one is open: takes its place (hostap; both sides then wait for each other),
    or does so only on the side with the lower NMI (ours)."""


PATIENT = BootstrappingSettings(
    retry_limit=10,
    retry_comeback=True,
    timeout_us=60 * _SECOND,
    repeat_response=True,
    pending_timeout_us=60 * _SECOND,
    crossing="lower_yields",
)
"""Ends in a stated result within a minute, whatever gets lost and whoever starts."""


def comeback_us(settings: BootstrappingSettings, tu: int) -> int:
    """How long to wait for a Comeback After of `tu`."""
    match settings.comeback_clock:
        case "hostap":
            wait = tu // 1024 * _SECOND + tu % 1024 * _MS
        case "tu":
            wait = tu * TU_US
        case "seconds":
            wait = tu * _SECOND
    return max(wait, settings.minimum_comeback_us)
