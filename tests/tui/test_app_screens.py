"""Screens by keyboard: what each key does on Air, Ladder and Packets, the clock, endings, small and plain terminals."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sim.trace import TraceLog
from tests.sim.worlds import accessory
from tests.tui.bench import bench, play
from tui.feed import Feed
from tui.keys import EVERYWHERE, KEYS, keys_of
from tui.session import Request, Session
from tui.widgets.octets import FieldsPane, OctetsPane

VECTORS = Path(__file__).parents[1] / "vectors"
AWARE = VECTORS / "wifi-aware-full-sae-ccmp128-ndp-pk128.pcap"


# Ladder


def test_a_rung_shows_its_packet_its_cause_and_its_members():
    async def story():
        async with bench(play=("none",)) as one:
            await one.run_for(4)
            await one.press("home")
            assert "follow off" in one.text
            rows = one.app.screen.ladder.rows
            folded = next(at for at, (rung, _) in enumerate(rows) if rung.title)
            one.app.screen.ladder.go(folded)
            await one.turn()
            assert "rounds 1-20 of 20" in one.text
            await one.press("z")
            assert "confirm value, round 1 of 20" in one.text
            assert len(one.app.screen.ladder.rows) == len(rows) + 80
            await one.press("z")
            assert len(one.app.screen.ladder.rows) == len(rows)
            request = next(
                at for at, (rung, _) in enumerate(rows) if rung.event.event == "pairing_response"
            )
            one.app.screen.ladder.go(request)
            await one.turn()
            event = rows[request][0].event
            assert f"because of #{event.cause}" in one.text
            await one.press("enter")
            assert "[3 Packets]" in one.text
            assert one.app.screen.rows.selected().seq == event.seq
            await one.press("less_than_sign")
            assert one.app.screen.rows.selected().seq == event.cause

    play(story())


def test_values_are_dots_until_somebody_says_yes():
    async def story():
        async with bench(play=("none",)) as one:
            await one.run_for(4)
            pin = next(e.fields["pin"].value for e in one.events("pin_entered"))
            await one.press("v")
            assert "both, equal ✓" in one.text
            await one.press("V", "n")
            assert pin not in one.text
            await one.press("V", "y")
            assert pin in one.text
            await one.press("V")
            assert pin not in one.text

    play(story())


def test_searching_and_times():
    async def story():
        async with bench(play=("none",)) as one:
            await one.run_for(4)
            await one.press("slash")
            await one.type("dhkey check")
            await one.press("enter")
            ladder = one.app.screen.ladder
            first = ladder.selected().event
            assert first.event == "dhkey_check"
            await one.press("n")
            assert ladder.selected().event.seq != first.seq
            await one.press("N")
            assert ladder.selected().event.seq == first.seq
            await one.press("t")
            assert "+1.1" in one.text or "+0." in one.text
            await one.press("m", "down")
            assert "+0.0" in one.text

    play(story())


def test_other_parties_can_be_drawn():
    async def story():
        async with bench("demo", (120, 40), play=("none",)) as one:
            await one.run_for(3)
            seen = set()
            for _ in range(6):
                await one.press("c")
                seen.add(one.app.screen.parties())
            assert ("iphone", "display") in seen
            assert any(len(parties) == 3 for parties in seen)

    play(story())


# Packets


def test_fields_and_octets_are_tied_both_ways():
    async def story():
        async with bench(play=("none",), start="packets") as one:
            await one.run_for(4)
            packets = one.session.packets
            await one.press("slash", "ctrl+u")
            await one.type("smp.code==1 && message")
            await one.press("enter", "home")
            assert len(packets) == 1
            fields, octets = (
                one.app.screen.query_one(FieldsPane),
                one.app.screen.query_one(OctetsPane),
            )
            await one.press("enter")
            assert fields.has_focus
            assert "[01]04" in one.text
            await one.press("down")
            assert octets.span != (0, 1)
            assert "[04" in one.text
            await one.press("tab")
            assert octets.has_focus
            await one.press(*["left"] * 8)
            assert fields.selected().node.name == "smp_code"
            assert "smp_code (1 octet at 0) = 1  Pairing Request" in one.text

    play(story())


def test_a_wrong_filter_says_where_and_changes_nothing():
    async def story():
        async with bench(play=("none",), start="packets") as one:
            await one.run_for(1)
            before = len(one.session.packets)
            await one.press("slash", "ctrl+u")
            await one.type("adv && frm:lock")
            assert "column 8" in one.text
            assert "did you mean from" in one.text
            await one.press("enter")
            assert "Filter packets" in one.text, "a wrong filter is not applied"
            await one.press("escape")
            assert len(one.session.packets) == before
            await one.press("escape")
            assert len(one.session.packets) == one.session.packets.total

    play(story())


def test_marks_conversation_and_copies():
    async def story():
        async with bench("demo", start="packets", play=("none",)) as one:
            await one.run_for(6)
            screen = one.app.screen
            await one.press("home", "down", "m", "down", "down", "m")
            assert "marks 2" in one.text
            row = screen.rows.cursor
            await one.press("apostrophe")
            assert screen.rows.cursor != row
            await one.press("apostrophe")
            assert screen.rows.cursor == row
            auth = next(e for e in one.events("authentication") if e.layer == "air")
            everything = len(one.session.packets)
            screen.show_packet(auth.seq)
            await one.press("c")
            ends = {
                frozenset(one.session.packets.ends.of(one.session.packets.event(at)))
                for at in range(len(one.session.packets))
            }
            assert ends == {frozenset(("iphone", "display"))}
            await one.press("c")
            assert len(one.session.packets) == everything
            await one.press("y")
            assert "PASN" in one.app.clipboard
            await one.press("y")
            assert one.app.clipboard == auth.data.hex()
            await one.press("y")
            assert '"event":"authentication"' in one.app.clipboard

    play(story())


def test_a_capture_opens_like_a_run():
    async def story():
        async with bench(AWARE, (120, 40)) as one:
            assert "[3 Packets]" in one.text
            assert "PASN" in one.text
            assert "read" in one.text.splitlines()[0]
            await one.press("slash")
            await one.type("pasn")
            await one.press("enter")
            shown = [one.session.packets.event(at).event for at in range(len(one.session.packets))]
            assert set(shown) == {"authentication"}
            await one.press("t", "t")
            assert "time UTC" in one.text
            await one.press("1")
            assert "NAN" in one.text
            await one.press("space")
            assert "no run to control" in one.text
            await one.press("q")
            assert not one.app.is_running, "nothing would be lost: it does not ask"

    play(story())


def test_what_was_skipped_is_said():
    def opener():
        log = TraceLog(lambda: 0, 50)
        for number in range(200):
            log.emit(
                "a",
                "air",
                "adv_ind",
                data=bytes((2, 6, number, 1, 2, 3, 4, 5)),
                channel=37,
                outcomes={},
            )
        session = Session(Request(what="x"), Feed(log, 50), "x", ["a", "b"])
        session.saved = True
        return session

    async def story():
        async with bench(opener=opener, start="packets") as one:
            assert "150 skipped" in one.text
            assert "Packets 50 of 50" in one.text

    play(story())


# Air


def test_air_sorts_stars_filters_and_pairs():
    async def story():
        async with bench(start="air") as one:
            await one.run_for(0.2)
            assert "LEN TYPE VALUE" in one.text
            assert "Complete local name" in one.text
            await one.press("s")
            assert "sort: address" in one.text
            await one.press("asterisk")
            assert "★" in one.text
            await one.press("slash")
            await one.type("!starred")
            await one.press("enter")
            assert "nobody fits" in one.text
            await one.press("escape")
            assert "Advertisers 1 of 1" in one.text
            await one.press("enter")
            assert "[3 Packets]" in one.text

    play(story())


def test_air_pairs_the_selected_accessory():
    async def story():
        async with bench("thermometer_session", start="air", play=("none",)) as one:
            await one.run_for(0.5)
            await one.press("p")
            assert [e.fields["do"] for e in one.events("command")] == ["pair"]
            assert one.events("command")[0].fields["set"]["to"] == one.app.screen.selected_owner()

    play(story())


def test_malformed_adverts_say_why():
    async def story():
        async with bench("us16_malformed_tail", start="air", play=("none",)) as one:
            await one.run_for(1)
            assert "bad AD: length" in one.text
            assert "!" in one.text

    play(story())


def test_names_from_the_air_are_not_obeyed():
    """A device whose name holds an escape sequence moves no cursor and clears no screen."""
    evil = bytes((11, 9)) + b"\x1b[2J\x1b]0;x\x07"
    pdu = bytes((0x40, 6 + len(evil))) + bytes.fromhex("0102030405c6") + evil

    def opener():
        log = TraceLog(lambda: 0, 50)
        log.emit("a", "air", "adv_ind", data=pdu, channel=37, outcomes={})
        log.emit("a", "ble", "connected", peer="b\x1b[2J", note="\x1b[31mred\u202e")
        session = Session(Request(what="x"), Feed(log, 50), "x\x1b[2J", ["a", "b"])
        session.saved = True
        return session

    async def story():
        for start in ("air", "ladder", "packets"):
            async with bench(opener=opener, start=start) as one:
                assert "\x1b" not in one.text
                assert "\u202e" not in one.text

    play(story())


# The clock


def test_the_clock_by_keyboard():
    async def story():
        async with bench(play=("none",)) as one:
            assert "paused" in one.text
            await one.press("greater_than_sign")
            assert one.control.now_us == 1_000_000
            await one.press("full_stop")
            stepped_us = one.control.now_us
            assert stepped_us > 1_000_000
            assert list(one.control.world.trace)[-1].t_us == stepped_us
            await one.press("comma")
            assert one.control.now_us > stepped_us
            await one.press("plus")
            assert one.control.speed is None
            await one.press("minus")
            assert one.control.speed == 50.0
            await one.press("equals_sign")
            assert one.control.speed == 1.0
            assert "1.0x" in one.text

    play(story())


# Ends


def test_quitting_and_restarting_ask_when_the_run_is_in_no_file():
    async def story():
        async with bench(play=("none",)) as one:
            await one.run_for(1)
            await one.press("q")
            assert "in no file" in one.text
            await one.press("n")
            assert one.app.is_running
            await one.press("R")
            assert "Restart?" in one.text
            world = one.control.world
            await one.press("y")
            assert one.control.world is not world
            one.control.pause()
            await one.turn()
            kept = {id(event) for event in one.control.world.trace}
            shown = [rung.event for rung, _ in one.app.screen.ladder.rows]
            assert all(id(event) in kept for event in shown), "nothing of the old run is left"
            await one.press("q", "y")
            assert not one.app.is_running
            assert one.app.return_value == 0

    play(story())


def test_a_run_that_is_written_to_a_file_is_not_lost(tmp_path):
    async def story():
        file = tmp_path / "air.pcapng"
        async with bench(play=("none",), captures=(str(file),)) as one:
            assert "● REC" in one.text
            await one.run_for(31)
            await one.press("q")
            assert not one.app.is_running
            assert one.app.written[str(file)] > 100
            assert one.app.return_value == 0

    play(story())


def test_a_world_that_dies_leaves_the_screen(tmp_path):
    source = accessory(
        "async def start(self):\n    await asyncio.sleep(1)\n    raise ValueError('broken')"
    )
    (tmp_path / "own.py").write_text(source, encoding="utf-8")
    file = tmp_path / "dies.toml"
    file.write_text(
        'title = "dies"\nduration = "9s"\n[[node]]\nname = "dev"\naccessory = "own.py"\nat = [1, 0]\n'
        '[[node]]\nname = "ph"\nphone = "generic"\n',
        encoding="utf-8",
    )

    async def story():
        async with bench(file, play=("none",)) as one:
            one.control.resume()
            assert one.control.wait("died")
            await one.turn()
            assert "✗ died" in one.text
            assert "broken" in one.text
            await one.press("space", "1", "3", "p", "full_stop")
            assert "the run is over" in one.text
            await one.press("q", "y")
            assert one.app.return_value == 1

    play(story())


def test_an_unknown_scenario_ends_the_app_with_its_error():
    async def story():
        async with bench("passkey_lok"):
            pass

    with pytest.raises(AssertionError, match="did you mean passkey_lock"):
        play(story())


# Everywhere


def test_every_focusable_pane_is_reached_by_tab():
    async def story():
        async with bench(play=("none",), size=(120, 40)) as one:
            await one.run_for(1)
            for screen in ("1", "2", "3"):
                await one.press(screen)
                wanted = set(one.app.screen.focus_chain)
                seen = set()
                for _ in range(len(wanted)):
                    seen.add(one.app.screen.focused)
                    await one.press("tab")
                assert seen == wanted

    play(story())


@pytest.mark.slow
def test_help_lists_every_key_of_the_place():
    async def story():
        async with bench(play=("none",)) as one:
            for digit, name in (("1", "air"), ("2", "ladder"), ("3", "packets")):
                await one.press(digit, "question_mark")
                pages = []
                for _ in range(5):
                    pages.append(one.text)
                    await one.pilot.press("down")
                text = " ".join("".join(pages).split())
                for key in (*keys_of(name), *keys_of(EVERYWHERE)):
                    if key.id in one.app.bench_screen.WITHOUT:
                        continue
                    if one.app.is_there(key) and not key.id.startswith(("screen.", "move.")):
                        assert key.tooltip.split(",")[0][:16] in text, key.id
                await one.press("escape")
            assert {key.scope for key in KEYS} > {"air", "ladder", "packets"}

    play(story())


def test_any_action_is_found_by_its_name():
    async def story():
        async with bench(play=("none",)) as one:
            await one.press("colon")
            await one.type("quit")
            assert "1 of" in one.text
            await one.press("escape", "ctrl+p")
            await one.type("screen packets")
            await one.press("enter")
            assert "[3 Packets]" in one.text

    play(story())


def test_a_pane_can_have_all_the_room():
    async def story():
        async with bench(play=("none",), start="packets") as one:
            await one.run_for(1)
            before = one.app.screen.rows.size.height
            await one.press("backslash")
            assert one.app.screen.rows.size.height == 20
            await one.press("backslash")
            assert one.app.screen.rows.size.height == before
            await one.press("vertical_line")
            assert one.app.screen.rows.size.height > before

    play(story())


@pytest.mark.parametrize("size", [(60, 16), (79, 23), (200, 60)])
def test_other_sizes_show_the_list_and_keep_within_the_terminal(size):
    async def story():
        async with bench(play=("none",), size=size) as one:
            await one.run_for(4)
            for digit, word in (("1", "Advertisers"), ("2", "Ladder"), ("3", "Packets")):
                await one.press(digit)
                assert word in one.text
                assert max(map(len, one.text.splitlines())) <= size[0]

    play(story())


def test_a_tiny_terminal_is_told_what_it_needs():
    async def story():
        async with bench(play=("none",)) as one:
            await one.pilot.resize_terminal(50, 10)
            await one.turn()
            assert "60 x 16" in one.text
            assert "nearbench run" in one.text
            await one.pilot.resize_terminal(120, 40)
            await one.turn()
            assert "[2 Ladder]" in one.text

    play(story())


def test_plain_terminals_get_nothing_but_ascii():
    async def story():
        async with bench(ascii_only=True) as one:
            await one.asked()
            assert one.text.isascii()
            await one.press("w")
            await one.ended()
            assert one.text.isascii()
            await one.press("escape")
            for key in ("1", "2", "v", "3", "question_mark"):
                await one.press(key)
                assert one.text.isascii()

    play(story())


@pytest.mark.slow
def test_keys_pressed_at_random_break_nothing():
    """Every key of the table but those that end the run, in any order, with the clock held or not, at any size."""
    rnd = random.Random(5)
    ends = ("quit", "restart", "clock.faster")  # at full speed the test would wait for the world
    keys = [name for key in KEYS if key.id not in ends for name in key.key.split(",")]
    keys += [*"0123456789abc", "tab", "backspace"]

    async def story():
        async with bench(speed=1.0) as one:
            await one.run_for(0.5)
            for turn in range(100):
                await one.pilot.press(rnd.choice(keys))
                if turn % 20 == 0:
                    await one.pilot.resize_terminal(rnd.randint(20, 160), rnd.randint(5, 60))
            one.control.pause()
            assert one.app.is_running
            assert one.control.state != "died"

    play(story())
