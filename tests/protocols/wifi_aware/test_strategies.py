"""Valid frames from the strategies that `sim.testing` offers: build, decode, build."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings

from protocols.dissect import Block, dissect, encode
from protocols.errors import UnknownNameError
from protocols.wifi_aware import frames as kinds
from protocols.wifi_aware.frame import build
from sim import testing

EXACT = settings(
    max_examples=150,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@EXACT
@given(testing.wifi_aware_frames())
def test_frames_build_decode_and_build_again(frame):
    data = build(frame)
    keys = {"fcs": True} if frame.fcs == kinds.COMPUTED else {}
    found = dissect(Block(kind="frame", data=data), keys)
    assert found.error is None, (frame, found.error)
    assert found.fields == frame
    assert encode("frame", json.loads(json.dumps(found.plain)), keys) == data


@settings(EXACT, max_examples=20)
@given(testing.wifi_aware_attributes("pairing_bootstrapping"))
def test_a_named_attribute(attr):
    assert attr.id == 0x2C
    assert attr.fields.methods <= 0xFFFF


@settings(EXACT, max_examples=20)
@given(testing.wifi_aware_elements("rsne"))
def test_a_named_element(element):
    assert element.id == 48
    assert element.fields.version <= 0xFFFF


def test_unknown_names_are_named():
    with pytest.raises(UnknownNameError, match="ndpe"):
        testing.wifi_aware_attributes("ndp_e")
    with pytest.raises(UnknownNameError, match="rsne"):
        testing.wifi_aware_elements("rsnee")


def test_hypothesis_is_imported_when_used():
    code = "import sys, sim.testing; print([n for n in sys.modules if n.split('.')[0] == 'hypothesis'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
