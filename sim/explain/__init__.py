"""Diagnoses, one file per rule; registered by being here."""
