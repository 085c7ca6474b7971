"""Replicas of a reviewer that only make metered calls, each in a process of its own.

The argument is one JSON object: database_url, provider, processes, threads, cost_eur, tokens (the
most of a call), used (a list of tokens to cycle through), and perhaps `server`, a URL to call. A
process ends after `calls` calls of each thread, after `seconds`, or when the budget is reached. It
prints one line with what it spent.
"""

import itertools
import json
import os
import sys
import threading
import time
import urllib.request
from decimal import Decimal
from typing import Any

from services.reviewer.money.shared_meter import SharedMeter
from services.reviewer.providers.limits import CallLimit
from services.reviewer.providers.settings import Provider, TokenUsage
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.errors import SlowDown
from shared.metrics import Metrics
from tests.integration.reviewer.money.forks import run_forks


class Caller:
    def __init__(self, order: dict[str, Any]) -> None:
        self.order = order
        self.provider = Provider.model_validate(order["provider"])
        engine = make_engine(order["database_url"], application_name="caller", pool_size=2)
        self.meter = SharedMeter(engine, [self.provider], Clock(), Metrics(), patience_seconds=20)
        self.meter.open()
        self.spent = Decimal(0)
        self.calls = 0
        self.reached = 0
        self.lock = threading.Lock()

    def run(self) -> None:
        end_seconds = time.monotonic() + self.order.get("seconds", 3600)
        used = itertools.cycle(self.order["used"])
        for _ in range(self.order.get("calls", sys.maxsize)):
            if time.monotonic() > end_seconds:
                return
            try:
                reservation = self.meter.reserve(
                    self.provider,
                    tokens=self.order["tokens"],
                    cost_eur=Decimal(self.order["cost_eur"]),
                )
            except SlowDown as error:
                if error.reason != CallLimit.BUDGET_REACHED:
                    continue
                with self.lock:
                    self.reached += 1
                return
            usage = TokenUsage(tokens_in=next(used), tokens_out=0)
            if self.order.get("server"):
                url = f"{self.order['server']}/?tokens={usage.tokens}"
                with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  # our own server
                    answer.read()
            if self.order.get("dies"):
                os._exit(9)
            self.meter.settle(reservation, usage)
            with self.lock:
                self.calls += 1
                self.spent += self.provider.price.cost_eur(usage)

    def report(self) -> str:
        threads = [threading.Thread(target=self.run) for _ in range(self.order["threads"])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return json.dumps({"calls": self.calls, "spent": str(self.spent), "reached": self.reached})


def call(order: dict[str, Any], _: int) -> None:
    line = Caller(order).report()
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    run_forks(call)
