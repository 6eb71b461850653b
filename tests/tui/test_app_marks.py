"""Marks, times between lines, and searches: the same on Ladder and Packets; where there is none the screen says so."""

from __future__ import annotations

import itertools

import pytest

from tests.tui.bench import bench, play
from tests.tui.test_capture_source import written
from tui.keys import keys_of
from tui.text import count


def said(one):
    return one.text.split("\n")[-2].strip()


def upper_edge(one):
    return one.text.split("\n")[2]


def test_marks_of_the_ladder_are_set_visited_and_taken_away():
    async def story():
        async with bench(play=("none",)) as one:
            await one.run_for(6)
            ladder = one.app.screen.ladder
            await one.press("apostrophe")
            assert said(one) == "no rung is marked: m marks one"
            await one.press("m", "up", "up", "m")
            later, earlier = ladder.count() - 1, ladder.cursor
            assert "marks 2" in upper_edge(one)
            assert one.text.count("┃    m ") + one.text.count("┃ ▸  m ") == 2
            await one.press("apostrophe")
            assert ladder.cursor == later
            await one.press("apostrophe")
            assert ladder.cursor == earlier, "round the end"
            await one.press("m", "apostrophe")
            assert ladder.cursor == later
            await one.press("m")
            assert "marks" not in upper_edge(one)

    play(story())


def test_times_of_the_ladder_count_from_the_mark_and_say_so_above():
    async def story():
        async with bench(play=("none",)) as one:
            await one.run_for(6)
            screen = one.app.screen
            heads = []
            await one.press("m")
            for _ in range(3):
                await one.press("t")
                heads.append(one.text.split("\n")[3].split("#")[0].strip("┃ "))
            assert heads == ["delta", "since mark", "time"]
            await one.press("t", "t")
            marked = screen.ladder.selected().event
            first = screen.ladder.rows[screen.ladder.top][0].event
            assert f"{(first.t_us - marked.t_us) / 1e6:+.3f}" in one.text.split("\n")[5]
            await one.press("m")
            assert "since mark" not in one.text.split("\n")[3], "there is nothing to count from"
            await one.press("t")
            assert "times: delta" in one.text

    play(story())


def test_the_time_since_the_line_before_is_that_of_the_line_before():
    """Of an open rung, too: each member counts from the one above it."""

    async def story():
        async with bench(play=("none",)) as one:
            await one.run_for(6)
            screen = one.app.screen
            ladder = screen.ladder
            at = next(row for row, (rung, _) in enumerate(ladder.rows) if rung.title)
            ladder.go(at)
            await one.press("z", "t", "down", "down", "down")
            times = [
                ladder.shown_at(row).t_us
                for row in range(ladder.top, ladder.top + ladder.rows_seen)
            ]
            shown = [line[3:15].split()[-1] for line in one.text.split("\n")[5:15]]
            wanted = [f"+{(b - a) / 1e6:.3f}" for a, b in itertools.pairwise(times)]
            assert shown[1:] == wanted
            assert sum(times[row] == times[0] for row in range(1, 5)) < 4

    play(story())


def test_a_search_of_the_ladder_finds_what_is_folded_and_what_names_the_fold():
    async def story():
        async with bench(play=("none",)) as one:
            await one.run_for(6)
            screen = one.app.screen
            for words in ("random value, round 7", "confirm and random match"):
                await one.press("end")
                screen.search = words
                await one.press("n")
                rung, member = screen.ladder.rows[screen.ladder.cursor]
                assert (bool(rung.title), member) == (True, -1)
            await one.press("z")
            screen.search = "random value, round 7"
            await one.press("n")
            event = screen.ladder.selected().event
            assert (event.fields["bit"], event.event) == (7, "pairing_random")

    play(story())


def test_nothing_of_the_marks_is_left_after_a_restart():
    async def story():
        async with bench(play=("none",), start="packets") as one:
            await one.run_for(1)
            await one.press("m", "t", "t", "2", "m", "t", "t")
            assert "since mark" in one.text
            one.app.restart()
            one.control.pause()
            await one.run_for(1)
            for digit in "23":
                await one.press(digit)
                assert "since mark" not in one.text.split("\n")[3]
                assert "marks" not in upper_edge(one)
                await one.press("t")
                assert said(one) == "times: delta"

    play(story())


def test_marked_packets_that_the_filter_hides_are_not_denied():
    async def story():
        async with bench(play=("none",), start="packets") as one:
            await one.run_for(1)
            await one.press("apostrophe")
            assert said(one) == "no packet is marked: m marks one"
            await one.press("home", "m", "t", "t", "slash", *"smp", "enter")
            await one.press("apostrophe")
            assert said(one) == "the filter hides what is marked: esc clears it"
            await one.press("s", *"adv", "enter")
            assert said(one) == "no packet fits adv among those that the filter shows"
            await one.press("escape")
            await one.press("escape")
            await one.press("apostrophe", "m")
            assert "since mark" not in one.text.split("\n")[3], "there is nothing to count from"

    play(story())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_the_numbers_stay_in_the_title_whatever_the_filter_is(size):
    async def story():
        async with bench(play=("none",), size=size, start="packets") as one:
            await one.run_for(6)
            await one.press("m", "up", "m", "c")
            packets = one.session.packets
            assert f"Packets {count(len(packets))} of {count(packets.total)} " in upper_edge(one)
            assert "marks 2" in upper_edge(one)
            assert 'filter: (from:"' in upper_edge(one)

    play(story())


@pytest.mark.slow
def test_where_a_key_of_lists_has_nothing_to_do_it_says_so_and_no_help_has_it():
    async def story():
        async with bench(play=("none",)) as one:
            for digit, name in (("1", "Air"), ("5", "Scenarios")):
                await one.press(digit)
                for key in ("m", "apostrophe", "t", "n", "N", "f"):
                    one.app.message = ("", "")
                    await one.press(key)
                    assert said(one).startswith(f"{name} has no "), key
                await one.press("question_mark")
                pages = ""
                for _ in range(6):
                    pages += one.text
                    await one.press("down")
                for key in keys_of("everywhere"):
                    if key.id in ("mark", "mark.next", "time.style", "find.previous", "follow"):
                        assert key.tooltip[:20] not in pages, key.id
                assert "filter the list" in pages
                await one.press("escape")

    play(story())


def test_a_capture_has_marks_times_and_searches_like_a_run(tmp_path):
    async def story():
        async with bench(written(tmp_path / "a.pcap", 30)) as one:
            while not one.session.source.done:
                await one.pilot.pause()
            await one.turn()
            rows = one.app.screen.rows
            await one.press("down", "m", "down", "down", "m", "t", "t", "home", "apostrophe")
            assert rows.cursor == 1
            await one.press("apostrophe")
            assert rows.cursor == 3
            assert "marks 2" in upper_edge(one)
            assert "since mark" in one.text
            await one.press("s", *"number==20", "enter")
            assert one.session.packets.event(rows.cursor).seq == 20
            await one.press("n")
            assert one.session.packets.event(rows.cursor).seq == 20, "there is one match"
            await one.press("2", "m", "apostrophe", "t", "n", "c")
            assert "3 shows them" in one.text
            assert upper_edge(one).startswith("┏━ Ladder ━"), "there are no parties to name"
            assert one.app.is_running

    play(story())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_protocol_of_six_letters_is_apart_from_what_the_packet_says(size):
    async def story():
        async with bench("demo", size=size, play=("none",), start="packets") as one:
            await one.run_for(6)
            await one.press("slash", *"text~acknowledgement", "enter")
            assert "802.11 " in one.text
            assert "802.11a" not in one.text

    play(story())
