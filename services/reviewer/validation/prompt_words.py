"""Runs of five words that a text shares with the prompt: they are not the same by chance."""

import functools
import re
from importlib import resources

from services.reviewer.french.folding import fold, runs
from services.reviewer.validation.masking import MASK

_RUN = 5
# A prompt quotes what is to be written: « inscrit au répertoire sous ce numéro depuis ».
_NOT_ITS_OWN = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|«[^»]*»|\"[^\"]*\"", re.DOTALL)
_WORD = re.compile(rf"[a-z0-9]+|{MASK}+")
# The names of the register, which both a notice and the prompt use.
_COMMON = frozenset({"sirene", "insee"})


def repeats_prompt(rest_folded: str) -> bool:
    return not _prompt_runs().isdisjoint(_runs(rest_folded))


def _runs(folded: str) -> set[tuple[str, ...]]:
    return {run for run in runs(_WORD.findall(folded), _RUN) if _COMMON.isdisjoint(run)}


@functools.cache
def _prompt_runs() -> frozenset[tuple[str, ...]]:
    files = resources.files("services.reviewer.providers.prompts").iterdir()
    prompts = (
        file.read_text(encoding="utf-8") for file in files if file.name.endswith((".j2", ".txt"))
    )
    lines = (line for prompt in prompts for line in _NOT_ITS_OWN.sub("\n", prompt).splitlines())
    return frozenset(run for line in lines for run in _runs(fold(line)))
