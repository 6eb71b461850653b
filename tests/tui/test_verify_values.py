"""`verify` on values: each recorded one is recomputed, an altered one is named, what is missing is said."""

from __future__ import annotations

import copy
import functools
import json
import random
from pathlib import Path

import pytest

from protocols.errors import UsageError
from tui.cli import main
from tui.verify import verify_file
from tui.verify.formulas.functions import FUNCTIONS, outputs_of
from tui.verify.functions import function_report
from tui.verify.values import NEEDS, value_report

VECTORS = Path(__file__).parents[1] / "vectors"
CRYPTO = VECTORS / "wifi-aware-crypto.json"
EXCHANGES = sorted(set(VECTORS.glob("wifi-aware-*.json")) - {CRYPTO})
FULL = VECTORS / "wifi-aware-full-sae-ccmp128-ndp-pk128.json"
EACH = pytest.mark.parametrize(
    "path", EXCHANGES, ids=lambda path: path.stem.removeprefix("wifi-aware-")
)
SIDES = "AB"


@functools.cache
def text_of(path):
    return path.read_text()


def loaded(path):
    return json.loads(text_of(path))


def flipped(text, at=None):
    at = len(text) // 2 if at is None else at
    return text[:at] + ("1" if text[at] == "0" else "0") + text[at + 1 :]


def failures(plain):
    return [check for check in value_report(plain).checks if not check.ok]


def count_of(plain):
    """Values that an exchange holds."""
    listed = sum(len(values) for side in SIDES for values in plain["secrets"][side].values())
    return listed + sum(len(plain["trace"][side]) for side in SIDES)


# --- exchanges ----------------------------------------------------------------------------------------


@EACH
def test_every_recorded_value_is_recomputed(path):
    plain = loaded(path)
    report = value_report(plain)
    assert [check for check in report.checks if not check.ok] == []
    assert report.unchecked == ()
    of_values = [c for c in report.checks if c.name.startswith(("secrets of", "trace of"))]
    assert len([c for c in of_values if "those of the trace" not in c.name]) == count_of(plain)
    assert len({check.name for check in report.checks}) == len(report.checks)


def test_every_name_of_the_recordings_has_a_formula():
    names = set()
    for path in EXCHANGES:
        plain = loaded(path)
        for side in SIDES:
            names |= {*plain["secrets"][side], *(name for name, _ in plain["trace"][side])}
    assert names == set(NEEDS)


@EACH
def test_no_recorded_value_is_taken_for_granted(path):
    """With every value changed no value agrees: none was computed from another."""
    plain = loaded(path)
    values = 0
    for side in SIDES:
        device = plain["devices"][side]
        for name in ("nik", "nira_nonce", "nira_tag", "own_igtk", "own_bigtk"):
            values += bool(device[name])
            device[name] = device[name] and flipped(device[name])
        for listed in plain["secrets"][side].values():
            listed[:] = map(flipped, listed)
        plain["trace"][side] = [[name, flipped(value)] for name, value in plain["trace"][side]]
    bad = [c for c in failures(plain) if c.name.startswith(("secrets of", "trace of", "device "))]
    assert len(bad) == count_of(plain) + values


@functools.cache
def where_it_is(name):
    """The first file that has a value of that name, and the side."""
    for path in EXCHANGES:
        plain = loaded(path)
        for side in SIDES:
            if name in plain["secrets"][side]:
                return path, side
    raise AssertionError(name)


@pytest.mark.parametrize("name", sorted(NEEDS))
def test_an_altered_value_is_named_with_what_it_should_be(name):
    path, side = where_it_is(name)
    plain = loaded(path)
    listed = plain["secrets"][side][name]
    original, altered = listed[0], flipped(listed[0])
    listed[0] = altered
    bad = [c for c in failures(plain) if "those of the trace" not in c.name]
    assert [c.name.split(" (")[0] for c in bad] == [f"secrets of {side}, {name}"]
    assert bad[0].expected == altered
    assert original in ([bad[0].got] if isinstance(bad[0].got, str) else bad[0].got)


@pytest.mark.parametrize("name", sorted(NEEDS))
def test_an_altered_entry_of_the_trace_is_named(name):
    path, side = where_it_is(name)
    plain = loaded(path)
    at = next((n for n, (each, _) in enumerate(plain["trace"][side]) if each == name), None)
    if at is None:  # only `secrets` has it
        assert name == "tx_plaintext_before_encryption"
        return
    plain["trace"][side][at][1] = flipped(plain["trace"][side][at][1])
    bad = [check.name.split(" (")[0] for check in failures(plain)]
    assert bad == [f"trace of {side}, {name}", f"secrets of {side}, {name}: those of the trace"]


@pytest.mark.parametrize("purpose", ["nik", "nira_nonce", "bootstrap_cookie", "ecdh_private", "sae_rand", "sae_mask", "ndc_id", "ndp_nonce"])  # fmt: skip
def test_an_altered_draw_shows(purpose):
    plain = loaded(FULL)
    draw = next(d for side in "BA" for d in plain["draws"][side] if d["purpose"] == purpose)
    draw["hex"] = flipped(draw["hex"])
    assert failures(plain)


def test_values_that_changed_places_show():
    """Each of them is right, in the other's place it is not."""
    plain = loaded(FULL)
    mics = plain["secrets"]["A"]["ndp_mic"]
    mics[0], mics[1] = mics[1], mics[0]
    assert [check.name for check in failures(plain)] == [
        "secrets of A, ndp_mic: those of the trace"
    ]
    del mics[0]
    assert [check.name for check in failures(plain)] == [
        "secrets of A, ndp_mic: those of the trace"
    ]


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        ("service_id", "9904c1d05acc", "inputs, service_id"),
        ("nd_pmk", "00" * 32, "inputs, nd_pmk"),
        ("password", "492138", "secrets of A, pt_x"),
    ],
)
def test_altered_inputs_show(key, value, name):
    plain = loaded(FULL)
    plain["inputs"][key] = value
    assert name in {check.name for check in failures(plain)}


# --- files with missing or broken parts -----------------------------------------------------------------


def without(path, *keys):
    plain = loaded(path)
    inner = plain
    for key in keys[:-1]:
        inner = inner[key]
    del inner[keys[-1]]
    return plain


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (("inputs", "password"), "secrets of A, sae_k: the file does not hold what it comes from (inputs.password"),
        (("inputs",), "secrets of B, pwd_seed: the file does not hold what it comes from (inputs.password)"),
        (("draws",), "trace of A, ecdh_private: the file does not hold what it comes from (draws)"),
        (("draws", "B"), "secrets of B, nm_tk: the file does not hold what it comes from (draws ecdh_private"),
        (("devices", "B"), "the values of A: devices.B is missing"),
        (("devices",), "the values of B: devices.A is missing"),
        (("frames",), "secrets of A, auth_token: the file does not hold what it comes from (the NDP frames"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said(keys, told):
    report = value_report(without(FULL, *keys))
    assert any(line.startswith(told) for line in report.unchecked), report.unchecked


def test_with_one_side_alone_that_side_is_checked():
    plain = without(FULL, "secrets", "B")
    del plain["trace"]["B"]
    report = value_report(plain)
    assert report.unchecked == ("secrets of B: missing or empty", "trace of B: missing or empty")
    assert all(check.ok for check in report.checks)
    assert len(report.checks) > count_of(plain | {"secrets": {**plain["secrets"], "B": {}}, "trace": {**plain["trace"], "B": []}})  # fmt: skip


@pytest.mark.parametrize("empty", [None, {}, {"A": {}, "B": {}}])
def test_without_values_there_is_nothing_to_check_and_that_is_said(empty):
    plain = without(FULL, "secrets")
    del plain["trace"]
    if empty is not None:
        plain |= {"secrets": empty, "trace": {side: [] for side in empty}}
    told = ("secrets: missing or empty", "trace: missing or empty")
    report = value_report(plain)
    assert report.unchecked == told
    assert not any(check.name.startswith(("secrets", "trace")) for check in report.checks)


def test_a_name_without_formula_is_listed():
    plain = loaded(FULL)
    plain["secrets"]["A"]["moon_phase"] = ["00"]
    report = value_report(plain)
    assert report.unchecked == ("moon_phase: no formula is known for it",)
    assert all(check.ok for check in report.checks)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda plain: plain["secrets"]["A"].update(nm_tk=["zz"]), "secrets"),
        (lambda plain: plain["secrets"]["A"].update(nm_tk="00"), "secrets"),
        (lambda plain: plain.update(trace=[]), "trace"),
        (lambda plain: plain["trace"]["A"].append(["rng"]), "trace"),
        (lambda plain: plain["devices"]["A"].update(nmi="02:00"), "nmi"),
        (lambda plain: plain["devices"]["A"].pop("nmi"), "nmi"),
        (lambda plain: plain["draws"]["A"].append({"purpose": "nik"}), "hex"),
        (lambda plain: plain["draws"].update(C=[]), "draws"),
        (lambda plain: plain["inputs"].update(password=492137), "password"),
        (lambda plain: plain["frames"][0].update(dir="A"), "dir"),
    ],
)
def test_what_is_of_another_form_is_a_failure_with_its_path(change, told):
    plain = loaded(FULL)
    change(plain)
    (bad,) = failures(plain)
    assert bad.name == "values"
    assert told in bad.got


def places(plain, path=()):
    """Paths of everything inside."""
    items = plain.items() if isinstance(plain, dict) else enumerate(plain)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def test_no_file_makes_it_fall_over():
    """Members deleted, shortened and replaced at random: there is a report, whatever it says."""
    draw = random.Random("broken recordings")
    files = [
        loaded(path)
        for path in EXCHANGES
        if "full" in path.stem or "igtk" in path.stem or "wrong" in path.stem
    ]
    for plain in files:
        where = [path for path in places(plain) if path[0] != "timeline"]
        for _ in range(60):
            broken = copy.deepcopy(plain)
            for *above, key in draw.sample(where, 3):
                inner = broken
                try:
                    for step in above:
                        inner = inner[step]
                    old = inner[key]
                except (KeyError, IndexError, TypeError):
                    continue  # inside something that is gone
                if not isinstance(inner, dict | list):
                    continue
                shorter = old[: draw.randrange(len(old) + 1) & ~1] if isinstance(old, str) else None
                inner[key] = draw.choice([shorter, shorter, "00", [], {}, 7, True, "ff" * 700])
            report = value_report(broken)
            assert all(isinstance(check.name, str) for check in report.checks)


# --- single functions -----------------------------------------------------------------------------------


def test_every_output_of_every_function_is_recomputed():
    plain = loaded(CRYPTO)
    checks, unchecked = function_report(plain)
    assert [check for check in checks if not check.ok] == []
    assert unchecked == ()
    outputs = {kind: len(outputs_of(kind, plain[kind][0])[0]) for kind in FUNCTIONS}
    assert set(FUNCTIONS) == {kind for kind, value in plain.items() if isinstance(value, list)}
    assert len(checks) == sum(len(plain[kind]) * count for kind, count in outputs.items())


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_an_altered_output_is_named(kind):
    plain = loaded(CRYPTO)
    entry = plain[kind][1]
    for name in outputs_of(kind, entry)[0]:
        original = entry[name]
        entry[name] = (
            [flipped(original[0]), original[1]] if isinstance(original, list) else flipped(original)
        )
        bad = [check for check in function_report(plain)[0] if not check.ok]
        assert [(check.name, check.got) for check in bad] == [(f"{kind}[1]: {name}", original)]
        entry[name] = original


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_an_entry_that_cannot_be_computed_says_why(kind):
    entry = loaded(CRYPTO)[kind][0]
    inputs = set(entry) - set(outputs_of(kind, entry)[0])
    assert inputs
    for name in inputs:
        for value, why in ((None, "missing"), ([], "no ")):
            with pytest.raises(UsageError, match=rf"{name} is {why}"):
                outputs_of(kind, {**entry, name: value})
    with pytest.raises(UsageError, match="no object"):
        outputs_of(kind, 7)


@pytest.mark.parametrize(
    ("kind", "change", "why"),
    [
        ("sae_pt", {"group": 21}, "group 21"),
        ("nira", {"nmi": "02-00"}, "nmi is no address"),
        ("ndp_ptk", {"csid": 3}, "CSID 3"),
        ("pasn_ptk", {"cipher": "WEP"}, "known: CCMP, GCMP-256"),
        ("key_wrap", {"kek": "00"}, "cannot be computed"),
        ("ndp_mic", {"kck": "xy"}, "kck is no hex"),
    ],
)
def test_inputs_that_do_not_fit(kind, change, why):
    plain = {kind: [loaded(CRYPTO)[kind][0] | change]}
    (check,) = function_report(plain)[0]
    assert (check.name, check.ok) == (f"{kind}[0]", False)
    assert why in check.got


def test_what_else_a_file_of_functions_holds_is_listed():
    plain = {"nira": [{**loaded(CRYPTO)["nira"][0], "mood": "good"}], "moon": [], "key_wrap": 7}
    checks, unchecked = function_report(plain)
    assert unchecked == (
        "nira: mood is neither input nor output",
        "moon: no function is known by that name",
    )
    assert [(check.name, check.ok) for check in checks] == [
        ("nira[0]: tag", True),
        ("key_wrap", False),
    ]


# --- the command ----------------------------------------------------------------------------------------


def test_the_command_checks_functions_and_values(capsys, tmp_path):
    assert main(["verify", str(CRYPTO)]) == 0
    assert "ok, 314 checks" in capsys.readouterr().out
    plain = loaded(FULL)
    plain["secrets"]["A"]["nm_kek"] = ["00" * 16]
    mine = tmp_path / "mine.json"
    mine.write_text(json.dumps(plain))
    assert main(["verify", str(mine)]) == 1
    out = capsys.readouterr().out
    assert "first: secrets of A, nm_kek" in out
    assert loaded(FULL)["secrets"]["A"]["nm_kek"][0] in out


def test_a_report_names_what_it_could_not_check(tmp_path):
    mine = tmp_path / "mine.json"
    mine.write_text(json.dumps(without(FULL, "devices", "B")))
    report = verify_file(mine)
    assert report.ok
    assert "the values of A: devices.B is missing" in report.unchecked
