"""Runs every client through every case: `tests/clients/run`."""
