"""Walks INSEE's API under the shared quota and publishes what it brings, slice by slice."""
