"""The broker of the embedded mode: real delays and retries inside one process.

Its messages do not survive the process. Sweepers make them again from what is in PostgreSQL.
"""

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from queue import Empty, Queue
from typing import Any

import dramatiq
from dramatiq.brokers.stub import StubBroker
from dramatiq.common import join_queue
from dramatiq.errors import DecodeError, QueueNotFound

from shared.broker.envelope import receive
from shared.broker.errors import QueueFull
from shared.broker.retries import Delivery

_Queue = Queue[bytes]


class DelayLine:
    """Delivers each message when its delay is over; its thread starts with the first one."""

    def __init__(self, deliver: Callable[[str, bytes], None]) -> None:
        self._deliver = deliver
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, str, bytes]] = []
        self._order = itertools.count()
        self._thread: threading.Thread | None = None
        self._closed = False

    def put(self, queue_name: str, body: bytes, *, delay_seconds: float) -> None:
        due = time.monotonic() + delay_seconds
        with self._changed:
            heapq.heappush(self._waiting, (due, next(self._order), queue_name, body))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="delays", daemon=True)
                self._thread.start()
            self._changed.notify()

    def count(self, queue_name: str) -> int:
        with self._changed:
            return sum(1 for entry in self._waiting if entry[2] == queue_name)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                while self._waiting and self._waiting[0][0] <= now:
                    _, _, queue_name, body = heapq.heappop(self._waiting)
                    self._deliver(queue_name, body)
                self._changed.wait(self._waiting[0][0] - now if self._waiting else None)


class MemoryBroker(StubBroker):
    """`dead_letter_bodies` holds dead letters, without their errors, until they are drained."""

    queues: dict[str, _Queue]

    def __init__(self, *, middleware: list[dramatiq.Middleware], max_length: int) -> None:
        super().__init__(middleware=middleware)
        self.max_length = max_length
        self.dead_letter_bodies: dict[str, deque[bytes]] = {}
        self._delays = DelayLine(lambda name, body: self.queues[name].put(body))

    def declare_queue(self, queue_name: str) -> None:
        if queue_name in self.queues:
            return
        self.emit_before("declare_queue", queue_name)
        self.dead_letter_bodies[queue_name] = deque()
        self.queues[queue_name] = Queue()
        self.emit_after("declare_queue", queue_name)

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 100) -> dramatiq.Consumer:
        return MemoryConsumer(self, queue_name, prefetch, timeout_seconds=timeout / 1000)

    def enqueue(
        self, message: dramatiq.Message[Any], *, delay: int | None = None
    ) -> dramatiq.Message[Any]:
        """Raise `QueueFull` where the queue is full; a delayed message is accepted all the same."""
        name = message.queue_name
        queue = self.queue(name)
        self.emit_before("enqueue", message, delay)
        if delay:
            self._delays.put(name, message.encode(), delay_seconds=delay / 1000)
        elif queue.qsize() >= self.max_length:
            raise QueueFull(name)
        else:
            queue.put(message.encode())
        self.emit_after("enqueue", message, delay)
        return message

    def ready_messages(self, queue_name: str) -> int:
        return self.queues[queue_name].qsize()

    def delayed_messages(self, queue_name: str) -> int:
        return self._delays.count(queue_name)

    def join(
        self, queue_name: str, *, timeout: int | None = None, fail_fast: bool | None = None
    ) -> None:
        """Wait until the queue is empty, delayed messages aside; for tests."""
        del fail_fast  # dead letters keep no error to raise
        join_queue(self.queue(queue_name), timeout=timeout and timeout / 1000)  # type: ignore[no-untyped-call]  # untyped in dramatiq

    def close(self) -> None:
        self._delays.close()

    def queue(self, name: str) -> _Queue:
        try:
            return self.queues[name]
        except KeyError:
            raise QueueNotFound(name) from None  # type: ignore[no-untyped-call]  # dramatiq leaves its errors untyped


class MemoryDelivery(Delivery):
    def __init__(self, message: dramatiq.Message[Any], body: bytes) -> None:
        super().__init__(message)
        self.body = body


class MemoryConsumer(dramatiq.Consumer):
    def __init__(
        self, broker: MemoryBroker, queue_name: str, prefetch: int, *, timeout_seconds: float
    ) -> None:
        self._queue_name = queue_name
        self._source = broker.queue(queue_name)
        self._dead_letters = broker.dead_letter_bodies[queue_name]
        self._timeout_seconds = timeout_seconds
        self._slots = threading.Semaphore(prefetch)
        self._held: list[bytes] = []

    def ack(self, message: dramatiq.MessageProxy) -> None:
        assert isinstance(message, MemoryDelivery)
        if message.held:
            self._held.append(message.body)
        elif not message.decided:
            self._source.put(message.body)
        self._release()

    def nack(self, message: dramatiq.MessageProxy) -> None:
        assert isinstance(message, MemoryDelivery)
        self._dead_letters.append(message.body)
        self._release()

    def requeue(self, messages: Iterable[dramatiq.MessageProxy]) -> None:
        for message in messages:
            assert isinstance(message, MemoryDelivery)
            self._source.put(message.body)
            self._release()

    def close(self) -> None:
        while self._held:
            self._source.put(self._held.pop())

    def _release(self) -> None:
        self._source.task_done()
        self._slots.release()

    def __next__(self) -> MemoryDelivery | None:
        if not self._slots.acquire(timeout=self._timeout_seconds):
            return None
        try:
            body = self._source.get(timeout=self._timeout_seconds)
        except Empty:
            self._slots.release()
            return None
        try:
            return MemoryDelivery(receive(self._queue_name, body), body)
        except DecodeError:
            self._dead_letters.append(body)
            self._release()
            return None
