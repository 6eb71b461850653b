"""What several tests of the interface need."""

from __future__ import annotations

import time

import pytest

from tui.capture_source import CaptureSource


@pytest.fixture
def opened():
    """Opens captures and closes them."""
    sources = []

    def open_it(path):
        source = CaptureSource(path)
        sources.append(source)
        end_s = time.monotonic() + 30
        while not source.done:
            assert time.monotonic() < end_s
        return source

    yield open_it
    for source in sources:
        source.close()
