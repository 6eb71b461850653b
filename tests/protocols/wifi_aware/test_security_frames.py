"""What pairing frames and key descriptors carry equals the secrets that the recording implementation noted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocols.dissect import Block, dissect, encode
from protocols.errors import DecodeError, EncodeError
from protocols.wifi_aware import key_data
from protocols.wifi_aware.attributes import Attr
from protocols.wifi_aware.attributes import shared_key_descriptor as skda
from protocols.wifi_aware.elements import Element
from protocols.wifi_aware.frame import build, read
from tests.protocols.wifi_aware.recordings import exchange, frames, secrets

SAE = ("pair-sae-ccmp128-pin", "pair-sae-gcmp256-pin")
HANDSHAKES = ("ndp-sk128-igtk-bigtk-gtk", "ndp-sk256-igtk-bigtk-gtk")
HEADER = "d0000000516f9a01000002005e10a001506f9a014d211000"


def frame_of(stem, kind, index=0) -> Any:
    found = [f for f in frames() if f.file.endswith(stem) and f.kind.startswith(kind)]
    return read(found[index].data)


def element(frame, name) -> Any:
    return next(item.fields for item in frame.elements if item.name == name)


def skda_of(frame) -> bytes:
    return next(attr.octets for attr in frame.nan_attributes if attr.id == 0x24)


@pytest.mark.parametrize("stem", SAE)
def test_sae_messages_carry_the_noted_values(stem):
    auth = {n: frame_of(stem, f"PASN-AUTH{n}") for n in (1, 2, 3)}
    (commit,) = element(auth[1], "wrapped_data").messages
    assert (commit.transaction, commit.status) == (1, 126)
    for name in ("scalar", "element_x", "element_y"):
        side = exchange(stem)["secrets"]["B"][f"sae_own_{name}"]
        assert getattr(commit, name) in side
    second, confirm = element(auth[2], "wrapped_data").messages
    assert second.scalar in exchange(stem)["secrets"]["A"]["sae_own_scalar"]
    assert (confirm.transaction, confirm.status, confirm.send_confirm) == (2, 0, 1)
    assert len(confirm.confirm) == len(commit.scalar)
    assert not element(auth[3], "wrapped_data").length_prefixed
    assert element(auth[3], "wrapped_data").messages[0].transaction == 2


@pytest.mark.parametrize(("stem", "group", "cipher"), [(SAE[0], 19, 4), (SAE[1], 20, 9)])
def test_elements_say_what_the_digest_says(stem, group, cipher):
    """Suites, MFP bits, H2E, formats: digest of pairing 2.2 to 2.8; MICs and PMKID as noted."""
    auth = {n: frame_of(stem, f"PASN-AUTH{n}") for n in (1, 2, 3)}
    rsne = element(auth[1], "rsne")
    assert (rsne.version, rsne.group_data_cipher) == (1, "00-0f-ac:7")
    assert (rsne.pairwise_ciphers, rsne.akms) == ([f"00-0f-ac:{cipher}"], ["00-0f-ac:8"])
    assert (rsne.capabilities.mfp_required, rsne.capabilities.mfp_capable) == (True, True)
    assert rsne.pmkids == []
    assert element(auth[2], "rsne").pmkids == secrets(f"wifi-aware-{stem}", "sae_pmkid")
    rsnxe = element(auth[1], "rsnxe")
    assert (rsnxe.octets_less_one, rsnxe.sae_hash_to_element) == (1, True)
    parameters = element(auth[1], "pasn_parameters")
    assert (parameters.group, parameters.wrapped_data_format) == (group, 3)
    assert parameters.public_key[:2] == "02"
    assert element(auth[2], "supported_groups").groups == [group]
    mics = secrets(f"wifi-aware-{stem}", "pasn_mic")
    assert [element(auth[n], "mic").mic for n in (2, 3)] == mics
    assert [n for n in (1, 2, 3) if any(e.name == "mic" for e in auth[n].elements)] == [2, 3]


def test_opportunistic_and_verification_differ_where_the_digest_says():
    auth = frame_of("pair-opportunistic-gcmp256", "PASN-AUTH2")
    assert element(auth, "rsne").akms == ["00-0f-ac:21"]
    assert len(element(auth, "mic").mic) == 48
    assert [item.name for item in auth.elements] == [
        "rsne", "pasn_parameters", "nan", "supported_groups", "mic",
    ]  # fmt: skip
    cached = frame_of("verify-newaddr-sae-ccmp128", "PASN-AUTH1")
    (npkid,) = element(cached, "rsne").pmkids
    nira = cached.first("identity_resolution")
    assert npkid == nira.nonce + nira.tag


@pytest.mark.parametrize("stem", SAE)
def test_identity_key_follow_up(stem):
    """No MIC field; wrapped with NM-KEK; NIK and 43200 s as each device was given."""
    file = f"wifi-aware-{stem}"
    (kek,) = secrets(file, "nm_kek")
    for index, device in ((0, "B"), (1, "A")):
        octets = skda_of(frame_of(stem, "SDF-followup-SKDA", index))
        found = skda.read(octets, kek=bytes.fromhex(kek))
        assert (found.mic, found.key_data_encrypted, found.key_mic) == ("", True, False)
        assert found.key_data in secrets(file, "key_data_wrapped")
        nik, lifetime = found.kdes
        assert nik == key_data.Nik(cipher_version=0, nik=exchange(stem)["devices"][device]["nik"])
        assert lifetime == key_data.KeyLifetime(keys=8, lifetime_s=43200)
        assert found.padding == "dd00000000"
        clear = key_data.padded(key_data.encode(found.kdes))
        assert key_data.wrap(bytes.fromhex(kek), clear).hex() == found.key_data
        assert skda.read(octets).kdes is not found.kdes
        with pytest.raises(DecodeError) as caught:
            skda.read(octets, kek=bytes(len(kek) // 2))
        assert caught.value.code == "key_wrap"


@pytest.mark.parametrize(("stem", "csid", "size"), [(HANDSHAKES[0], 1, 16), (HANDSHAKES[1], 2, 24)])
def test_handshake_descriptors(stem, csid, size):
    """Key Information of digest 9.4; nonces, MICs and group keys as noted; RSC and replay counters."""
    file = f"wifi-aware-{stem}"
    (kek,) = secrets(file, "ndp_kek")
    messages = [
        skda.read(skda_of(frame_of(stem, f"NDP-M{n}")), csid, bytes.fromhex(kek))
        for n in (1, 2, 3, 4)
    ]
    information = [skda_of(frame_of(stem, f"NDP-M{n}"))[2:4].hex() for n in (1, 2, 3, 4)]
    assert information == ["0088", "0108", "13c8", "1348"]
    assert [m.replay_counter for m in messages] == [1, 1, 2, 2]
    (first,), (second,) = secrets(file, "ndp_inonce"), secrets(file, "ndp_rnonce")
    assert [m.nonce for m in messages] == [first, second, first, second]
    assert messages[0].mic == "00" * size
    assert [m.mic for m in messages[1:]] == secrets(file, "ndp_mic")
    for message, device in ((messages[2], "B"), (messages[3], "A")):
        own = exchange(stem)["secrets"][device]
        igtk, bigtk, gtk = message.kdes
        assert (igtk.key_id, igtk.key) == (4, own["own_igtk"][0])
        assert (bigtk.key_id, bigtk.key) == (6, own["own_bigtk"][0])
        other = exchange(stem)["secrets"]["A" if device == "B" else "B"]
        assert (gtk.key_id, gtk.key) == (1, other["rx_gtk"][0])
        assert key_data.encode(message.kdes).hex() in own["key_data_plain"]
    assert messages[0].kdes == messages[1].key_data  # nothing there in either


def test_the_tree_shows_wrapped_keys_to_who_has_the_key():
    stem = SAE[0]
    data = next(f.data for f in frames() if f.file.endswith(stem) and "SKDA" in f.kind)
    block = Block(kind="frame", data=data)
    kek = secrets(f"wifi-aware-{stem}", "nm_kek")
    found = dissect(block, {"kek": ["00" * 16, *kek]})
    names = {node.name: node for node in _walk(found.tree)}
    assert names["nik"].value in [exchange(stem)["devices"][d]["nik"] for d in "AB"]
    assert (names["lifetime_s"].value, names["lifetime_s"].unit) == (43200, "s")
    assert found.plain == dissect(block).plain
    wrong: Any = dissect(block, {"kek": "00" * 16}).error
    assert (wrong.code, data[wrong.offset : wrong.offset + 4]) == (
        "key_wrap",
        bytes.fromhex(names["key_data"].value[:8]),
    )


def _walk(nodes):
    for node in nodes:
        yield node
        yield from _walk(node.children)


M1 = "0102" + "0088" + "0000" + "0000000000000001" + "11" * 32 + "00" * 32


@pytest.mark.parametrize(
    ("hexed", "csid", "mic"),
    [
        (M1 + "00" * 16 + "0000", None, 16),
        (M1 + "00" * 24 + "0000", None, 24),
        (M1 + "0000", None, 0),
        # an encrypted message whose MIC and Key Data allow two readings: the suite decides
        (M1.replace("0088", "13c8") + "aa" * 16 + "0020" + "bb" * 6 + "0018" + "cc" * 24, 1, 16),
        (M1.replace("0088", "13c8") + "aa" * 16 + "0020" + "bb" * 6 + "0018" + "cc" * 24, 2, 24),
    ],
)  # fmt: skip
def test_the_length_of_the_mic(hexed, csid, mic):
    assert len(skda.read(bytes.fromhex(hexed), csid).mic) == 2 * mic


def test_a_key_data_length_that_fits_no_mic_is_named():
    octets = bytes.fromhex(M1 + "00" * 16 + "0001")
    with pytest.raises(DecodeError) as caught:
        skda.read(octets, 1)
    assert (caught.value.code, caught.value.offset) == ("attribute_length", 94)


def test_the_suite_of_the_same_frame_decides():
    """M1 names its suite; the tree follows it (digest 8.2, 16)."""
    octets = bytes.fromhex(
        M1.replace("0088", "13c8") + "aa" * 16 + "0020" + "bb" * 6 + "0018" + "cc" * 24
    )
    for suite, mic in ((1, 16), (2, 24)):
        body = Attr(0x22, bytes((0, suite, 1))).written() + Attr(0x24, octets).written()
        data = bytes.fromhex(HEADER + "0409506f9a1805") + body
        found = dissect(Block(kind="frame", data=data))
        assert found.error is None
        (node,) = [n for n in _walk(found.tree) if n.name == "mic"]
        assert node.end - node.start == mic
        assert encode("frame", found.plain) == data


@pytest.mark.parametrize(
    ("hexed", "kdes", "padding"),
    [
        ("dd06000fac010100", [key_data.Gtk(key_id=1, key="")], ""),
        ("dd16000fac010500" + "77" * 16, [key_data.Gtk(key_id=1, transmit=True, key="77" * 16)], ""),
        ("dd05000fac0901dd", [key_data.OtherKde(oui="000fac", type=9, octets="01")], "dd"),
        ("dd02aabbdd00", [key_data.OtherElement(id=221, octets="aabb")], "dd00"),
        ("30020100", [key_data.OtherElement(id=48, octets="0100")], ""),
        ("dd04506f9a02000000", [key_data.OtherKde(oui="506f9a", type=2, octets="")], "000000"),
        ("dd", [], "dd"),
    ],
)  # fmt: skip
def test_kdes_of_any_form_are_kept(hexed, kdes, padding):
    found = key_data.read(bytes.fromhex(hexed))
    assert (list(found.kdes), found.padding.hex()) == (kdes, padding)
    assert key_data.encode(found.kdes) + found.padding == bytes.fromhex(hexed)


def test_a_kde_past_the_end_is_named():
    with pytest.raises(DecodeError) as caught:
        key_data.read(bytes.fromhex("dd06000fac010100" + "dd16000fac01"))
    assert (caught.value.code, caught.value.offset) == ("kde_length", 8)


@pytest.mark.parametrize(("size", "total"), [(35, 40), (40, 40), (8, 16), (0, 16), (15, 16)])
def test_key_data_is_padded_to_whole_blocks(size, total):
    """Digest 7: 35 octets become 40; RFC 3394 wraps two blocks or more."""
    padded = key_data.padded(b"\x01" * size)
    assert len(padded) == total
    assert padded[size : size + 1] in (b"\xdd", b"")
    assert not any(padded[size + 1 :])


def test_a_little_endian_lifetime_is_pointed_at():
    """MediaTek and Qualcomm write the processor's order (digest of pairing, 12, 7)."""
    octets = M1.replace("0088", "0008") + "0010" + "dd0a506f9a250800" + "c0a80000" + "dd000000"
    (node,) = [
        n
        for n in _walk([Attr(0x24, bytes.fromhex(octets)).tree(0, _strict())])
        if n.name == "lifetime_s"
    ]
    assert "byte order" in node.meaning


def _strict():
    from protocols.layout import Walk

    return Walk()


@pytest.mark.parametrize(
    ("hexed", "plain"),
    [
        ("ff14" + "64" + "01" + "00" + "6400" + "0d" + "22" * 13, {"comeback_after_tu": 100, "cookie": "22" * 13}),
        ("ff08" + "64" + "01" + "00" + "04" + "7f632408", {"cookie": "7f632408"}),
    ],
)  # fmt: skip
def test_comeback_with_and_without_its_time(hexed, plain):
    """Only a responder's frame has the time (hostap src/common/wpa_common.c)."""
    data = bytes.fromhex(hexed)
    assert Element(255, data[2:]).as_plain() == {
        "element": "pasn_parameters",
        "wrapped_data_format": 0,
        **plain,
    }


MME = bytes.fromhex("4c10" + "0400" + "010000000000" + "1122334455667788")
LONG_MME = bytes.fromhex("4c18" + "0500" + "020000000000" + "11" * 16)
SDF = bytes.fromhex(HEADER + "0909506f9a13" + "030900f51b9c480c52050000")


@pytest.mark.parametrize(("tail", "key_id", "number"), [(MME, 4, 1), (LONG_MME, 5, 2)])
def test_the_integrity_element_of_a_group_frame(tail, key_id, number):
    found = dissect(Block(kind="frame", data=SDF + tail))
    assert found.error is None
    frame: Any = found.fields
    assert [attr.name for attr in frame.attributes] == ["service_descriptor"]
    (mme,) = frame.elements
    assert (mme.fields.key_id, mme.fields.packet_number) == (key_id, number)
    assert encode("frame", json.loads(json.dumps(found.plain))) == SDF + tail
    assert build(read(SDF + tail)) == SDF + tail


def test_only_group_frames_have_it():
    """Addressed to one device the same octets are a broken list of attributes."""
    to_one = SDF[:4] + bytes.fromhex("02005e20b001") + SDF[10:] + MME
    error = dissect(Block(kind="frame", data=to_one)).error
    assert error is not None
    assert error.code == "attribute_length"
    plain = dissect(Block(kind="frame", data=SDF + MME)).plain
    with pytest.raises(EncodeError):
        encode("frame", {**plain, "destination": "02:00:5e:20:b0:01"})


def test_a_beacon_carries_it_among_its_elements():
    beacon = bytes.fromhex(
        "80000000ffffffffffff025f5a1ae301506f9a017f01d023"
        + "973e4c0600000000"
        + "00022004"
        + "dd09506f9a13000200804d"
    ) + MME.replace(b"\x04\x00", b"\x06\x00")
    frame: Any = read(beacon)
    assert [item.name for item in frame.elements] == ["nan", "mme"]
    assert frame.elements[1].fields.key_id == 6
    assert build(frame) == beacon


def test_other_statuses_and_names():
    data = bytes.fromhex("b0000000" + HEADER[8:48] + "0700" + "0200" + "4d00")
    node = next(n for n in dissect(Block(kind="frame", data=data)).tree if n.name == "status")
    assert (node.value, node.meaning) == (77, "finite cyclic group not supported")


@pytest.mark.parametrize(
    ("wrapped", "names"),
    [
        ("0300" + "0100" + "4c00" + "1300" + "a1a2a3", {"group": 19, "token": "a1a2a3"}),
        ("0300" + "0100" + "0000" + "1300" + "a1" + "01" * 96, {"token": "a1", "scalar": "01" * 32}),
        ("0300" + "0100" + "4d00" + "1300", {"group": 19, "status": 77}),
        ("0300" + "0100" + "7e00" + "0100" + "ffee", {"group": 1, "octets": "ffee"}),
        ("0300" + "0100" + "7e00" + "1300" + "01" * 96 + "ff035c1400",
         {"containers": [{"id": 255, "octets": "5c1400"}]}),
        ("0300" + "0200" + "0100", {"transaction": 2, "status": 1}),
    ],
)  # fmt: skip
def test_rare_sae_messages(wrapped, names):
    """Token asked for, token given, refused group, unknown group, rejected groups (IEEE 802.11-2020 12.4.7)."""
    element = Element(255, b"\x08" + bytes.fromhex(wrapped))
    (message,) = element.as_plain()["messages"]
    assert {key: message.get(key) for key in names} == names
    assert Element.of_plain(element.as_plain(), "it") == element
