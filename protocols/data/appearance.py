"""Appearance values: category in bits 6..15, sub-category in bits 0..5.

Source: Bluetooth Assigned Numbers 2.6 "Appearance Values", state of January 2026; the sub-categories of human
interface devices only, because phones choose a keyboard or mouse treatment by them. Data only.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CATEGORIES", "SUBCATEGORIES", "appearance_name"]

CATEGORIES: Final[dict[int, str]] = {
    0: "Unknown",
    1: "Phone",
    2: "Computer",
    3: "Watch",
    4: "Clock",
    5: "Display",
    6: "Remote control",
    7: "Eye-glasses",
    8: "Tag",
    9: "Keyring",
    10: "Media player",
    11: "Barcode scanner",
    12: "Thermometer",
    13: "Heart rate sensor",
    14: "Blood pressure",
    15: "Human interface device",
    16: "Glucose meter",
    17: "Running or walking sensor",
    18: "Cycling",
    19: "Control device",
    20: "Network device",
    21: "Sensor",
    22: "Light fixtures",
    23: "Fan",
    24: "HVAC",
    25: "Air conditioning",
    26: "Humidifier",
    27: "Heating",
    28: "Access control",
    29: "Motorized device",
    30: "Power device",
    31: "Light source",
    32: "Window covering",
    33: "Audio sink",
    34: "Audio source",
    35: "Motorized vehicle",
    36: "Domestic appliance",
    37: "Wearable audio device",
    38: "Aircraft",
    39: "AV equipment",
    40: "Display equipment",
    41: "Hearing aid",
    42: "Gaming",
    43: "Signage",
    49: "Pulse oximeter",
    50: "Weight scale",
    51: "Personal mobility device",
    52: "Continuous glucose monitor",
    53: "Insulin pump",
    54: "Medication delivery",
    55: "Spirometer",
    81: "Outdoor sports activity",
}

SUBCATEGORIES: Final[dict[tuple[int, int], str]] = {
    (15, 1): "Keyboard",
    (15, 2): "Mouse",
    (15, 3): "Joystick",
    (15, 4): "Gamepad",
    (15, 5): "Digitizer tablet",
    (15, 6): "Card reader",
    (15, 7): "Digital pen",
    (15, 8): "Barcode scanner",
    (15, 9): "Touchpad",
    (15, 10): "Presentation remote",
}


def appearance_name(value: int) -> str:
    """An appearance in words: category, and sub-category where known (0 is the generic one)."""
    category, sub = value >> 6, value & 0x3F
    name = CATEGORIES.get(category, f"unassigned category {category}")
    if sub == 0:
        return name
    return f"{name}: {SUBCATEGORIES.get((category, sub), f'sub-category {sub}')}"
