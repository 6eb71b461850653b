"""Simulated time: clock, air, radios, accessories, phones, faults, scenarios, trace."""
