"""Choices that are the same in each process for the same seed."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Draws:
    seed: str

    def below(self, most: int, purpose: str) -> int:
        """Return a number from 0 to `most` - 1; each purpose has its own."""
        digest = hashlib.blake2b(f"{purpose}\0{self.seed}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) % most
