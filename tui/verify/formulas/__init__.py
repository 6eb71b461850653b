"""The values that a recorded Wi-Fi Aware exchange notes of each device, recomputed from what went in and was sent."""
