"""Transitions of a publish and a subscribe, in a cluster and without one.

Wi-Fi Aware 4.0, service discovery; digest 3.5 (in a cluster) and 3.7 (unsynchronised, as in hostap
src/common/nan_de.c). An input that has no row in a state is not taken there. No clock, no randomness, no IO.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from protocols.wifi_aware.service_options import State

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TRANSITIONS", "Input"]


class Input(enum.Enum):
    """What happens to a publish or subscribe; frames are those that match it."""

    WINDOW = "discovery window"
    LIFE_SPENT = "its time is over"
    CANCEL = "cancel"
    PUBLISH = "publish"
    UNSOLICITED = "unsolicited publish"
    """only told apart without a cluster."""
    SUBSCRIBE = "subscribe"
    BRIEF_SUBSCRIBE = "subscribe, no pause"
    """without a cluster, where the service does not pause (P2P)."""
    FOLLOW_UP = "follow-up"
    EXCHANGE = "follow-up of an exchange"
    """without service info, with NPBA or SKDA."""
    BARE = "empty follow-up"
    PERIOD = "time to announce"
    STATE_OVER = "state over"
    DWELL_OVER = "next channel"
    PAUSE_OVER = "pause over"
    UNPAUSE = "unpause"
    CYCLE = "radio cycle"


_S, _I = State, Input
TRANSITIONS: Mapping[tuple[State, Input], tuple[str, State]] = {
    # in a cluster
    (_S.PUBLISHING, _I.WINDOW): ("announce", _S.PUBLISHING),
    (_S.PUBLISHING, _I.SUBSCRIBE): ("reply", _S.PUBLISHING),
    (_S.PUBLISHING, _I.FOLLOW_UP): ("deliver", _S.PUBLISHING),
    (_S.PUBLISHING, _I.EXCHANGE): ("deliver", _S.PUBLISHING),
    (_S.PUBLISHING, _I.BARE): ("deliver", _S.PUBLISHING),
    (_S.PUBLISHING, _I.LIFE_SPENT): ("end", _S.ENDED),
    (_S.PUBLISHING, _I.CANCEL): ("end", _S.ENDED),
    (_S.SUBSCRIBING, _I.WINDOW): ("announce", _S.SUBSCRIBING),
    (_S.SUBSCRIBING, _I.PUBLISH): ("indicate", _S.SUBSCRIBING),
    (_S.SUBSCRIBING, _I.UNSOLICITED): ("indicate", _S.SUBSCRIBING),
    (_S.SUBSCRIBING, _I.FOLLOW_UP): ("deliver", _S.SUBSCRIBING),
    (_S.SUBSCRIBING, _I.EXCHANGE): ("deliver", _S.SUBSCRIBING),
    (_S.SUBSCRIBING, _I.BARE): ("deliver", _S.SUBSCRIBING),
    (_S.SUBSCRIBING, _I.LIFE_SPENT): ("end", _S.ENDED),
    (_S.SUBSCRIBING, _I.CANCEL): ("end", _S.ENDED),
    # unsynchronised publisher
    (_S.SINGLE_CHANNEL, _I.PERIOD): ("announce", _S.SINGLE_CHANNEL),
    (_S.SINGLE_CHANNEL, _I.STATE_OVER): ("tour", _S.MULTI_CHANNEL),
    (_S.SINGLE_CHANNEL, _I.SUBSCRIBE): ("reply_and_pause", _S.PAUSED),
    (_S.SINGLE_CHANNEL, _I.BRIEF_SUBSCRIBE): ("reply", _S.SINGLE_CHANNEL),
    (_S.SINGLE_CHANNEL, _I.FOLLOW_UP): ("deliver", _S.SINGLE_CHANNEL),
    (_S.SINGLE_CHANNEL, _I.EXCHANGE): ("deliver_and_pause", _S.PAUSED),
    (_S.SINGLE_CHANNEL, _I.BARE): ("deliver_and_pause", _S.PAUSED),
    (_S.SINGLE_CHANNEL, _I.CYCLE): ("suspend", _S.SUSPENDED),
    (_S.SINGLE_CHANNEL, _I.LIFE_SPENT): ("end", _S.ENDED),
    (_S.SINGLE_CHANNEL, _I.CANCEL): ("end", _S.ENDED),
    (_S.MULTI_CHANNEL, _I.PERIOD): ("announce", _S.MULTI_CHANNEL),
    (_S.MULTI_CHANNEL, _I.DWELL_OVER): ("hop", _S.MULTI_CHANNEL),
    (_S.MULTI_CHANNEL, _I.STATE_OVER): ("settle", _S.SINGLE_CHANNEL),
    (_S.MULTI_CHANNEL, _I.SUBSCRIBE): ("reply_and_pause", _S.PAUSED),
    (_S.MULTI_CHANNEL, _I.BRIEF_SUBSCRIBE): ("reply", _S.MULTI_CHANNEL),
    (_S.MULTI_CHANNEL, _I.FOLLOW_UP): ("deliver", _S.MULTI_CHANNEL),
    (_S.MULTI_CHANNEL, _I.EXCHANGE): ("deliver_and_pause", _S.PAUSED),
    (_S.MULTI_CHANNEL, _I.BARE): ("deliver_and_pause", _S.PAUSED),
    (_S.MULTI_CHANNEL, _I.CYCLE): ("suspend", _S.SUSPENDED),
    (_S.MULTI_CHANNEL, _I.LIFE_SPENT): ("end", _S.ENDED),
    (_S.MULTI_CHANNEL, _I.CANCEL): ("end", _S.ENDED),
    (_S.PAUSED, _I.SUBSCRIBE): ("reply", _S.PAUSED),
    (_S.PAUSED, _I.FOLLOW_UP): ("deliver", _S.PAUSED),
    (_S.PAUSED, _I.EXCHANGE): ("deliver", _S.PAUSED),
    (_S.PAUSED, _I.PAUSE_OVER): ("resume", _S.SINGLE_CHANNEL),
    (_S.PAUSED, _I.UNPAUSE): ("resume", _S.SINGLE_CHANNEL),
    (_S.PAUSED, _I.LIFE_SPENT): ("end", _S.ENDED),
    (_S.PAUSED, _I.CANCEL): ("end", _S.ENDED),
    (_S.SUSPENDED, _I.CYCLE): ("resume", _S.SINGLE_CHANNEL),
    (_S.SUSPENDED, _I.LIFE_SPENT): ("end", _S.ENDED),
    (_S.SUSPENDED, _I.CANCEL): ("end", _S.ENDED),
    # unsynchronised subscriber
    (_S.SEARCHING, _I.PERIOD): ("announce", _S.SEARCHING),
    (_S.SEARCHING, _I.PUBLISH): ("indicate", _S.SEARCHING),
    (_S.SEARCHING, _I.UNSOLICITED): ("indicate_and_answer", _S.SEARCHING),
    (_S.SEARCHING, _I.FOLLOW_UP): ("deliver", _S.SEARCHING),
    (_S.SEARCHING, _I.EXCHANGE): ("deliver", _S.SEARCHING),
    (_S.SEARCHING, _I.BARE): ("deliver", _S.SEARCHING),
    (_S.SEARCHING, _I.LIFE_SPENT): ("end", _S.ENDED),
    (_S.SEARCHING, _I.CANCEL): ("end", _S.ENDED),
}  # fmt: skip
"""(state, input) -> (action, next state)."""
