"""bleak on the simulated air: backends for an unmodified program, its event loop, and the runner.

bleak 3.1 (its `backends` base classes are the interface). A program and the world are two event loops in one
thread: while the program's loop waits, the world's runs (`loops`), so both see one simulated time. Files, from the
air upwards: `link` and `radio` (the computer's Bluetooth, on the world's loop), `adverts` and `systems` (what an
operating system makes of reports), `scanner`, `client` and `adapter` (bleak's backends, on the program's loop),
`bench` (all of it together), `program` (runs a file as Python would). Only the files that need them import bleak
and bumble.
"""
