"""The largest memory of the demo's processes, sampled from outside."""

import threading
from contextlib import suppress
from dataclasses import dataclass, field

import psutil  # type: ignore[import-untyped]  # it ships no types

from deploy.local import processes
from shared.clock import Clock

_SAMPLE_SECONDS = 0.5


@dataclass
class PeakMemory:
    """Samples the resident size of each process and keeps the largest."""

    roots: dict[str, int]
    bytes_by_process: dict[str, int] = field(default_factory=dict)

    def sample(self) -> None:
        for name, pid in self.roots.items():
            for member in processes.with_children(pid) if name == "postgres" else [pid]:
                with suppress(psutil.NoSuchProcess):
                    rss_bytes = psutil.Process(member).memory_info().rss
                    key = name if member == pid else f"{name} (largest backend)"
                    self.bytes_by_process[key] = max(self.bytes_by_process.get(key, 0), rss_bytes)

    def follow(self, clock: Clock) -> threading.Thread:
        def turn() -> None:
            while not clock.wait(_SAMPLE_SECONDS):
                self.sample()

        thread = threading.Thread(target=turn, name="memory", daemon=True)
        thread.start()
        return thread
