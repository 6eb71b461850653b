"""Mesh key derivations against the sample data of the Mesh Protocol specification, section 8."""

from __future__ import annotations

from protocols.ble import mesh_crypto as mesh

NET_KEY = bytes.fromhex("7dd7364cd842ad18c17c2b820c84c3d6")


def test_s1():
    assert mesh.s1(b"test").hex() == "b73cefbd641ef2ea598c2b6efb62f79c"  # 8.1.1


def test_k1():
    key = bytes.fromhex("3216d1509884b533248541792b877f98")
    salt = bytes.fromhex("2ba14ffa0df84a2831938d57d276cab4")
    info = bytes.fromhex("5a09d60797eeb4478aada59db3352a0d")
    assert mesh.k1(key, salt, info).hex() == "f6ed15a8934afbe7d83e8dcb57fcf5d7"  # 8.1.2


def test_k3():
    key = bytes.fromhex("f7a2a44f8e8a8029064f173ddc1e2b00")
    assert mesh.k3(key).hex() == "ff046958233db014"  # 8.1.5


def test_keys_of_a_network():
    assert mesh.network_id(NET_KEY).hex() == "3ecaff672f673370"  # 8.2.4
    assert mesh.identity_key(NET_KEY).hex() == "84396c435ac48560b5965385253e210c"  # 8.2.5
    assert mesh.beacon_key(NET_KEY).hex() == "5423d967da639a99cb02231a83f7d254"  # 8.2.6


def test_secure_beacons():
    key, network = mesh.beacon_key(NET_KEY), mesh.network_id(NET_KEY)
    assert mesh.secure_beacon_auth(key, 0, network, 0x12345678).hex() == "8ea261582f364f6f"  # 8.4.3
    assert mesh.secure_beacon_auth(key, 2, network, 0x12345678) != mesh.secure_beacon_auth(
        key, 0, network, 0x12345678
    )
    assert mesh.secure_beacon_auth(key, 0, network, 0x12345679).hex() == "c62f09e4c957f59d"  # 8.4.5


def test_uri_hash():
    """Data of the URI AD structure: scheme https as one code point, then the rest (8.4.2)."""
    assert mesh.uri_hash(b"\x17//www.example.com/mesh/products/light-switch-v3").hex() == "d97478b3"


def test_node_identity():
    random = bytes.fromhex("34ae608fbbc1f2c6")
    key = mesh.identity_key(NET_KEY)
    assert mesh.node_identity_hash(key, random, 0x1201).hex() == "00861765aefcc57b"  # 8.6.2
    assert mesh.node_identity_hash(key, random, 0x1202).hex() != "00861765aefcc57b"
