"""A missing judge skips on a desk and fails in CI, and says what to install."""

from __future__ import annotations

import pytest

from tests.judges import judge


def test_missing_judge_skips_and_in_ci_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="btmon is not installed; the package bluez"):
        judge("btmon")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="btmon is not installed"):
        judge("btmon")
