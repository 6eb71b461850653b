"""The commands, one file each: `SUMMARY`, `EXAMPLE`, `configure(parser)` and `run(options) -> exit status`.

A command file is registered by being here; `list_` is `list`. Imports that cost time stand inside functions.
"""
