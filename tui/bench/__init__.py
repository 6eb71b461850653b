"""Runs on real dongles: what is to be on them, the thread they are opened on, what the screen Bridges shows."""
