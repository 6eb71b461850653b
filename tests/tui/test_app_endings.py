"""How pairings with somebody at the screen go wrong: where, why by which rule, what to do, on the card and the ladder."""

from __future__ import annotations

import pytest

from tests.tui.bench import bench, play

PHONE, ACCESSORY, BOTH = ("phone",), ("accessory",), ("phone", "accessory")
LATE, MOVED = "late", "moved"
SLOW = pytest.mark.slow
ENDINGS = [  # scenario, who is played, answer, kind, SMP reason, where, rule, what to do
    ("passkey_lock", PHONE, "w", "wrong PIN", 4, "of the PIN", "NB-01", "pair again with the PIN that is shown now"),
    pytest.param("passkey_lock", PHONE, LATE, "timeout", None, "no answer for 30 s", "NB-01", "Disconnect first", marks=SLOW),
    ("passkey_lock", PHONE, "escape", "cancelled", 1, "at PIN entry", "NB-01", "pair again and type it"),
    pytest.param("passkey_lock", BOTH, "w", "wrong PIN", 4, "of the PIN", "NB-01", "pair again with the PIN that is shown now", marks=SLOW),
    ("keypad_types", ACCESSORY, "w", "wrong PIN", 4, "of the PIN", "NB-01", "pair again with the PIN that is shown now"),
    pytest.param("keypad_types", ACCESSORY, LATE, "timeout", None, "no answer for 30 s", "NB-01", "Disconnect first", marks=SLOW),
    pytest.param("keypad_types", ACCESSORY, "escape", "cancelled", 1, "at PIN entry", "NB-01", "pair again and type it", marks=SLOW),
    pytest.param("keypad_types", BOTH, "escape", "cancelled", 1, "at PIN entry", "NB-01", "pair again and type it", marks=SLOW),
    ("numeric_comparison", PHONE, "n", "numbers differ", 12, "at comparison", "NB-01", "compare again"),
    pytest.param("numeric_comparison", PHONE, LATE, "timeout", None, "at comparison", "NB-01", "Disconnect first", marks=SLOW),
    ("numeric_comparison", ACCESSORY, "n", "numbers differ", 12, "at comparison", "NB-01", "compare again"),
    pytest.param("numeric_comparison", ACCESSORY, LATE, "timeout", None, "no answer for 30 s", "NB-01", "Disconnect first", marks=SLOW),
    pytest.param("numeric_comparison", BOTH, "n", "numbers differ", 12, "at comparison", "NB-01", "compare again", marks=SLOW),
    ("demo", PHONE, "w", "wrong PIN", None, "iphone noticed it: SAE confirm", "NB-07", "Enter the PIN again"),
    ("demo", PHONE, MOVED, "timeout", None, "iphone noticed it: a right Auth2 did not come in time", "NB-05", ""),
    ("demo", PHONE, "escape", "cancelled", None, "iphone ended it at PIN entry", "NB-04", "Pair again and type the PIN"),
    pytest.param("demo", BOTH, "w", "wrong PIN", None, "SAE confirm", "NB-07", "Enter the PIN again", marks=SLOW),
]  # fmt: skip


def plain(text):
    """The words of a screen without its lines."""
    return " ".join("".join(" " if c in "│┃" else c for c in text).split())


def card_of(text):
    """The words of the card in the middle of 80 columns."""
    return plain("\n".join(line[7:73] for line in text.split("\n")[1:-2]))


async def answered(one, answer):
    """Answer what is asked, in time or not; until a pairing has ended and the rule was looked for."""
    if answer == LATE:
        await one.run_for(70)
    elif answer == MOVED:  # while the phone asks, the accessory takes another address
        pin = one.control.face("display").pin
        one.control.do("display", "new_address").result(10)
        await one.press(*pin, "enter")
    else:
        await one.press(answer)
    await one.until(lambda: not one.control.questions() and one.session.pull() is not None)
    for _ in range(40):
        if one.session.outcomes.all:
            break
        await one.run_for(0.5)
    await one.run_for(0.5)
    await one.found()
    await one.run_for(0.3)
    await one.found()


@pytest.mark.parametrize(
    ("scenario", "who", "answer", "kind", "code", "where", "rule", "remedy"), ENDINGS
)
def test_how_it_ends(scenario, who, answer, kind, code, where, rule, remedy):
    async def story():
        async with bench(scenario, play=who) as one:
            await one.until(lambda: one.control.questions())
            await answered(one, answer)
            first = one.session.outcomes.all[0]
            assert (first.kind, first.code) == (kind, code)
            assert not one.events("paired")
            assert not one.events("aware_paired")
            card = card_of(one.text)
            assert f"Pairing failed · {kind}" in card
            assert where in card
            assert remedy.lower() in card.lower()
            assert f"Rule {rule}" in card if rule else "Rule" not in card
            await one.press("escape")
            one.app.message = ("", "")
            await one.turn()
            ladder = one.text.split("\n")
            sign = "⧗" if kind == "timeout" else "✗"
            assert f"✗ {kind}" in ladder[2], "the title of the ladder tells it, too"
            told = " ".join(line.strip() for line in ladder[-3:-1] if line[:1] == " ")
            assert told.startswith(f"{sign} {f'{rule} ' if rule else ''}{kind}: ")
            assert told.endswith("r: retry"), "it is read to its end"
            row = next(
                at for at, (rung, _) in enumerate(one.app.screen.ladder.rows) if rung.event.seq == first.seq
            )  # fmt: skip
            one.app.screen.ladder.follow = False
            one.app.screen.ladder.go(row)
            await one.pilot.resize_terminal(120, 40)
            await one.turn()
            about = plain("\n".join(line[:72] for line in one.text.split("\n")[-14:-2]))
            assert remedy[1:20] in about
            assert rule in about

    play(story())


def test_two_who_type_different_pins():
    async def story():
        async with bench("both_type", play=BOTH) as one:
            await one.until(lambda: len(one.control.questions()) == 2)
            await one.press(*"111119", "enter", *"111111", "enter")
            await one.ended()
            assert "Pairing failed · wrong PIN" in one.text
            card = [line for line in one.text.split("\n") if "1 1 1" in line or "^" in line]
            assert len(card) == 3, "both PINs, and marks below the digits that differ"
            assert card[1].rindex("9") == card[2].rindex("^")
            assert {e.fields["reason"] for e in one.events("not_paired")} == {4}

    play(story())


def test_a_display_is_not_put_over_the_card():
    """The accessory goes on showing its PIN after the phone has cancelled; whoever plays both has seen it."""

    async def story():
        async with bench("demo", play=BOTH) as one:
            await one.until(lambda: one.control.questions())
            await one.press("escape")
            await one.run_for(1)
            assert one.control.face("display").pin
            assert "Somebody refused" in one.text

    play(story())


@pytest.mark.parametrize(
    ("scenario", "who", "missed", "todo"),
    [
        (
            "passkey_lock",
            PHONE,
            "nobody typed the PIN on phone: no answer for 30 s",
            "type the PIN before",
        ),
        (
            "keypad_types",
            ACCESSORY,
            "nobody typed the PIN on keypad: no answer for 30 s",
            "type the PIN before",
        ),
        (
            "numeric_comparison",
            PHONE,
            "nobody compared the numbers on phone",
            "say whether they are the same",
        ),
        ("just_works_headset", PHONE, "nobody said on phone whether to pair", "say yes before"),
    ],
)
def test_a_person_who_is_late_is_named_and_not_the_connection(scenario, who, missed, todo):
    async def story():
        async with bench(scenario, play=who) as one:
            await one.until(lambda: one.control.questions())
            await one.run_for(31)
            await one.found()
            card = card_of(one.text)
            assert "Pairing failed · timeout" in card
            assert missed in card
            assert "the connection broke" not in card
            assert todo in card
            assert "disconnect first" in card

    play(story())
