"""A screen: a subject of the console, with its routes and who may use each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from starlette.responses import Response

from services.operator.console.rights import Right
from services.operator.console.visits import Visit

Answer = Callable[[Visit], Response]


@dataclass(frozen=True)
class ScreenRoute:
    path: str
    method: str
    right: Right
    answer: Answer


class Screen:
    """`title` stands in the menu for whoever has the right; `path` is where the entry leads."""

    def __init__(self, title: str, path: str, right: Right = Right.LOOK) -> None:
        self.title = title
        self.path = path
        self.right = right
        self._routes: list[ScreenRoute] = []

    def get(self, path: str, right: Right) -> Callable[[Answer], Answer]:
        """Show this path to whoever has the right."""
        return self._route(path, "GET", right)

    def post(self, path: str, right: Right) -> Callable[[Answer], Answer]:
        """Do this for whoever has the right; the token and the origin were looked at."""
        return self._route(path, "POST", right)

    def routes(self) -> Iterator[ScreenRoute]:
        yield from self._routes

    def _route(self, path: str, method: str, right: Right) -> Callable[[Answer], Answer]:
        def keep(answer: Answer) -> Answer:
            self._routes.append(ScreenRoute(path, method, right, answer))
            return answer

        return keep
