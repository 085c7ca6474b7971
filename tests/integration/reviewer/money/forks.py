"""Forks of a process, one for each replica in the order on its command line."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any


def run_forks(call: Callable[[dict[str, Any], int], None]) -> bool:
    """Fork `processes` times and run `call` with the order and a number; return if any failed."""
    order = json.loads(sys.argv[1])
    children = []
    for number in range(order["processes"]):
        # Imports are done and no thread runs yet: a fork is a whole process at little cost.
        child = os.fork()
        if child == 0:
            call(order, number)
            os._exit(0)
        children.append(child)
    return max(os.waitpid(child, 0)[1] for child in children) > 0
