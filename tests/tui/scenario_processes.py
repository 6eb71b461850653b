"""Processes for tests of runs at full speed: what a scenario's run says is written here, nothing is started."""

from __future__ import annotations

import json


def verdict(*, passed, expectations=(), failures=(), simulated_us=4_100_000, seed=1):
    """What `nearbench run --json` writes."""
    return {
        "scenario": "s.toml",
        "title": "s",
        "seed": seed,
        "simulated_us": simulated_us,
        "passed": passed,
        "expectations": list(expectations),
        "failures": list(failures),
        "events": 1,
        "air": {},
    }


def expectation(expected, *, held, seen, why=""):
    """One of its expectations."""
    return {"expected": expected, "held": held, "seen": seen, "first_us": None, "why": why}


MISSED = verdict(
    passed=False,
    expectations=[
        expectation("lock: pin_displayed (at least 1)", held=True, seen=1),
        expectation("lock: paired (at least 1)", held=False, seen=0, why="the PIN was right"),
    ],
    failures=["phone: pair: phone: pairing with lock: confirm value failed (0x04)"],
)
NOTHING_FAILED = verdict(passed=True, expectations=[expectation("x", held=True, seen=1)])
FINDINGS = {
    "findings": [
        {"rule": "IB-05", "severity": "error", "title": "of a phone", "remedy": "Do this."},
        {"rule": "NB-09", "severity": "note", "title": "a remark", "remedy": "None."},
        {"rule": "NB-01", "severity": "warning", "title": "pairing failed", "remedy": "Type it."},
    ]
}


class FakeProcess:
    """Ends when it is told to."""

    def __init__(self, folder, name, arguments, said):
        self.arguments = arguments
        self.killed = False
        self.status = None
        self._files = (folder / f"{name}.out", folder / f"{name}.err")
        self.said = said
        self.folder = folder

    def finish(self):
        status, out, err = self.said
        text = out if isinstance(out, str) else json.dumps(out)
        for file, content in zip(self._files, (text, err), strict=True):
            file.write_text(content, encoding="utf-8")
        self.status = status

    def poll(self):
        return self.status

    def kill(self):
        self.killed, self.status = True, -9

    def wait(self, timeout=None):
        assert self.status is not None, "it would wait for ever"
        return self.status


class Starter:
    """In place of `scenario_runs.start`: `says` maps a scenario (or "explain") to (status, stdout, stderr)."""

    def __init__(self, monkeypatch, says=None, *, finishes=True):
        self.says = {"explain": (1, FINDINGS, "")} | (says or {})
        self.finishes = finishes
        self.made = []
        monkeypatch.setattr("tui.models.scenario_runs.start", self)

    def __call__(self, arguments, folder, name):
        what = "explain" if arguments[0] == "explain" else arguments[1]
        said = self.says.get(what, (0, NOTHING_FAILED, ""))
        if isinstance(said, OSError):
            raise said
        process = FakeProcess(folder, name, list(arguments), said)
        self.made.append(process)
        if self.finishes:
            process.finish()
        return process
