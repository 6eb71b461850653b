"""The trace: numbered without gaps, bounded for readers, complete for files."""

from __future__ import annotations

import json

from sim.trace import TraceLog, line_of


def log_of(count, capacity=10):
    now = [0]
    log = TraceLog(lambda: now[0], capacity=capacity)
    seen = []
    log.add_sink(seen.append)
    for index in range(count):
        now[0] = index * 1000
        log.emit("node", "ble", f"event{index}", rssi_dbm=-index)
    return log, seen


def test_sinks_get_everything_and_readers_are_told_what_they_missed():
    log, seen = log_of(25)
    cursor = log.cursor()
    got = cursor.read()
    assert [e.seq for e in seen] == list(range(1, 26))
    assert [e.seq for e in got] == list(range(16, 26))
    assert cursor.missed == 15


def test_a_cursor_goes_on_where_it_stopped():
    log, _ = log_of(5)
    cursor = log.cursor()
    assert [e.seq for e in cursor.read(2)] == [1, 2]
    assert [e.seq for e in cursor.read(2)] == [3, 4]
    log.emit("node", "ble", "more")
    assert [e.seq for e in cursor.read()] == [5, 6]
    assert cursor.read() == []
    assert cursor.missed == 0


def test_a_late_cursor_starts_now():
    log, _ = log_of(5)
    cursor = log.cursor(from_start=False)
    assert cursor.read() == []
    log.emit("node", "ble", "more")
    assert [e.event for e in cursor.read()] == ["more"]


def test_a_line_is_json_with_hex_bytes_and_without_empty_members():
    log = TraceLog(lambda: 1500)
    event = log.emit("phone", "phone", "heard", peer="beacon", data=b"\x02\x01\x06", rssi_dbm=-40)
    assert json.loads(line_of(event)) == {
        "seq": 1, "t_us": 1500, "node": "phone", "layer": "phone", "event": "heard", "peer": "beacon",
        "data": "020106", "fields": {"rssi_dbm": -40},
    }  # fmt: skip
    assert line_of(event).endswith(b"\n")
