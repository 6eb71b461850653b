"""`nearbench node --stdio`: frames and commands in, frames, events and answers out, whatever comes in."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from protocols.wifi_aware import frame as codec
from sim.wifi_aware.firmware import BITS
from sim.wifi_aware.stdio import LoneNode, encoded
from tests.tui.node_process import NodeProcess, run
from tui.cli import main
from tui.commands.node import alone

if TYPE_CHECKING:
    from collections.abc import Iterator

VECTORS = Path(__file__).parents[1] / "vectors"
RECORDED = str(Path(__file__).with_name("recorded_device.py"))
CONTRACT = (
    "publish", "subscribe", "bootstrap", "pair", "enter_pin", "accept", "reject", "open_datapath",
    "send", "forget", "keys", "state", "help",
)  # fmt: skip


class Talk:
    """A node in this process; everything it says is kept."""

    def __init__(self, name: str, *settings: str, **options: Any) -> None:
        self.said: list[dict[str, Any]] = []
        self.node = LoneNode(alone(name, list(settings)), self.said.append, **options)
        self._session = self.node.world.session()
        self._session.__enter__()
        self.node.begin()

    def close(self) -> None:
        self._session.__exit__(None, None, None)
        self.node.world.close()

    def tell(self, text: str = "", **line: Any) -> list[dict[str, Any]]:
        """What a line makes it say."""
        before = len(self.said)
        self.node.line(text.encode() if text else json.dumps(line).encode())
        return self.said[before:]

    def do(self, cmd: str, **arguments: Any) -> Any:
        told = self.tell(cmd=cmd, **arguments)
        answers = [one["ok"] for one in told if "ok" in one]
        assert len(answers) == 1, told
        return answers[0]

    @property
    def frames(self) -> list[dict[str, Any]]:
        return [one for one in self.said if "frame" in one]


@pytest.fixture
def talk() -> Iterator[Any]:
    made: list[Talk] = []

    def make(*arguments: Any, **options: Any) -> Talk:
        made.append(Talk(*arguments, **options))
        return made[-1]

    yield make
    for one in reversed(made):
        one.close()


# Two processes, each other's air


def test_two_processes_pair_by_pin_and_open_an_encrypted_data_path() -> None:
    options = ("--seed", "3", "--set", "pin=271828", "--reveal")
    other = ("--seed", "4", "--set", "service_name=_other._udp")
    with NodeProcess("aware_display", *options) as a, NodeProcess("aware_display", *other) as b:
        b.do("subscribe", service="_nearbench._udp")
        assert run(a, b, until="discovery", at=b)["pairing_setup"] is True
        b.do("bootstrap", method="pin_keypad")
        run(a, b, until="bootstrap_completed", at=b)
        assert a.of("pin_displayed")[0]["pin"] == "271828"
        assert b.do("pair") == {"running": "pair"}
        b.do("enter_pin", pin="271828")
        assert run(a, b, until="pairing_result", at=b)["status"] == 0
        run(a, b, until="nik_received", at=b)
        b.do("open_datapath")
        up = run(a, b, until="ndp_connected", at=b)
        assert (up["csid"], set(up["nd_tk"])) == (7, {"•"})  # b does not reveal
        assert len(bytes.fromhex(a.of("ndp_connected")[0]["nd_tk"])) == 16
        b.do("send", text="a word in private")
        assert bytes.fromhex(run(a, b, until="data_received", at=b)["hex"]) == b"a word in private"
        names = {key["name"] for key in a.do("keys")}
        assert {"nm_tk", "nm_kdk", "ndp_tk"} <= names
        for node in (a, b):
            assert node.close() == (0, b"")


def test_a_node_decides_on_a_counter_proposal_and_sets_a_path_up_anew() -> None:
    options = ("--seed", "3", "--set", "open_data_path=true", "--set", "data_slots=[5, 31]")
    other = ("--seed", "4", "--set", "service_name=_other._udp")
    with NodeProcess("aware_display", *options) as a, NodeProcess("aware_display", *other) as b:
        b.do("subscribe", service="_nearbench._udp")
        run(a, b, until="discovery", at=b)
        b.do("manual")
        for command, until in (("reject_counter", "ndp_disconnected"), ("accept_counter", "ndp_connected")):  # fmt: skip
            assert "no data path" in b.tell(cmd=command)["error"]
            number = b.do("open_datapath")["ndp_id"]
            countered = run(a, b, until="ndl_countered", at=b)
            assert (countered["ndp_id"], b.of(until)) == (number, [])
            b.do(command, ndp_id=number)
            assert run(a, b, until=until, at=b)["ndp_id"] == number
        assert "no data path 99" in b.tell(cmd="rekey", ndp_id=99)["error"]
        renewed = b.do("rekey")["ndp_id"]
        assert renewed != number
        assert run(a, b, until="ndp_connected", at=b)["ndp_id"] == renewed
        assert run(a, b, until="ndp_disconnected", at=b)["ndp_id"] == number
        b.do("send", text="still there")
        assert bytes.fromhex(run(a, b, until="data_received", at=b)["hex"]) == b"still there"


# Options of services


def announced(talk: Any, command: str, **options: Any) -> Any:
    """The Service Descriptor that a node announces."""
    node = talk("aware_display", windows=False)
    node.do("end", handle=1)
    node.do(command, service="_other._udp", **options)
    node.do("window")
    return codec.read(bytes.fromhex(node.frames[0]["frame"])).first("service_descriptor")


FILTER = {"tx_filter": ["aa", ""], "close_range": True}


@pytest.mark.parametrize(
    ("command", "options"), [("publish", FILTER), ("subscribe", {"active": True, **FILTER})]
)
def test_filters_and_range_of_a_service_are_announced(talk, command, options) -> None:
    said, plain = announced(talk, command, **options), announced(talk, "publish")
    assert (said.matching_filter, said.range_limited) == ("01aa00", True)
    assert not plain.range_limited
    assert not plain.matching_filter


@pytest.mark.parametrize("include", [True, False])
def test_a_subscribe_says_who_is_to_answer(talk, include) -> None:
    some = ["02:00:00:00:00:01", "02:00:00:00:00:02"]
    said = announced(talk, "subscribe", active=True, response_filter=some, include=include)
    assert said.response_filter.addresses == some
    assert (said.response_filter.include, said.response_filter.bloom) == (include, False)


@pytest.mark.parametrize("mine", [True, False])
def test_only_who_is_named_answers_a_subscribe(talk, mine) -> None:
    asks, asked = talk("aware_display", "service_name=_x._udp", seed=4), talk("aware_display")
    asked.do("end", handle=1)
    asked.do("publish", unsolicited=False)
    nmi = asked.do("state")["nmi"] if mine else "02:00:00:00:00:09"
    asks.do("subscribe", service="_nearbench._udp", active=True, response_filter=[nmi])
    asks.do("window")
    for frame in list(asks.frames):
        asked.tell(frame=frame["frame"], rssi_dbm=-50, channel=6)
    asked.do("window")
    assert bool(asked.frames) is mine


@pytest.mark.parametrize(("filtered", "found"), [(["aa"], True), (["bb"], False)])
def test_a_received_filter_decides(talk, filtered, found) -> None:
    asks, asked = talk("aware_display", "service_name=_x._udp", seed=4), talk("aware_display")
    asked.do("end", handle=1)
    asked.do("publish", tx_filter=["aa"])
    asks.do("subscribe", service="_nearbench._udp", rx_filter=filtered)
    asked.do("window")
    asks.tell(frame=asked.frames[0]["frame"], rssi_dbm=-50, channel=6)
    assert any(one.get("event") == "discovery" for one in asks.said) is found


def test_an_unsynchronised_service_goes_through_channels_without_windows(talk) -> None:
    node = talk("aware_display", windows=False)
    node.do("end", handle=1)
    node.do("publish", service="_other._udp", unsynchronised=True)
    node.tell(advance_us=5_000_000)
    assert {frame["channel"] for frame in node.frames} == {1, 6, 11}


# Lines


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("garbage", "not JSON"),
        ("\xff\xfe", "not JSON"),
        ("[" * 5000, "not JSON"),
        ("[]", "one JSON object"),
        ("{}", "one JSON object"),
        ('{"frame": "00", "cmd": "state"}', "frame and cmd"),
        ('{"frame": "zz"}', "hex"),
        ('{"frame": 7}', "hex"),
        ('{"frame": "' + "00" * 5000 + '"}', "at most"),
        ('{"frame": "d0", "rssi_dbm": "loud"}', "rssi_dbm"),
        ('{"frame": "d0", "channel": 1e99}', "channel"),
        *(
            (json.dumps({"frame": "", "channel": no}), "from 1 to 14 or")
            for no in (-1, 0, 15, 35, 178)
        ),
        *((json.dumps({"frame": "", "rssi_dbm": no}), "from -127 to 20") for no in (-128, 21)),
        *(
            (json.dumps({"frame": octets}), "too short")
            for octets in ("", "d0", "80", "d0" * 23, "c4" * 9)
        ),
        ('{"sent": 1}', "frame 1"),
        ('{"sent": null}', "sent"),
        ('{"sent": 1, "acked": "yes"}', "acked"),
        ('{"advance_us": -1}', "advance_us"),
        ('{"advance_us": true}', "advance_us"),
        ('{"advance_us": 1e30}', "advance_us"),
        ('{"cmd": 7}', "cmd"),
        ('{"cmd": "fly"}', "fly"),
        ('{"cmd": "publish", "colour": 1}', "colour"),
        ('{"cmd": "publish", "service_info": "xyz"}', "service_info"),
        ('{"cmd": "publish", "methods": ["telepathy"]}', "telepathy"),
        ('{"cmd": "publish", "passphrase": "short"}', "passphrase"),
        ('{"cmd": "publish", "tx_filter": ["xyz"]}', "tx_filter"),
        ('{"cmd": "publish", "rx_filter": ["' + "00" * 256 + '"]}', "rx_filter"),
        ('{"cmd": "subscribe", "response_filter": ["somewhere"]}', "response_filter"),
        ('{"cmd": "rekey"}', "heard were none"),
        ('{"cmd": "accept_counter"}', "heard were none"),
        ('{"cmd": "reject_counter"}', "heard were none"),
        ('{"cmd": "end", "handle": 9}', "9"),
        ('{"cmd": "end"}', "handle"),
        ('{"cmd": "bootstrap", "peer": "02:00:00:00:00:09"}', "02:00:00:00:00:09"),
        ('{"cmd": "pair"}', "heard were none"),
        ('{"cmd": "enter_pin", "pin": "123456"}', "no PIN"),
        ('{"cmd": "accept"}', "heard were none"),
        ('{"cmd": "reject"}', "nothing is asked"),
        ('{"cmd": "open_datapath", "csid": 1}', "heard were none"),
        ('{"cmd": "send", "text": "x"}', "heard were none"),
        ('{"cmd": "send", "hex": "xyz"}', "hex"),
        ('{"cmd": "address", "nmi": "somewhere"}', "somewhere"),
        ('{"cmd": "cluster", "cluster_id": "00"}', "cluster"),
        ('{"cmd": "remember", "nik": "00", "npk": "00"}', "octets"),
        ('{"cmd": "keys"}', "--reveal"),
    ],
)
def test_a_wrong_line_is_answered_by_one_error_and_changes_nothing(talk, line, says) -> None:
    node = talk("aware_display")
    before = node.do("state")
    told = node.tell(line)
    assert [list(one) for one in told] == [["error"]]
    assert says in told[0]["error"]
    assert node.do("state") == before


def test_octets_that_are_no_frame_are_told_or_passed_over(talk) -> None:
    node = talk("aware_display")
    nmi = node.do("state")["nmi"].replace(":", "")
    for octets in (
        "ff" * 30,
        "c4000000" + nmi,
        f"d0000000{nmi}" + "00" * 14,
        f"b0000000{nmi}020000000001" + "00" * 8,
    ):
        told = node.tell(frame=octets)
        assert all(one.get("event") in ("dropped", "auth_rx") for one in told), told
    assert [one["event"] for one in node.tell(frame=f"d0000000{nmi}020000000001{'00' * 8}0409506f9a13ff")] == ["dropped"]  # fmt: skip


@pytest.mark.parametrize("channel", [1, 14, 36, 149, 177])
@pytest.mark.parametrize("rssi_dbm", [-127, 20])
def test_channels_and_strengths_that_there_are_are_taken(talk, channel, rssi_dbm) -> None:
    node = talk("aware_display")
    assert node.tell(frame="c4" + "00" * 9, channel=channel, rssi_dbm=rssi_dbm, id=1)[-1]["ok"]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("aware_attach", "attached"),
        ("aware_publish", "publish_started"),
        ("aware_subscribe", "subscribe_started"),
    ],
)
def test_the_commands_of_a_phone_are_for_a_phone_alone_too(talk, command, told) -> None:
    node = talk("android")
    arguments = {} if command == "aware_attach" else {"service": "_a._udp"}
    said = node.tell(cmd=command, **arguments)
    assert any("ok" in one for one in said)
    assert told in [one.get("event") for one in node.said]
    assert node.do("state")["on"]


def test_what_a_node_remembers_is_bounded_and_keys_outlive_the_trace(talk) -> None:
    node = talk("aware_display", auto_ack=True, windows=False, reveal=True)
    trace = node.node.world.trace
    trace.emit("aware_display", "aware", "derived", peer="x", name="nm_tk", value="00")
    for _ in range(5000):
        trace.emit("aware_display", "aware", "dropped")
    assert len(list(trace)) < 5000
    assert [key["name"] for key in node.do("keys")] == ["nm_tk"]


def test_an_id_is_given_back_and_asks_for_an_answer(talk) -> None:
    node = talk("aware_display")
    assert node.tell(advance_us=5) == []
    assert node.tell(advance_us=5, id="x") == [{"ok": {"t_us": 10}, "id": "x"}]
    assert node.tell(frame="zz", id=2)[0]["id"] == 2
    assert node.tell(cmd="end", handle=9, id=[3])[0]["id"] == [3]


def test_help_lists_every_command_of_the_contract_with_its_arguments(talk) -> None:
    told = talk("aware_display").do("help")
    assert set(CONTRACT) <= set(told)
    assert all(one["about"] for one in told.values())
    assert set(told["pair"]["arguments"]) >= {"peer", "pin", "mode", "csid"}
    assert "reboot" in told, "those of the device too"


# Time, frames, seeds


def test_publishes_go_out_in_discovery_windows_of_its_own_clock(talk) -> None:
    node = talk("aware_display")
    node.tell(advance_us=524_287)
    assert node.frames == []
    node.tell(advance_us=1 + 2 * 524_288)
    assert [one["t_us"] for one in node.frames] == [524_288, 2 * 524_288, 3 * 524_288]
    assert [one["n"] for one in node.frames] == [1, 2, 3]
    assert {one["channel"] for one in node.frames} == {6}
    assert codec.read(bytes.fromhex(node.frames[0]["frame"])).source == node.do("state")["nmi"]


def test_windows_can_be_left_to_the_other_side(talk) -> None:
    node = talk("aware_display", windows=False)
    node.tell(advance_us=10_000_000)
    assert node.frames == []
    node.do("window")
    assert [one["t_us"] for one in node.frames] == [10_000_000]


def test_the_same_seed_says_the_same(talk) -> None:
    lines = [{"advance_us": 3_000_000}, {"cmd": "state"}, {"cmd": "publish", "service": "again"}]
    said = []
    for seed in (5, 5, 6):
        node = talk("aware_display", seed=seed)
        for line in lines:
            node.tell(**line)
        said.append(b"".join(map(encoded, node.said)))
        node.close()
    assert said[0] == said[1] != said[2]


def test_what_became_of_a_frame_is_told_once(talk) -> None:
    node = talk("aware_sensor_follow_up")
    sensor = codec.read(bytes.fromhex((node.tell(advance_us=600_000), node.frames[0])[1]["frame"]))
    descriptor = sensor.first("service_descriptor")
    ask = follow_up(sensor.source, descriptor.service_id, descriptor.instance_id, b"?")
    told = node.tell(frame=ask)
    reading = next(one for one in told if "frame" in one)
    assert bytes.fromhex(reading["frame"]).endswith(b"1 21.5") or b"1 21.5" in bytes.fromhex(
        reading["frame"]
    )
    lost = node.tell(sent=reading["n"], acked=False)
    assert [one["event"] for one in lost if one.get("event") == "transmitted"] == ["transmitted"]
    assert any("is gone" in one.get("note", "") for one in lost)
    assert node.tell(sent=reading["n"]) == []
    assert node.tell(sent=1, acked=True) == []  # a frame to everybody needs no report
    assert "error" in node.tell(sent=reading["n"] + 1)[0]


def follow_up(to: str, service_id: str, instance: int, text: bytes) -> str:
    """A follow-up of another device, made by hand: header, action, Service Descriptor and its extension."""
    header = f"d0000000{to.replace(':', '')}02aabbccddee506f9a0100000000"
    descriptor = bytes.fromhex(service_id) + bytes((1, instance, 2))
    info = bytes.fromhex("506f9a02") + text
    extension = bytes((1, 0, 0, len(info), 0)) + info
    parts = ((3, descriptor), (14, extension))
    said = b"".join(bytes((id_, len(value), 0)) + value for id_, value in parts)
    return f"{header}0409506f9a13{said.hex()}"


# Saying yes and no


def asked(talk: Any) -> Replay:
    """A recorded device that was asked to bootstrap, and waits for its user."""
    replay = Replay(talk, "bootstrap-pin-display", "A")
    del replay.plain["timeline"][20:]  # up to the answer that puts the peer off
    replay.run()
    return replay


def test_a_request_that_waits_is_refused_when_the_peer_comes_back(talk) -> None:
    replay = asked(talk)
    peer = replay.plain["devices"]["B"]["nmi"]
    assert replay.node.do("state")["pending"] == [{"what": "bootstrap_request", "peer": peer}]
    assert replay.node.do("reject", peer=peer) == {"rejected": "bootstrap_request"}
    told = replay.node.tell(frame=replay.plain["frames"][5]["hex"])
    done = next(one for one in told if one.get("event") == "bootstrap_completed")
    assert (done["success"], done["reason"]) == (False, 13)
    assert replay.node.do("state")["pending"] == []
    assert "error" in replay.node.tell(cmd="reject")[0]


def test_by_itself_an_accessory_shows_a_pin_and_agrees(talk) -> None:
    plain = json.loads((VECTORS / "wifi-aware-bootstrap-pin-keypad.json").read_text())
    name = "service_name=_pairtest._tcp"
    node = talk("aware_display", name, f"address={plain['devices']['A']['nmi']}", "pin=271828")
    for number in (1, 3):
        node.tell(frame=plain["frames"][number]["hex"])
    assert [one["peer"] for one in node.said if one.get("event") == "pin_displayed"] == [
        plain["devices"]["B"]["nmi"]
    ]
    assert [one["name"] for one in node.frames] == ["publish", "bootstrap_response"]
    # somebody who comes back with a cookie of another device is put off no further
    assert any("cookie" in one["note"] for one in node.tell(frame=plain["frames"][5]["hex"]))


# A whole recorded exchange, the recorded peer being the other side

STEMS = (
    "bootstrap-pin-display", "bootstrap-pin-keypad", "bootstrap-qr-scan", "bootstrap-opportunistic",
    "bootstrap-comeback-twice", "pair-sae-ccmp128-pin", "pair-sae-gcmp256-pin", "pair-sae-ccmp128-pub-initiates",
    "pair-sae-ccmp128-encrypted-followup", "pair-opportunistic-ccmp128", "verify-newaddr-sae-ccmp128",
    "verify-sae-ccmp128", "neg-pair-abort", "ndp-open", "ndp-sk128-passphrase", "ndp-sk256-igtk-bigtk-gtk",
    "full-sae-ccmp128-ndp-pk128", "full-sae-gcmp256-ndp-pk256", "full-opportunistic-ccmp128-ndp-pk128",
)  # fmt: skip
MODES = ("opportunistic", "sae", "verification")
SUITES = {"CCMP": 7, "GCMP-256": 8}
PATH = {"pmk": "pmk", "ssi": "service_info", "interface_id": "interface_id", "gtk_csid": "gtk_csid"}


def publish(entry: Any) -> dict[str, Any]:
    suites = [int(one) for one in str(entry.get("cipher_suites", "")).split(",") if one]
    methods = [name for name, bit in BITS.items() if bit & entry.get("pbm", 0)]
    secret = bytes.fromhex(entry.get("pwd_hex", "")).decode()
    told = {"service": entry["name"], "service_info": entry["ssi"], "passphrase": secret}
    return {"cmd": "publish", "methods": methods, "cipher_suites": suites, **told}


def bootstrap(entry: Any) -> dict[str, Any]:
    if entry.get("auth"):
        return {"cmd": "accept", "what": "bootstrapping", "peer": entry["peer"]}
    method = next(name for name, bit in BITS.items() if bit == entry["pbm"])
    ids = {"handle": entry["handle"], "instance": entry["req_id"]}
    return {"cmd": "bootstrap", "peer": entry["peer"], "method": method, **ids}


def pair(entry: Any) -> dict[str, Any]:
    return {
        "cmd": "accept" if entry.get("responder") else "pair",
        **({"what": "pairing"} if entry.get("responder") else {}),
        "peer": entry["peer"],
        "mode": MODES[entry["auth"]],
        "csid": SUITES[entry["cipher"]],
        "pin": bytes.fromhex(entry.get("pwd_hex", "")).decode(),
        "handle": entry["handle"],
        "instance": entry["peer_instance_id"],
    }


def path(entry: Any) -> dict[str, Any]:
    given = {ours: entry[theirs] for theirs, ours in PATH.items() if theirs in entry}
    secret = bytes.fromhex(entry.get("pwd_hex", "")).decode()
    given |= {"peer": entry["peer"], "csid": entry.get("csid", 0), "passphrase": secret}
    if entry["cmd"] == "ndp_response":
        return {"cmd": "accept", "what": "data_path", **given}
    ids = {"handle": entry["handle"], "instance": entry["publish_id"]}
    return {"cmd": "open_datapath", **ids, **given}


COMMANDS: dict[str, Any] = {
    "publish": publish,
    "subscribe": lambda e: {"cmd": "subscribe", "service": e["name"], "active": bool(e["active"])},
    "dw": lambda _: {"cmd": "window"},
    "bootstrap": bootstrap,
    "pair": pair,
    "pair_abort": lambda e: {"cmd": "reject", "what": "pairing", "peer": e["peer"]},
    "unpair": lambda e: {"cmd": "unpair", "peer": e["peer"]},
    "add_identity": lambda e: {"cmd": "remember", "nik": e["nik"], "npk": e["npk"], "akm": e["akmp"].lower()},
    "transmit": lambda e: {"cmd": "send", "by": "follow_up", "peer": e["peer"], "hex": e["ssi"]},
    "ndp_request": path,
    "ndp_response": path,
    "ndp_terminate": lambda e: {"cmd": "close_datapath", "peer": e["peer"]},
}  # fmt: skip
"""Command of a recording -> the line that says the same."""


class Replay:
    """One side of a recording, played by a node whose random values are the recorded ones."""

    def __init__(self, talk: Any, stem: str, side: str) -> None:
        file = VECTORS / f"wifi-aware-{stem}.json"
        self.plain = json.loads(file.read_text(encoding="utf-8"))
        self.side = side
        self.node: Talk = talk(RECORDED, f"file='{file}'", f"side='{side}'", windows=False)
        self.taken = 0
        self.differences: list[str] = []

    def run(self) -> None:
        for index, entry in enumerate(self.plain["timeline"]):
            late = entry["t_ms"] * 1000 - self.node.node.world.now_us
            self.node.tell(advance_us=max(0, late))
            if entry["type"] == "cmd" and entry["dev"] == self.side:
                self.command(index, entry)
            elif entry["type"] == "frame":
                self.frame(entry["n"])

    def command(self, index: int, entry: Any) -> None:
        later = self.plain["timeline"][index + 1 :]
        result = next(e for e in later if e["type"] == "result" and e["dev"] == self.side)
        told = self.node.tell(**COMMANDS[entry["cmd"]](entry))
        if any("ok" in one for one in told) is not result["ok"]:
            self.differences.append(f"{entry['cmd']}: {told}")

    def frame(self, number: int) -> None:
        frame = self.plain["frames"][number]
        if not frame["dir"].startswith(self.side):
            self.node.tell(frame=frame["hex"])
            return
        for _ in range(40):
            if len(self.node.frames) > self.taken:
                break
            self.node.tell(advance_us=1000)  # timers of the recording fired some ms early or late
        else:
            self.differences.append(f"frame {number} ({frame['kind']}): none")
            return
        ours = self.node.frames[self.taken]
        self.taken += 1
        if ours["frame"] != frame["hex"]:
            self.differences.append(f"frame {number} ({frame['kind']}): {ours['frame']}")
        self.node.tell(sent=ours["n"], acked=True)


@pytest.mark.parametrize("side", ["A", "B"])
@pytest.mark.parametrize("stem", STEMS)
def test_a_recorded_exchange_goes_the_same_way(talk, stem, side) -> None:
    replay = Replay(talk, stem, side)
    replay.run()
    assert replay.differences == []
    own = [f for f in replay.plain["frames"] if f["dir"].startswith(side)]
    assert len(replay.node.frames) == len(own)
    assert replay.node.node.device.draws == []


# As a process, and as a command line


def test_in_real_time_frames_come_by_themselves() -> None:
    with NodeProcess("aware_display", "--speed", "20") as node:
        while len(node.frames) < 2:
            node.read()
        answer = node.tell(advance_us=1)
        assert "by itself" in answer["error"]
        assert node.do("state")["t_us"] > 524_288
        assert node.do("publish", service="more") == {"handle": 2}
        assert node.close() == (0, b"")


def played(lines: list[bytes], *words: str, monkeypatch: Any, capfd: Any) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"".join(lines))))
    status = main(["node", *words])
    out, errors = capfd.readouterr()
    return status, out, errors


def test_the_end_of_its_input_ends_it(monkeypatch, capfd) -> None:
    lines = [b"\n", b'{"cmd":"state"}\n', b"x" * (1 << 21) + b"\n", b'{"cmd":"state"}']
    status, out, errors = played(
        lines, "aware_display", "--stdio", monkeypatch=monkeypatch, capfd=capfd
    )
    assert (status, errors) == (0, "")
    told = [json.loads(line) for line in out.splitlines()]
    assert [next(iter(one)) for one in told] == ["event", "ok", "error", "ok"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["aware_display"], "--stdio"),
        (["aware_displai", "--stdio"], "did you mean aware_display"),
        (["thermometer", "--stdio"], "no Wi-Fi Aware radio"),
        (["nowhere.py", "--stdio"], "nowhere.py does not exist"),
        (["aware_display", "--stdio", "--set", "pin"], "key=value"),
        (["aware_display", "--stdio", "--set", "pin=12"], "six digits"),
        (["aware_display", "--stdio", "--set", "colour=red"], "colour"),
        (["aware_display", "--stdio", "--speed", "0"], "--speed 0"),
    ],
)
def test_a_wrong_request_is_one_sentence(words, says, monkeypatch, capfd) -> None:
    status, out, errors = played([], *words, monkeypatch=monkeypatch, capfd=capfd)
    assert (status, out) == (2, "")
    assert says in errors
    assert len(errors.splitlines()) == 1


def test_a_phone_is_a_node_too(talk) -> None:
    node = talk("ios", 'services={"_nearbench._udp"={Subscribable={}}}')
    assert node.said[0] == {"event": "ready", "t_us": 0, "node": "ios"}
    picker = {"cmd": "aware_picker", "service": "_nearbench._udp", "patience": "3s", "id": 1}
    assert node.tell(**picker)[-1] == {"ok": {"running": "aware_picker"}, "id": 1}
    ended = node.tell(advance_us=4_000_000)
    done = next(one for one in ended if one["event"] in ("command_done", "command_failed"))
    assert (done["id"], done["t_us"]) == (1, 3_000_000)
    assert any(one["event"] == "picker_failed" for one in ended)


def test_the_example_peer_reads_the_sensor() -> None:
    done = subprocess.run(
        [sys.executable, "examples/aware_peer.py"], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr, done.returncode) == ("21.5 degrees Celsius\n", "", 0)
    assert len(Path("examples/aware_peer.py").read_text().splitlines()) <= 40


def test_the_document_names_every_command(talk) -> None:
    text = Path("docs/node.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert set(talk("aware_display").node.commands.commands()) <= named
