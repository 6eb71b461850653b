"""Bytes to values and back, cryptography and protocol engines. Pure: no clock, no chance, no IO, no asyncio."""
