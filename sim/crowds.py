"""Crowds of a scenario: what they advertise made from format and fields, where they stand drawn from the seed.

A crowd's entry in the scenario file is checked here as far as it needs the formats; an error names `crowd[i]` and
the key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.dissect import encode
from protocols.errors import NearbenchError, UsageError
from sim.accessories import payload_run
from sim.crowd import Crowd, Member, advertising_pdu

if TYPE_CHECKING:
    from sim.scenario import CrowdSpec
    from sim.world import World

__all__ = ["join_crowd"]
