"""HCI: packets as captures show them, and the framers of serial transports."""
