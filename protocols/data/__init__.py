"""Assigned numbers and other tables: each file names its source and date. Data only."""
