"""Packets: encrypted ones in clear where the run knows how, searching without hiding, times of every kind."""

from __future__ import annotations

import pytest

from tests.tui.bench import assert_golden, bench, play
from tests.tui.test_capture_source import written
from tests.tui.test_models import feed_of, run
from tui.filters import compile_filter
from tui.models.decoding import info_of
from tui.models.packet_list import PacketList
from tui.models.packet_search import Search
from tui.models.packet_times import Times


def packets_of(name):
    """Packets of a library scenario's run, and all its events."""
    events = run(name)
    _, feed = feed_of(events)
    packets = PacketList(feed)
    packets.take(feed.pull())
    packets.look(lambda: False)
    return packets, events


def names(nodes):
    return [name for node in nodes for name in (node.name, *names(node.children))]


def test_what_a_host_was_given_is_the_clear_form_of_what_was_on_the_air():
    packets, events = packets_of("passkey_lock")
    encrypted_us = next(e.t_us for e in events if e.event == "encrypted")
    sent = [e for e in events if e.layer == "air" and e.event == "ll_data"]
    assert all(packets.clear.of(e) is None for e in sent if e.t_us < encrypted_us - 100_000), (
        "what is not encrypted has no other form"
    )
    ended_us = next(e.t_us for e in events if e.event == "disconnected")
    late = [e for e in sent if encrypted_us < e.t_us < ended_us and "heard" in e.fields["outcomes"].values()
            and not e.fields.get("again")]  # fmt: skip
    assert len(late) > 5
    found = {e.seq: packets.clear.of(e) for e in late}
    assert all(found.values())
    for one in late:
        clear = found[one.seq].data
        assert clear[1] == len(clear) - 2 == one.data[1] - 4, "the MIC has four octets"
        assert clear[2:4] == (len(clear) - 6).to_bytes(2, "little"), "an L2CAP frame begins there"
    written_value = [e for e in events if e.event == "write_request"][-1].data
    assert any(one.data.endswith(written_value) for one in found.values())
    assert "smp_code" in names(found[late[0].seq].tree)


def test_keys_of_a_run_open_its_frames_and_show_no_key():
    packets, events = packets_of("demo")
    frames = [e for e in events if e.layer == "air" and e.event.startswith("protected")]
    opened = [found for e in frames if (found := packets.clear.of(e)) is not None]
    assert len(opened) > len(frames) * 3 // 4
    assert any("shared_key_descriptor" in names(found.tree) for found in opened)
    hello = b"hello"
    assert any(hello in found.data for found in opened)
    assert not any(hello in e.data for e in frames)
    secrets = [bytes.fromhex(e.fields["value"].value) for e in events
               if e.event == "derived" and e.fields["name"] in ("nik", "nm_tk", "nm_kek")]  # fmt: skip
    assert secrets
    assert not any(secret in found.data for secret in secrets for found in opened)
    beacon = next(e for e in events if e.event == "sync_beacon")
    assert packets.clear.of(beacon) is None


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_encrypted_packets_on_the_screen(size):
    async def story():
        async with bench(size=size, play=("none",), start="packets") as one:
            await one.run_for(6)
            await one.press("s")
            await one.type('text~"encrypted data"')
            await one.press("enter")
            assert "[air] clear" in one.text
            await one.press("d")
            assert "air [clear]" in one.text
            assert_golden(f"packets_clear_{size[0]}x{size[1]}", one.text)
            await one.press("tab", "end")
            assert "[" in one.text.split("Octets")[1]
            await one.press("d")
            assert "[air] clear" in one.text

    play(story())


def test_searching_hides_nothing_and_goes_round():
    async def story():
        async with bench(play=("none",), start="packets") as one:
            await one.run_for(6)
            rows = one.app.screen.rows
            before = rows.count()
            wanted = [row for row in range(before) if rows.packets.event(row).event == "pairing_confirm"]  # fmt: skip
            await one.press("home", "s")
            await one.type("event:pairing_confirm")
            assert "enter goes to the next match" in one.text
            await one.press("enter")
            assert rows.cursor == wanted[0]
            assert rows.count() == before
            await one.press("n", "n")
            assert rows.cursor == wanted[2]
            await one.press("N")
            assert rows.cursor == wanted[1]
            await one.press("end", "n")
            assert rows.cursor == wanted[0]
            await one.press("N")
            assert rows.cursor == wanted[-1]
            await one.press("escape")
            assert "search:" not in one.text
            await one.press("s")
            await one.type("rssi<-190")
            await one.press("enter")
            assert "no packet fits" in one.text

    play(story())


def test_a_search_over_many_rows_comes_in_slices():
    packets, _ = packets_of("passkey_lock")
    looks = 0
    search = Search(packets, compile_filter("number==999999", packets.vocabulary), 0, 1)
    while not search.look(lambda: True):
        looks += 1
    assert search.found is None
    assert looks >= len(packets) // 64 - 1
    assert search.progress == 1.0


def test_times_since_the_line_above_and_since_a_mark():
    _, events = packets_of("passkey_lock")
    times, (first, second) = Times(), events[10:12]
    assert times.text(second, first) == f"{second.t_us / 1e6:.6f}"
    assert times.turn(has_wall=False) == "delta"
    assert times.text(second, first) == f"+{(second.t_us - first.t_us) / 1e6:.6f}"
    assert times.text(first, None) == "+0.000000"
    assert times.turn(has_wall=False) == "from the start", "nothing is marked"
    times.mark_us = second.t_us
    times.turn(has_wall=False)
    assert times.turn(has_wall=False) == "since mark"
    assert times.text(first, None).startswith("-" if first.t_us < second.t_us else "+")


def test_a_capture_has_times_of_the_day_and_nothing_in_clear(tmp_path):
    async def story():
        async with bench(written(tmp_path / "a.pcap", 30)) as one:
            while not one.session.source.done:
                await one.pilot.pause()
            await one.turn()
            await one.press("t", "t")
            assert "time UTC" in one.text
            assert "22:13:20" in one.text, "1 700 000 000 s after 1970 began"
            await one.press("d")
            assert "no other form is known" in one.text

    play(story())


def test_a_capture_without_packets_is_not_waited_for(tmp_path):
    file = tmp_path / "header.pcap"
    file.write_bytes(written(tmp_path / "one.pcap", 1).read_bytes()[:24])

    async def story():
        async with bench(file) as one:
            while not one.session.source.done:
                await one.turn()
            await one.turn()
            assert "the capture holds no packets" in one.text
            assert "no packets yet" not in one.text

    play(story())


def test_a_pairing_response_on_the_air_is_fields():
    """By name in a filter, and the same in the tree."""
    packets, _ = packets_of("passkey_lock")
    packets.set_filter("smp.max_key_octets==16 && smp.responder_keys.identity==1 && air")
    while packets.look(lambda: False):
        pass
    found = [packets.event(row) for row in range(len(packets))]
    assert {info_of(one).split(" (")[0].rpartition("SMP ")[2] for one in found} == {
        "Pairing Request", "Pairing Response",
    }  # fmt: skip
