"""What the screens show, without a screen: rows made of trace events. Pure; nothing here knows Textual or a clock."""
