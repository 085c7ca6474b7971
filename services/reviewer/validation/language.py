"""The language of a text, by fastText's small model, which stands beside this module."""

import functools
from pathlib import Path
from typing import Any

import fasttext

_MODEL = Path(__file__).parent / "data" / "langues.ftz"
_LABEL = "__label__"


def is_foreign(text: str, *, least_score: float) -> bool:
    [(language, score)] = _likeliest(text, 1)
    return language != "fr" and score >= least_score


def is_french(text: str, *, least_score: float) -> bool:
    found = _likeliest(text, 3)
    return any(language == "fr" and score >= least_score for language, score in found)


def _likeliest(text: str, most: int) -> list[tuple[str, float]]:
    """Return the likeliest languages with their scores; names in capitals mislead the model."""
    labels, scores = _model().predict(text.lower().replace("\n", " "), k=most)
    languages = [label.removeprefix(_LABEL) for label in labels]
    return list(zip(languages, map(float, scores), strict=True))


@functools.cache
def _model() -> Any:
    return fasttext.load_model(str(_MODEL))
