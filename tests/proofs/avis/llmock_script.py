"""The script of llmock: its answers and its delays, from one seed."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.proofs.avis.promises import AvisOrder
from tests.servers.llmock import Llmock

# One answer in this many is one that every validator must reject.
FAULTY_ONE_IN = 25
_GOOD = {
    "{NOM} est une entreprise située à {COMMUNE}.": ["nom", "commune"],
    "Son activité principale porte l’intitulé « Travaux de menuiserie bois et PVC ».": ["activite"],
    "Cet établissement figure au répertoire Sirene.": [],
}
_FAULTY: Mapping[str, list[str]] = {"Un excellent artisan, que nous recommandons.": []}
# Waits are handed in little by little: llmock looks through all waiting ones at each call.
_WAITS_AT_ONCE = 400


@dataclass
class Conversation:
    llmock: Llmock
    asked: AvisOrder
    dice: random.Random = field(default_factory=lambda: random.Random(1))

    def begin(self) -> None:
        rounds = 2 * self.asked.texts // FAULTY_ONE_IN + 1
        one_round = (_reply(_GOOD, times=FAULTY_ONE_IN - 1), _reply(_FAULTY, times=1))
        self.llmock.expect(*(one_round * rounds))
        self.go_on()

    def go_on(self) -> None:
        """Hand in more waits where few are left; to be called about every second."""
        if self.llmock.waiting("delay") < _WAITS_AT_ONCE // 2:
            most = self.asked.most_latency_seconds - self.asked.least_latency_seconds
            self.llmock.expect(
                *(
                    {"type": "delay", "seconds": self.dice.uniform(0, most), "times": 1}
                    for _ in range(_WAITS_AT_ONCE)
                )
            )


def _reply(names: Mapping[str, list[str]], *, times: int) -> Mapping[str, Any]:
    """Answer with these sentences, each with the names of the facts that it uses."""
    phrases = [{"texte": sentence, "faits": facts} for sentence, facts in names.items()]
    text = json.dumps({"phrases": phrases}, ensure_ascii=False)
    return {"type": "reply", "text": text, "times": times}
