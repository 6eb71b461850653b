"""Bluetooth Low Energy: link-layer PDUs, AD structures and the payloads that ride in them."""
