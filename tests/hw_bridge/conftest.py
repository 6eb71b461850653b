"""The fixture that projects get by `pytest_plugins = ["hw_bridge.testing"]`."""

from hw_bridge.testing import bleak_air

__all__ = ["bleak_air"]
