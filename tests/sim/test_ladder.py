"""The text ladder: arrows join the right lanes, nothing runs off 80 columns, repetitions are counted."""

from __future__ import annotations

import pytest

from sim.ladder import Ladder, Lines, drawing
from sim.trace import TraceEvent, told


def event(seq=1, node="phone", name="read", direction="tx", peer="lock", note="", **fields):
    return TraceEvent(seq, 1_500_000, node, "ble", name, direction, peer, None, fields, note)


def test_an_arrow_goes_from_sender_to_receiver():
    ladder = Ladder(["phone", "lock"])
    (there,) = ladder.draw(event(label="read lock state"))
    (back,) = ladder.draw(event(seq=2, node="lock", peer="phone", label="locked"))
    (heard,) = ladder.draw(event(seq=3, direction="rx", label="advert"))
    assert there.index("read lock state") < there.index("▶")
    assert "◀" not in there
    assert back.index("◀") < back.index("locked")
    assert heard.index("◀") < heard.index("advert")
    assert there.startswith("   1.500000")


def test_an_arrow_passes_lanes_between():
    (line,) = Ladder(["a", "b", "c", "d"]).draw(event(node="a", peer="c", label="hi"))
    lane = Ladder(["a", "b", "c", "d"]).lane
    assert line[12] == "│"
    assert line[12 + 2 * lane - 1] == "▶"
    assert line[12 + 2 * lane] == "│"
    assert line[12 + 3 * lane] == "│"


def test_a_label_too_long_for_its_arrow_stands_whole_below():
    lines = list(
        Ladder(["a", "b", "c", "d", "e"]).draw(
            event(node="a", peer="b", label="subscribe to temperature", note="on")
        )
    )
    assert "subscribe" not in lines[0]
    assert "subscribe to temperature: on" in " ".join(line.strip(" │•") for line in lines[1:])


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9])
def test_nothing_is_wider_than_80_columns(count):
    names = [f"device-number-{n}" for n in range(count)]
    drawn = drawing(names)
    events = [
        event(node=names[0], peer=names[-1], label="x" * 30, note="word " * 60),
        event(node=names[-1], direction="", peer="", label="a note", note="word " * 60),
        event(
            node=names[-1],
            direction="tx",
            peer="somebody else",
            note="https://example.com/" + "y" * 100,
        ),
    ]
    lines = [drawn.header(), *(line for e in events for line in drawn.draw(e))]
    assert max(map(len, lines)) <= 80


def test_what_happens_often_is_drawn_once_and_counted():
    ladder = Ladder(["phone", "lock"])
    drawn = [
        line
        for _ in range(40)
        for line in ladder.draw(event(name="heard", direction="rx", label="advert", often=True))
    ]
    assert len(drawn) == 1
    assert list(ladder.summary()) == ["phone heard lock (advert) 40 times"]


def test_packets_and_strangers_are_not_drawn():
    ladder = Ladder(["phone"])
    assert list(ladder.draw(TraceEvent(1, 0, "phone", "hci", "packet"))) == []
    assert list(ladder.draw(TraceEvent(1, 0, "phone", "air", "adv_ind"))) == []
    assert list(ladder.draw(event(node="stranger"))) == []


def test_many_parties_become_lines():
    assert type(drawing([str(n) for n in range(12)])) is Lines
    assert type(drawing(["a", "b"])) is Ladder
    (line,) = Lines([str(n) for n in range(12)]).draw(
        event(node="3", peer="7", label="read", note="why")
    )
    assert line == "   1.500000 3 → 7: read: why"


@pytest.mark.parametrize("kind", [Ladder, Lines])
def test_what_two_layers_of_a_party_say_at_one_instant_is_said_once(kind):
    """The link and the phone on top of it, with a peer that has no lane."""
    drawn = kind(["phone"], columns=120)
    first = event(seq=1, name="disconnected", direction="", peer="c0", note="0x16 ended here")
    again = event(seq=2, name="disconnected", direction="", peer="c0", note="0x16 ended here")
    other = event(seq=3, name="disconnected", direction="", peer="c1", note="0x16 ended here")
    later = TraceEvent(4, 2_500_000, "phone", "ble", "disconnected", note="0x16 ended here")
    counts = [len(list(drawn.draw(one))) for one in (first, again, other, later)]
    assert counts == [1, 0, 1, 1]


def test_a_step_and_the_message_it_sends_are_two_in_lanes_and_one_without():
    step = event(seq=1, name="step", direction="", peer="", label="disconnect")
    sent = event(seq=2, name="disconnect", label="disconnect")
    assert [len(list(Ladder(["phone", "lock"]).draw(one))) for one in (step, sent)] == [1, 1]
    alone = Ladder(["phone"])
    assert [len(list(alone.draw(one))) for one in (step, sent)] == [1, 0]


@pytest.mark.parametrize(
    ("label", "note", "words"),
    [
        ("dropped: IA-41", "dropped: no protection (IA-41)", "dropped: no protection (IA-41)"),
        ("not shown: IA-41", "heard, dropped: a name (IA-41)", "heard, dropped: a name (IA-41)"),
        ("dropped: IA-41", "no protection", "dropped: IA-41: no protection"),
        ("dropped", "by rule IA-41", "dropped: by rule IA-41"),
    ],
)
def test_a_rule_is_named_once(label, note, words):
    one = TraceEvent(
        1, 0, "phone", "phone", "message_refused", fields={"label": label}, note=note, rule="IA-41"
    )
    assert told(one) == words
