"""Trees of the sensor, mesh and drone formats: every octet is in them, every field is in them under its name."""

from __future__ import annotations

import pytest

from protocols.ble.payloads import FORMATS
from protocols.format import Keys, run, to_plain

NAMES = (
    "atc1441", "bthome-v2", "mesh-beacon", "mesh-pb-adv", "mesh-provisioning", "mesh-proxy", "mibeacon",
    "open-drone-id", "pvvx", "ruuvi",
)  # fmt: skip
EXAMPLES = [(name, example) for name in NAMES for example in FORMATS.get(name).examples]
OPENED = {"encrypted_payload", "decrypted_payload"}
"""Fields that repeat octets the tree shows in parts."""


def title(value):
    return value if isinstance(value, str) else value.note or value.hex


def leaves(nodes):
    for node in nodes:
        if node.children:
            assert (node.start, node.end) == (node.children[0].start, node.children[-1].end)
        yield from leaves(node.children) if node.children else (node,)


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=title)
def test_spans_cover_all_octets_without_gaps(name, example):
    """Leaves stand in order and touch each other; only bit fields of one number share octets."""
    data = bytes.fromhex(example.hex)
    _, reader, error = run(FORMATS.get(name), data, Keys(example.context), strict=True)
    assert error is None
    place = 0
    last = None
    for node in leaves(reader.walk.nodes):
        if node.bits and last and last.bits and (node.start, node.end) == (last.start, last.end):
            continue
        assert node.start == place
        place, last = node.end, node
    assert place == len(data)


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=title)
def test_bit_fields_do_not_overlap(name, example):
    _, reader, _ = run(
        FORMATS.get(name), bytes.fromhex(example.hex), Keys(example.context), strict=True
    )
    used = {}
    for node in leaves(reader.walk.nodes):
        if node.bits:
            mask = ((1 << node.bits[1]) - 1) << node.bits[0]
            assert not used.get(node.start, 0) & mask
            assert mask < 1 << 8 * (node.end - node.start)
            used[node.start] = used.get(node.start, 0) | mask
    for start, mask in used.items():
        width = next(
            n.end - n.start for n in leaves(reader.walk.nodes) if n.start == start and n.bits
        )
        assert mask == (1 << 8 * width) - 1, f"bits at octet {start} that nothing names"


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=title)
def test_every_field_is_a_node_with_its_value(name, example):
    fields, reader, _ = run(
        FORMATS.get(name), bytes.fromhex(example.hex), Keys(example.context), strict=True
    )
    nodes = {node.name: node for node in reader.walk.nodes}
    for field, value in to_plain(fields).items():
        if field in OPENED and field not in nodes:
            continue
        node = nodes[field]
        if not isinstance(value, list):
            assert node.value == value
        elif value:
            assert len(node.children) == len(value)
