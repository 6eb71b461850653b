"""NAN attributes as tshark names them: for each attribute its fields, and where those of ours are.

Names lack their first part, which is `nan.` in 4.0 and `wifi_nan.` in newer versions (PREFIXES). A place is a path
through the typed fields ("suites[].suite"), or a function of fields and octets that gives a list of values.
"""

from __future__ import annotations

import functools
import re
import subprocess
from typing import Any

from msgspec import UNSET

from protocols.data.operating_classes import OPERATING_CLASSES
from protocols.wifi_aware.channels import channels_of
from protocols.wifi_aware.matching import master_rank
from tests.judges import judge

PREFIXES = ("nan.", "wifi_nan.")


@functools.cache
def known_fields() -> dict[str, str]:
    """Name without prefix -> full name, of all NAN fields that the installed tshark has."""
    done = subprocess.run([judge("tshark"), "-G", "fields"], capture_output=True, check=True)
    found: dict[str, str] = {}
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        columns = line.split("\t")
        for prefix in PREFIXES:
            if columns[0] == "F" and columns[2].startswith(prefix):
                found[columns[2].removeprefix(prefix)] = columns[2]
    return found


def at(fields: Any, path: str) -> list[Any]:
    """Values at a path; none where a member is not there."""
    values = [fields]
    for name in path.split("."):
        step, is_list = name.removesuffix("[]"), name.endswith("[]")
        values = [getattr(value, step) for value in values]
        values = [value for value in values if value is not UNSET]
        if is_list:
            values = [item for value in values for item in value]
    return values


def expected(place: Any, fields: Any, octets: bytes) -> list[Any]:
    """Our values for a place; empty octets are left out, tshark does not print them."""
    found = at(fields, place) if isinstance(place, str) else place(fields, octets)
    return [value for value in found if value != ""]


def shown(text: str, name: str) -> list[str]:
    """Values in a column of tshark."""
    if name == "country_code":
        return [text]
    return [value for value in text.split(",") if value not in ("", "<MISSING>")]


def same(text: str, ours: Any) -> bool:
    """Whether tshark's text says our value."""
    if isinstance(ours, int):
        return {"True": 1, "False": 0}.get(text, -1) == ours or _number(text) == ours
    return text == ours or re.sub("[:-]", "", text) == ours.replace(":", "")


def _number(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None


def whole(start: int, size: int = 1) -> Any:
    """The little-endian number in `size` octets of the body, which tshark shows beside its bits."""
    return lambda _, octets: [int.from_bytes(octets[start : start + size], "little")]


def there(path: str) -> Any:
    """1 when a member is there, else 0."""
    return lambda fields, _: [int(bool(at(fields, path)))]


def length(path: str) -> Any:
    """The number of octets of hex text."""
    return lambda fields, _: [len(text) // 2 for text in at(fields, path)]


def backwards(path: str) -> Any:
    """An address that tshark reads as a little-endian number: its octets stand the other way round."""
    return lambda fields, _: [
        int.from_bytes(bytes.fromhex(text.replace(":", "")), "little") for text in at(fields, path)
    ]


def bit(path: str, number: int) -> Any:
    """One bit of a bit mask."""
    return lambda fields, _: [at(fields, path)[0] >> number & 1]


def rest(start: int) -> Any:
    """Octets of the body from `start` on."""
    return lambda _, octets: [octets[start:].hex()]


def _elements(fields: Any, _: bytes) -> list[str]:
    """Elements of a matching filter."""
    data = bytes.fromhex("".join(at(fields, "matching_filter")))
    found: list[str] = []
    while data:
        found.append(data[1 : 1 + data[0]].hex())
        data = data[1 + data[0] :]
    return found


def _address_set(fields: Any, _: bytes) -> list[str]:
    bloom = at(fields, "response_filter.bloom_filter")
    lists = at(fields, "response_filter.addresses")
    return [*bloom, *("".join(found).replace(":", "") for found in lists)]


def _srf_length(fields: Any, octets: bytes) -> list[int]:
    sets = _address_set(fields, octets)
    return [1 + len(sets[0]) // 2] if sets else []


def _tlv_octets(tlv: Any) -> str:
    """Octets of a TLV's value."""
    info = tlv.service_info
    if info is not UNSET:
        oui = "" if info.oui is UNSET else info.oui
        return oui + ("" if info.protocol is UNSET else f"{info.protocol:02x}") + info.specific
    return tlv.value if tlv.interface_identifier is UNSET else tlv.interface_identifier


def _tlv_bodies(fields: Any, _: bytes) -> list[str]:
    return [
        _tlv_octets(tlv)[6 if tlv.type == 1 else 0 :]
        for tlv in fields.tlvs
        if tlv.interface_identifier is UNSET
    ]


def _channel_sets(fields: Any, _: bytes) -> list[str]:
    """Channels of each entry as tshark writes them."""
    entries = at(fields, "entries[].channels[]")
    return [
        "".join(f"{channel.number} " for channel in channels_of(entry, "wireshark"))
        for entry in entries
    ]


def _public(path: str) -> Any:
    return lambda fields, _: [v for entry in fields.schedule or () for v in at(entry, path)]


def _schedule(path: str) -> dict[str, Any]:
    """Schedule entries at a path."""
    return {
        "time_bitmap.ctrl.bit_duration": f"{path}.time_bitmap.bit_duration",
        "time_bitmap.ctrl.period": f"{path}.time_bitmap.period",
        "time_bitmap.ctrl.start_offset": f"{path}.time_bitmap.start_offset_slots",
        "time_bitmap.len": length(f"{path}.time_bitmap.bitmap"),
        "time_bitmap": f"{path}.time_bitmap.bitmap",
    }


def _map_octets(path: str) -> Any:
    return lambda fields, _: [e.map_id | e.reserved_4 << 4 for e in at(fields, path)]


# --- names ----------------------------------------------------------------------------------------

MAP_CONTROL = {
    "map_ctrl.map_id": "map_control.map_id",
    "map_ctrl.interval_duration": "map_control.interval_duration",
    "map_ctrl.repeat": "map_control.repeat",
    "availability_intervals_bitmap": "intervals",
}
PLACE = {
    "non_op_channel.global_op_class": "channel_info.operating_class",
    "non_op_channel.channel": "channel_info.channel",
    "non_op_channel.center_freq": "channel_info.center_frequency_index",
    "non_beacon.tbtt_offset": "beacon_info.tbtt_offset_tu",
    "non_beacon.interval": "beacon_info.beacon_interval_tu",
}
P2P = {
    "p2p.device_role": "device_role",
    "p2p.device": bit("device_role", 0),
    "p2p.group_owner": bit("device_role", 1),
    "p2p.client": bit("device_role", 2),
}
STEP = {"dialog_token": "dialog_token", "status": "status", "reason_code": "reason"}
DATA_PATH = STEP | {
    "type_status": whole(1),
    "ndp.type": "type",
    "ndp.initiator_ndi": "initiator_ndi",
    "ndp.id": "ndp_id",
    "ndp.ctrl.confirm": "confirm_required",
    "ndp.ctrl.security_pres": "security",
    "ndp.ctrl.publish_id_pres": there("publish_id"),
    "ndp.ctrl.responder_ndi_pres": there("responder_ndi"),
    "publish_id": "publish_id",
    "ndp.responder.ndi": "responder_ndi",
}
CHANNEL = {
    "availability.entry.entries.channel.primary_bitmap": "primary_bitmap",
    "availability.entry.entries.channel.aux_bitmap": "auxiliary_bitmap",
}
FIELDS: dict[str, dict[str, Any]] = {
    "master_indication": {
        "master_indication.preference": "master_preference",
        "master_indication.random_factor": "random_factor",
    },
    "cluster": {"cluster.hop_count": "hop_count"},
    "service_id_list": {"service_id": "service_ids[]"},
    "subscribe_service_id_list": {"service_id": "service_ids[]"},
    "service_descriptor": {
        "service_id": "service_id",
        "instance_id": "instance_id",
        "sda.requestor_instance_id": "requestor_instance_id",
        "sda.sc": whole(8),
        "sda.sc.type": "type",
        "sda.sc.matching_filter": there("matching_filter"),
        "sda.sc.service_response": there("response_filter"),
        "sda.sc.service_info": there("service_info"),
        "sda.sc.discovery_range": "range_limited",
        "sda.sc.binding_bitmap": there("binding_bitmap"),
        "sda.binding_bitmap": "binding_bitmap",
        "sda.matching_filter_len": length("matching_filter"),
        "sda.matching_filter_val": _elements,
        "sda.service_response_filter_len": _srf_length,
        "sda.srf_type": "response_filter.bloom",
        "sda.srf_include": "response_filter.include",
        "sda.srf_bloom_filter_index": "response_filter.bloom_index",
        "sda.srf_address_set": _address_set,
        "sda.service_info_len": length("service_info"),
        "sda.service_info": "service_info",
    },
    "service_descriptor_extension": {
        "instance_id": "instance_id",
        "sdea.ctr": whole(1, 2),
        "sdea.ctr_fsd": "fsd_required",
        "sdea.ctr_fsd_w_gas": "fsd_method",
        "sdea.ctr_data_path": "data_path_required",
        "sdea.ctr_data_path_type": "data_path_type",
        "sdea.ctr_reserved_multicast_type": "reserved_4",
        "sdea.ctr_qos": "qos_required",
        "sdea.ctr_security": "security_required",
        "sdea.ctr_ranging": "ranging_required",
        "sdea.ctr_range_limit": there("range_limit"),
        "sdea.ctr_service_update_indicator": there("service_update_indicator"),
        "sdea.range_limit_ingress": "range_limit.ingress_cm",
        "sdea.range_limit_egress": "range_limit.egress_cm",
        "sdea.service_update_indicator": "service_update_indicator",
        "oui": "service_info.oui",
        "sdea.service_info_protocol_type": "service_info.protocol",
        "sdea.service_info_specific": "service_info.specific",
    },
    "connection_capability": {
        "connection_cap.bitmap": "kinds",
        "connection_cap.wifi_direct": bit("kinds", 0),
        "connection_cap.p2ps": bit("kinds", 1),
        "connection_cap.tdls": bit("kinds", 2),
        "connection_cap.wlan_infra": bit("kinds", 3),
        "connection_cap.ibss": bit("kinds", 4),
        "connection_cap.mesh": bit("kinds", 5),
    },
    "wlan_infrastructure": MAP_CONTROL
    | {
        "bss_id": backwards("bssid"),
        "mac_address": "mac",
        "wlan_infra.device_role": "device_role",
    },
    "p2p_operation": MAP_CONTROL | P2P | {"mac_address": "mac"},
    "ibss": MAP_CONTROL | {"bss_id": backwards("bssid"), "mac_address": "mac"},
    "mesh": MAP_CONTROL | {"mac_address": "mac", "mesh.id": "mesh_id"},
    "further_service_discovery": MAP_CONTROL,
    "further_availability_map": {
        "furth.av.map.id": "map_id",
        "further_av_map.entry.av_interval_duration": "entries[].interval_duration",
        "further_av_map.entry.op_class": "entries[].operating_class",
        "further_av_map.entry.channel_number": "entries[].channel",
        "availability_intervals_bitmap": "entries[].intervals",
    },
    "country_code": {"country_code": "country"},
    "ranging": MAP_CONTROL | {"mac_address": "mac", "ranging.protocol": "ranging_protocol"},
    "cluster_discovery": {
        "cluster_disc.id": backwards("cluster_id"),
        "cluster_disc.time_offset": lambda fields, _: [fields.time_offset_us % 2**64],
        "cluster_disc.anchor_master_rank": lambda fields, _: [
            master_rank(fields.master_preference, fields.random_factor, fields.anchor_master)
        ],
    },
    "device_capability": {
        "device_cap.map_id_apply_to": "one_map",
        "device_cap.map_id_associated_maps": "map_id",
        "device_cap.committed_dw_info": whole(1, 2),
        "device_cap.committed_dw_info.24ghz": "wake_2_4",
        "device_cap.committed_dw_info.5ghz": "wake_5",
        "device_cap.committed_dw_info.24ghz_overwrite": "override_map_2_4",
        "device_cap.committed_dw_info.5ghz_overwrite": "override_map_5",
        "device_cap.supported_bands": "supported_bands",
        "device_cap.supported_bands.sub_1ghz": bit("supported_bands", 1),
        "device_cap.supported_bands.24ghz": bit("supported_bands", 2),
        "device_cap.supported_bands.5ghz": bit("supported_bands", 4),
        "device_cap.op_mode": whole(4),
        "device_cap.op_mode.phy": "phy",
        "device_cap.op_mode.vht8080": "he_vht_80_80",
        "device_cap.op_mode.vht160": "he_vht_160",
        "device_cap.op_mode.reserved_paging_ndl": "reserved_mode_3",
        "device_cap.antennas.tx": "tx_antennas",
        "device_cap.antennas.rx": "rx_antennas",
        "device_cap.max_channel_switch_time": "max_channel_switch_us",
        "device_cap.capabilities": whole(8),
        "device_cap.capabilities.dfs_master": "dfs_master",
        "device_cap.capabilities.extended_key_id": "extended_key_id",
        "device_cap.capabilities.simul_ndp_reception": "simultaneous_ndp_reception",
        "device_cap.capabilities.ndpe_attr_support": "ndpe",
    },
    "ndp": DATA_PATH
    | {
        "ndp.ctrl.specific_info_pres": there("specific_info"),
        "ndp.specific_info": "specific_info",
    },
    "ndpe": DATA_PATH
    | {
        "ndpe.tlv.type": "tlvs[].type",
        "ndpe.tlv.len": lambda fields, _: [len(_tlv_octets(tlv)) // 2 for tlv in fields.tlvs],
        "ndpe.tlv.ipv6_interface_identifier": "tlvs[].interface_identifier",
        "oui": "tlvs[].service_info.oui",
        "vendor_specific.body": _tlv_bodies,
    },
    "nan_availability": _schedule("entries[]")
    | {
        "availability.sequence_id": "sequence_id",
        "availability.ctr": whole(1, 2),
        "availability.map_id": "map_id",
        "availability.committed_changed": "committed_changed",
        "availability.potential_changed": "potential_changed",
        "availability.public_availability_changed": "public_availability_changed",
        "availability.ndc_changed": "ndc_changed",
        "availability.reserved_multicast_schedule_changed": "reserved_8",
        "availability.reserved_multicast_schedule_change_changed": "reserved_9",
        "availability.entry.ctr.type": "entries[].type",
        "availability.entry.ctr.pref": "entries[].usage_preference",
        "availability.entry.ctr.utilization": "entries[].utilization",
        "availability.entry.ctr.rx_nss": "entries[].rx_nss",
        "availability.entry.ctr.time_bitmap": lambda fields, _: [
            int(entry.time_bitmap is not UNSET) for entry in fields.entries
        ],
        "availability.entry.entries.type": lambda fields, _: [
            int(entry.channels is not UNSET) for entry in fields.entries
        ],
        "availability.entry.entries.non_contiguous_bw": "entries[].non_contiguous",
        "availability.entry.entries.num_entries": lambda fields, _: [
            len(entry.bands or entry.channels or ()) for entry in fields.entries
        ],
        "availability.entry.entries.band": "entries[].bands[]",
        "ava.chan.set": _channel_sets,
        "av.entry.start.freq": "entries[].channels[].operating_class",
        **{name: f"entries[].channels[].{path}" for name, path in CHANNEL.items()},
    },
    "ndc": _schedule("schedule[]")
    | {
        "ndc.id": "ndc_id",
        "ndc.ctrl.selected": "selected",
        "ndc.map.id.rel": "schedule[].map_id",
        "map_id": _map_octets("schedule[]"),
    },
    "ndl": _schedule("immutable_schedule[]")
    | STEP
    | {
        "ndl.type": "type",
        "ndl.ctrl": whole(3),
        "ndl.ctrl.peer_id": there("reserved_peer_id"),
        "ndl.ctrl.immutable_schedule_pres": there("immutable_schedule"),
        "ndl.ctrl.ndc_pres": "ndc_present",
        "ndl.ctrl.qos_pres": "qos_present",
        "ndl.ctrl.max_idle_period_pres": there("max_idle"),
        "ndl.ctrl.type": "ndl_type",
        "ndl.ctrl.setup_reason": "setup_reason",
        "ndl.peer_id": "reserved_peer_id",
        "ndl.max.idle": "max_idle",
        "map_id": _map_octets("immutable_schedule[]"),
    },
    "ndl_qos": {"ndl_qos.min_time_slots": "min_slots", "ndl_qos.max_latency": "max_latency_slots"},
    "unaligned_schedule": {
        "unaligned_schedule.ctrl.schedule_id": "schedule_id",
        "unaligned_schedule.starting_time": "start_us",
        "unaligned_schedule.duration": "duration_us",
        "unaligned_schedule.period": "period_us",
        "unaligned_schedule.count_down": "count_down",
        "unaligned_schedule.ulw_overwrite": whole(15),
        "unaligned_schedule.ulw_overwrite.overwrite_all": "overwrite_all",
        "unaligned_schedule.ulw_overwrite.map_id": "map_id",
        "unaligned_schedule.ulw_ctrl.type": "place.type",
        "unaligned_schedule.ulw_ctrl.channel_availability": "place.available",
        "unaligned_schedule.ulw_ctrl.rx_nss": "place.rx_nss",
        "availability.entry.entries.band": "place.band",
        "availability.entry.entries.channel.op_class": "place.channel.operating_class",
        "availability.entry.entries.channel.bitmap": "place.channel.channel_bitmap",
        **{name: f"place.channel.{path}" for name, path in CHANNEL.items()},
    },
    "ranging_information": {
        "ranging_info.location_info_availability": whole(0),
        "ranging_info.location_info_availability.local_coord": "local_coordinates",
        "ranging_info.location_info_availability.geospatial": "geospatial",
        "ranging_info.location_info_availability.civic_location": "civic_location",
        "ranging_info.location_info_availability.last_movement_indication": there("last_movement"),
        "ranging_info.last_movement_indication": "last_movement",
    },
    "ranging_setup": _schedule("schedule[]")
    | STEP
    | {
        "ranging_setup.type": "type",
        "ranging_setup.ctrl.report_required": "report_required",
        "ranging_setup.ctrl.ftm_params": there("ftm"),
        "ranging_setup.ctrl.sch_entry_pres": there("schedule"),
        "ranging_setup.ftm.max_burst_duration": "ftm.max_burst_duration",
        "ranging_setup.ftm.min_delta_ftm": "ftm.min_delta_ftm",
        "ranging_setup.ftm.max_ftms_per_burst": "ftm.max_ftms_per_burst",
        "ranging_setup.ftm.format_bw": "ftm.format_and_bandwidth",
        "map_id": _map_octets("schedule[]"),
    },
    "ftm_ranging_report": {"ftm.range_report": "report"},
    "element_container": {
        "device_cap.map_id_apply_to": "one_map",
        "device_cap.map_id_associated_maps": "map_id",
        "container.element.id": "elements[].id",
        "container.element.len": lambda fields, _: [len(one.octets) for one in fields.elements],
    },
    "extended_wlan_infrastructure": PLACE
    | {
        "bss_id": backwards("bssid"),
        "mac_address": "mac",
        "wlan_infra.device_role": "device_role",
    },
    "extended_p2p_operation": PLACE | P2P | {"mac_address": "mac"},
    "extended_ibss": PLACE | {"bss_id": backwards("bssid"), "mac_address": "mac"},
    "extended_mesh": PLACE | {"mac_address": "mac", "mesh.id": "mesh_id"},
    "cipher_suite_information": {
        "cipher_suite.capabilities": whole(0),
        "cipher_suite.id": "suites[].suite",
        "publish_id": "suites[].publish_id",
    },
    "security_context_information": {
        "security_context.identifier_len": length("contexts[].identifier"),
        "security_context.identifier_type": "contexts[].type",
        "publish_id": "contexts[].publish_id",
        "security_context.identifier": "contexts[].identifier",
    },
    "shared_key_descriptor": {"publish_id": whole(0), "shared_key.rsna_key_descriptor": rest(1)},
    "public_availability": {
        "time_bitmap.ctrl.bit_duration": _public("time_bitmap.bit_duration"),
        "time_bitmap.ctrl.period": _public("time_bitmap.period"),
        "time_bitmap.ctrl.start_offset": _public("time_bitmap.start_offset_slots"),
        "time_bitmap": _public("time_bitmap.bitmap"),
    },
    "vendor_specific": {"oui": "oui", "vendor_specific.body": "vendor_data"},
}

SILENT = frozenset(
    {
        "s3",
        "transmit_power_envelope",
        "nmsg",
        "multicast_schedule",
        "paging_unicast",
        "paging_multicast",
    }
    | {"multicast_schedule_change", "multicast_schedule_owner_change"}
)
"""Attributes that no version knows."""
SILENT_IN_4_0 = frozenset(
    {"device_capability_extension", "identity_resolution", "pairing_bootstrapping"}
)
"""Attributes that newer versions know."""


# --- where tshark is wrong ------------------------------------------------------------------------


def _filter_is_cut(fields: Any, _: bytes) -> bool:
    data = bytes.fromhex("".join(at(fields, "matching_filter")))
    while data:
        if 1 + data[0] > len(data):
            return True
        data = data[1 + data[0] :]
    return False


def _short_service_info(fields: Any, _: bytes) -> bool:
    info = fields.service_info
    return info is not UNSET and (info.oui is UNSET or info.protocol is UNSET)


def _no_request(fields: Any, _: bytes) -> bool:
    return fields.publish_id is not UNSET and fields.type != 0


def _no_response(fields: Any, _: bytes) -> bool:
    return (fields.responder_ndi is not UNSET) != (fields.type == 1)


def _mesh_border(fields: Any, _: bytes) -> bool:
    return fields.map_control.map_id >> 1 & 3 != fields.map_control.interval_duration


def _tlv_of_wrong_size(fields: Any, _: bytes) -> bool:
    sizes = [(tlv.type, len(_tlv_octets(tlv)) // 2) for tlv in fields.tlvs]
    return any((kind == 0 and size != 8) or (kind == 1 and size < 4) for kind, size in sizes)


def _empty_last_tlv(fields: Any, _: bytes) -> bool:
    return bool(fields.tlvs) and not _tlv_octets(fields.tlvs[-1])


def _unknown_class(fields: Any, _: bytes) -> bool:
    entries = at(fields, "entries[].channels[]")
    return any(
        e.operating_class not in OPERATING_CLASSES or e.operating_class > 130 for e in entries
    )


def _bits_without_channel(fields: Any, _: bytes) -> bool:
    entries = at(fields, "entries[].channels[]")
    known = [e for e in entries if e.operating_class in OPERATING_CLASSES]
    return any(
        e.channel_bitmap >> len(OPERATING_CLASSES[e.operating_class].channels) for e in known
    )


def _class_123(fields: Any, _: bytes) -> bool:
    return any(e.operating_class == 123 for e in at(fields, "entries[].channels[]"))


WRONG: dict[str, dict[str, Any]] = {
    "service_descriptor": {
        "a matching filter that is cut off is read past its end": _filter_is_cut
    },
    "service_descriptor_extension": {
        "every service info is taken to have OUI and protocol type": _short_service_info,
        "trailing octets count as service info": lambda fields, _: fields.trailing is not UNSET,
    },
    "mesh": {
        "the length of an interval is read from the bits of the map ID": _mesh_border,
        "an empty Mesh ID is malformed": lambda fields, _: not fields.mesh_id,
    },
    "further_availability_map": {
        "only one entry is read": lambda fields, _: len(fields.entries) > 1
    },
    "ndp": {
        "Publish ID is read in requests only": _no_request,
        "responder NDI is read in every response and nowhere else": _no_response,
        "empty specific info is malformed": lambda fields, _: fields.specific_info == "",
    },
    "ndpe": {
        "Publish ID is read in requests only": _no_request,
        "responder NDI is read in every response and nowhere else": _no_response,
        "an interface identifier always has 8 octets, a service info an OUI": _tlv_of_wrong_size,
        "an empty TLV at the end is not seen": _empty_last_tlv,
    },
    "nan_availability": {
        "fewer than 8 octets are refused": lambda _, octets: len(octets) < 8,
        "octets behind a list are taken for the next entry": lambda fields, _: bool(
            [entry for entry in fields.entries[:-1] if entry.trailing is not UNSET]
        ),
        "a class it does not know is an expert note": _unknown_class,
        "bits without channel are channel 0": _bits_without_channel,
        "the first channel of class 123 is called 103": _class_123,
    },
    "ndc": {"an NDC without schedule is refused": lambda fields, _: not fields.schedule},
    "public_availability": {
        "octets that are no schedule entries are read as some": lambda fields, _: (
            fields.schedule is None
        )
    },
    "vendor_specific": {"the body is handed to the dissector of vendor elements": lambda *_: True},
    "ftm_ranging_report": {"an empty report is malformed": lambda fields, _: not fields.report},
    "ranging": {"no intervals are malformed": lambda fields, _: not fields.intervals},
    "element_container": {
        "elements are dissected whatever is in them": lambda fields, _: bool(fields.elements)
    },
}
"""Attribute -> what tshark makes of it that we do not -> whether fields and octets are of that kind."""


def excuse(name: str, fields: Any, octets: bytes) -> str | None:
    """Why tshark need not say the same of this body; None when it has to."""
    rules = WRONG.get(name, {})
    return next((why for why, applies in rules.items() if applies(fields, octets)), None)
