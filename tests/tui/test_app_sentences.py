"""What the interface says when a key leads nowhere: who, what, and no name twice."""

from __future__ import annotations

from tests.tui.bench import bench, play


def said(one):
    return one.text.split("\n")[-2].strip()


def rung_of(one, name):
    rows = one.app.screen.ladder.rows
    return next(at for at, (rung, _) in enumerate(rows) if rung.event.event == name)


def test_a_rung_without_a_packet_says_so_and_leaves_the_ladder_where_it_is():
    async def story():
        async with bench(play=("none",)) as one:
            await one.run_for(1)
            one.app.screen.ladder.go(rung_of(one, "start"))
            await one.press("enter")
            assert "[2 Ladder]" in one.text
            assert said(one) == "no packet belongs to this rung: nothing that led to it was sent"

    play(story())


def test_a_rung_leads_to_the_packet_behind_what_led_to_it():
    """Not to its cause alone, which may be no packet."""

    async def story():
        async with bench("wrong_pin", play=("none",)) as one:
            await one.run_for(8)
            ladder = one.app.screen.ladder
            rung = ladder.rows[at := rung_of(one, "not_paired")][0]
            assert rung.event.data is None
            ladder.follow = False
            ladder.go(at)
            await one.press("enter")
            assert "[3 Packets]" in one.text
            shown = one.app.screen.rows.selected()
            assert shown.data is not None
            causes, event = set(), rung.event
            by_number = {one.seq: one for one in one.control.world.trace}
            while event.cause is not None:
                event = by_number[event.cause]
                causes.add(event.seq)
            assert shown.seq in causes

    play(story())


def test_connecting_twice_at_once_is_told_once_with_what_to_do():
    async def story():
        async with bench(play=("none",)) as one:
            one.control.do("phone", "connect", to="lock")  # the scenario's own step has begun
            await one.turn()
            failed = one.events("connect_refused")
            assert len(failed) == 1
            assert "pending" not in failed[0].note
            assert "wait until it is connected" in failed[0].note

    play(story())


def test_who_failed_is_named_once():
    async def story():
        async with bench("silent_peer", play=("none",)) as one:
            one.app.watch_command(one.control.do("phone", "connect", to="nobody"), "phone")
            one.app.watch_command(one.control.do("phone", "no_such"), "phone")
            await one.turn()
            for text in {one.app.message[0], *one.app._news}:
                assert text.startswith("phone")
                assert "phone: phone" not in text

    play(story())


def test_a_sentence_that_was_said_is_read_to_its_end():
    """What was said takes a second line where it needs one, and gives it back."""
    words = "'Accessory' is in Settings > Privacy & Security > Paired Devices of the phone, beside the others there"

    async def story():
        async with bench(play=("none",)) as one:
            before = one.text.split("\n")
            one.app.say(f"✓ display and iphone are paired: {words}", "good")
            await one.turn()
            rows = one.text.split("\n")
            assert " ".join(row.strip() for row in rows[-3:-1]).endswith(words)
            assert rows[-1] == before[-1], "the keys stay"
            assert len(rows) == len(before)
            await one.pilot.resize_terminal(160, 24)
            await one.turn()
            assert one.text.split("\n")[-2].strip().endswith(words)
            await one.pilot.resize_terminal(80, 24)
            one.app.say("short")
            await one.turn()
            assert one.text.split("\n")[-2].strip() == "short"
            assert one.text.split("\n")[-3].startswith("└"), "the line is given back"

    play(story())
