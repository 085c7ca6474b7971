"""The round in which a reviewer keeps the budget's books: dead calls, late settlements."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from services.reviewer.money.budget import Budget


@dataclass(frozen=True)
class Bookkeeping:
    """`settle_left_over` is the meter's."""

    engine: Engine
    settle_left_over: Callable[[], None] = lambda: None

    def step(self) -> None:
        self.settle_left_over()
        Budget(self.engine).expire()
