"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import Any

import pytest


def wait_until(condition: Callable[[], Any], *, seconds: float = 30) -> None:
    """Wait until the condition holds, or fail after `seconds`."""
    deadline_seconds = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline_seconds:
            name = getattr(condition, "__qualname__", condition)
            pytest.fail(f"not within {seconds:g} s: {name}", pytrace=False)
        time.sleep(0.02)
