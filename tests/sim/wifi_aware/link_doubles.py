"""Radios for links: one channel that carries one frame at a time, loses what a test says, and keeps a log."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from protocols.wifi_aware.airtime import ACK_OCTETS, airtime_us, difs_us, sifs_us
from protocols.wifi_aware.data_link import LinkTerms
from sim.wifi_aware.data_radio import Fate
from sim.wifi_aware.link import Link, LinkSettings

if TYPE_CHECKING:
    from sim.clock import VirtualLoop

ONE, TWO, CLUSTER = "02:00:5e:10:a0:01", "02:00:5e:20:b0:01", "50:6f:9a:01:4d:21"
KEYS = {"ccmp_128": bytes(range(16)), "gcmp_256": bytes(range(32)), "": b""}
CHANNEL, RATE_MBIT_S = 149, 54
TRIES, BACKOFF_SLOTS, SLOT_TIME_US = 8, 16, 9
RETRY = 0x08


class Medium:
    """The channel between two radios. `fate(sender, octets)` says "" (all is well), "lost" or "ack_lost"."""

    def __init__(self, loop: VirtualLoop, *, tsf_us: int = 0, seed: int = 1) -> None:
        self.loop = loop
        self.chance = random.Random(seed)
        self.fate: Any = lambda sender, octets: ""
        self.free_us = 0
        self.tsf_offset_us = tsf_us
        self.radios: list[Radio] = []
        self.log: list[tuple[int, str, bytes]] = []
        """(TSF of the start, sender, octets) of every frame on the air."""
        self.spans: list[tuple[int, int]] = []
        """TSF of the start and end, the Ack included, of each."""


class Radio:
    """One side; `link` hears what the other sends."""

    def __init__(self, medium: Medium, name: str) -> None:
        self.medium = medium
        self.name = name
        self.link: Any = None
        medium.radios.append(self)

    def tsf_us(self) -> int:
        return self.medium.loop.now_us + self.medium.tsf_offset_us

    def airtime_us(self, octets: int, channel: int) -> int:
        acked = sifs_us(channel) + airtime_us(ACK_OCTETS, channel)
        return airtime_us(octets, channel, RATE_MBIT_S) + acked

    def send_data(self, octets, channel, until_us, done):
        assert channel == CHANNEL
        self._attempt(octets, until_us, done, 1)

    def _attempt(self, octets, until_us, done, number):
        medium, loop = self.medium, self.medium.loop
        backoff_us = medium.chance.randrange(BACKOFF_SLOTS) * SLOT_TIME_US
        start_us = max(loop.now_us, medium.free_us) + difs_us(CHANNEL) + backoff_us
        end_us = start_us + self.airtime_us(len(octets), CHANNEL)
        if end_us > until_us:
            loop.after_us(0, done, Fate.LATE)
            return
        medium.free_us = end_us
        loop.at_us(end_us, self._over, octets, (start_us, end_us), until_us, done, number)

    def _over(self, octets, span, until_us, done, number):
        medium = self.medium
        sent = octets if number == 1 else octets[:1] + bytes((octets[1] | RETRY,)) + octets[2:]
        start, end = (at + medium.tsf_offset_us for at in span)
        medium.log.append((start, self.name, sent))
        medium.spans.append((start, end))
        fate = medium.fate(self.name, sent)
        if fate != "lost":
            for other in medium.radios:
                if other is not self and other.link is not None:
                    other.link.receive(sent)
        if not fate:
            done(Fate.ACKED)
        elif number < TRIES:
            self._attempt(octets, until_us, done, number + 1)
        else:
            done(Fate.LOST)


def draws(name):
    """Chance of one side."""
    return lambda purpose, length: random.Random(f"{name} {purpose}").randbytes(length)


def terms(own=ONE, peer=TWO, cipher="ccmp_128", **change) -> LinkTerms:
    given = {
        "own_ndi": own,
        "peer_ndi": peer,
        "cluster_id": CLUSTER,
        "cipher": cipher,
        "tk": KEYS[cipher],
    }
    return LinkTerms(**{**given, **change})


class Bench:
    """Two links over one medium: `a` is the data path's initiator, `b` the other side."""

    def __init__(
        self, loop, slots, *, cipher="ccmp_128", settings=None, tsf_us=0, b_terms=None
    ) -> None:
        self.loop = loop
        self.medium = Medium(loop, tsf_us=tsf_us)
        by_channel = {CHANNEL: slots}
        self.a = Link(
            terms(cipher=cipher), by_channel, Radio(self.medium, "a"), loop, draws("a"), settings or LinkSettings()
        )  # fmt: skip
        theirs = b_terms or terms(TWO, ONE, cipher)
        self.b = Link(
            theirs,
            by_channel,
            Radio(self.medium, "b"),
            loop,
            draws("b"),
            settings or LinkSettings(),
        )
        self.medium.radios[0].link, self.medium.radios[1].link = self.a, self.b

    def frames_by(self, name):
        return [octets for _, who, octets in self.medium.log if who == name]
