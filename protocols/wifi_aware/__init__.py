"""Wi-Fi Aware (NAN) on the wire: frames, elements, attributes, and how implementations walk them."""
