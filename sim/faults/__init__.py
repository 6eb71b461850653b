"""Faults, one file each; registered by being here."""
