"""The screens of the console, in the order of its menu."""

from collections.abc import Sequence

from services.operator.console.screen import Screen
from services.operator.console.screens.failures import FAILURES
from services.operator.console.screens.journal import JOURNAL
from services.operator.console.screens.letters import LETTERS

SCREENS: Sequence[Screen] = (FAILURES, LETTERS, JOURNAL)
