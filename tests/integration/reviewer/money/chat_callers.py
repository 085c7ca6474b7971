"""Replicas that ask a chat server for texts and do nothing else, each a process of its own.

Reads one JSON object: database_url, provider, processes, threads, seconds. Each process says who
it is in the model that it asks for: m0, m1 and so on. It ends after so many seconds.
"""

import json
import os
import sys
import threading
import time
from typing import Any

from services.reviewer.money.shared_meter import SharedMeter
from services.reviewer.providers.call import CallWindow, ProviderClient
from services.reviewer.providers.chat import Chat
from services.reviewer.providers.gate import Gate
from services.reviewer.providers.settings import Provider, StructuredOutput
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.errors import SlowDown
from shared.metrics import Metrics


def write(_: StructuredOutput) -> list[dict[str, str]]:
    return [{"role": "user", "content": "Rédige."}]


def call(order: dict[str, Any], number: int) -> None:
    provider = Provider.model_validate({**order["provider"], "model": f"m{number}"})
    clock, metrics = Clock(), Metrics()
    engine = make_engine(order["database_url"], application_name="caller", pool_size=2)
    meter = SharedMeter(engine, [provider], clock, metrics)
    meter.open()
    gate = Gate(provider.name, most=order["threads"], clock=clock, metrics=metrics)
    line = ProviderClient(Chat(provider, clock), gate, meter, clock, metrics)
    end = time.monotonic() + order["seconds"]

    def ask() -> None:
        while time.monotonic() < end:
            try:
                line.ask(write, CallWindow(begin_by=end, finish_by=end + 60), first=True)
            except SlowDown:
                return  # Not before the end.

    threads = [threading.Thread(target=ask) for _ in range(order["threads"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    order = json.loads(sys.argv[1])
    children = []
    for number in range(order["processes"]):
        # Imports are done and no thread runs yet: a fork is a whole process at little cost.
        child = os.fork()
        if child == 0:
            call(order, number)
            os._exit(0)
        children.append(child)
    sys.exit(any(os.waitpid(child, 0)[1] for child in children))


if __name__ == "__main__":
    main()
