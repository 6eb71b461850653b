"""Screens and the command line; the composition root."""
