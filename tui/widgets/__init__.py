"""Widgets drawn line by line: a frame with titles, lists that may hold a million rows, trees, octets, bars.

Only this folder, `tui/screens`, `tui/modals` and `tui/app` know Textual.
"""
