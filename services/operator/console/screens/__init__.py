"""The screens of the console, in the order of its menu."""

from collections.abc import Sequence

from services.operator.console.screen import Screen
from services.operator.console.screens.journal import JOURNAL

SCREENS: Sequence[Screen] = (JOURNAL,)
