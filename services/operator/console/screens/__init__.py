"""The screens of the console, in the order of its menu."""

from collections.abc import Sequence

from services.operator.console.screen import Screen
from services.operator.console.screens.failures import FAILURES
from services.operator.console.screens.home import HOME
from services.operator.console.screens.journal import JOURNAL
from services.operator.console.screens.letters import LETTERS
from services.operator.console.screens.money import MONEY
from services.operator.console.screens.people import PEOPLE
from services.operator.console.screens.queue import QUEUE
from services.operator.console.screens.runs import RUNS
from services.operator.console.screens.texts import TEXTS

SCREENS: Sequence[Screen] = (
    *(HOME, RUNS, FAILURES, LETTERS),
    *(QUEUE, TEXTS, MONEY, PEOPLE),
    JOURNAL,
)
