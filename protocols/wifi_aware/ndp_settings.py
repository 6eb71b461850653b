"""How a device sets up data paths, keeps them and ends them.

Wi-Fi Aware 4.0, NDP and NDL; digest 5 and 8.3, phone profiles. A default is hostap's unless the line says what hostap
does instead, or that the setting is ours. No frame of the recordings depends on those. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from protocols.wifi_aware.attributes.ndl_qos import NO_LATENCY

__all__ = ["DataPathSettings"]


class DataPathSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How this device sets up data paths, keeps them and ends them."""

    long_us: int = 30_000_000
    """wait for the peer's or the own application (MediaTek: 10 s for the whole setup)."""
    short_us: int = 2_000_000
    """wait for the next frame of a handshake, and for a transmit status (MediaTek: 1 s)."""
    retries: int = 0
    """how often an unanswered M1, M2 or M3 is repeated (MediaTek: 2)."""
    retry_us: int = 4_500_000
    """time before a repetition (MediaTek)."""
    answer_repeats: bool = True
    """a frame that comes again, octet by octet, gets its answer again; hostap passes over it."""
    confirm_required: bool = True
    """ask for a Confirm in an open setup too."""
    max_paths: int | None = None
    """paths at the same time, further requests are refused for lack of resources (AA-04: 8); None: any number."""
    max_setups: int = 16
    """setups that peers may have open at the same time; further requests are passed over. Ours."""
    policy: Literal["any", "secure", "paired"] = "any"
    """requests that reach the application; others are refused with reason 8 (iPhone: paired, IA-57)."""
    reinitiation: Literal["beside", "replace", "replace_at_once", "reject"] = "beside"
    """M1 of a peer that has a path from the same NDI: a further path beside it; in its place once connected; in its
    place at once (ESP-IDF, IA-62; a forged M1 ends a path then); refused for lack of resources."""
    simultaneous: Literal["wait", "lower_gives_way"] = "wait"
    """M1 while the own M1 to that peer is out: passed over, both sides end by their timers (hostap); or the side with
    the lower NMI gives up its own request and answers (ours)."""
    paired_suite: Literal["pairing", "sk"] = "pairing"
    """suite that a paired device asks for: that of the pairing, or the shared-key one of its strength (ESP-IDF, IA-57)."""
    believe_unprotected: bool = True
    """refusals, terminations and schedules in clear count for secure paths too, as the protocol has it before there
    are keys. False (ours): a refusal or termination in a secure setup counts when nothing better comes within
    `short_us`, for a connected path it does not count."""
    check_m4_nonce: bool = False
    """M4 must repeat the nonce of M2; hostap does not look."""
    gtk_rsc: Literal["handshake", "request"] = "handshake"
    """packet number from which the peer's GTK counts: that of M3 and M4, or that of M1 and M2 (hostap)."""
    igtk_with_gtk: bool = True
    """an IGTK goes along whenever a GTK is sent."""
    qos_min_slots: int = 0
    """NDL QoS that this device asks for; 0: no preference."""
    qos_max_latency_slots: int = NO_LATENCY
    idle_unit_us: int = 1_000_000
    """what one unit of the maximum idle period is (hostap counts seconds; the NDL says 1024 TU, 1_048_576)."""
    ends_idle: bool = True
    """end the paths of a peer that was idle for the own maximum idle period."""
    keep_alive_us: int | None = None
    """idle time after which a keep-alive is wanted (IA-61); None: a third of what the peer allows, 0: never. Ours."""
