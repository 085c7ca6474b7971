r"""The one table of what each user may do in RabbitMQ (pure): queues to declare, to consume.

RabbitMQ asks for `configure` and `read` by the name of the queue, and for `write` by that of the
exchange. All messages go through the default exchange: whoever may publish at all may publish to
every queue of the vhost (docs/adr/0034-roles.md).
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

_DEFAULT_EXCHANGE = r"^amq\.default$"
NOTHING = "^$"


def _with_its_own(*queues: str) -> str:
    """Return the pattern of these work queues, with their delay queues and dead letters."""
    return rf"^({'|'.join(map(re.escape, queues))})(\..+)?$"


@dataclass(frozen=True)
class BrokerUser:
    """A user's permissions in the vhost: regular expressions over names, `tag` for its people."""

    configure: str = NOTHING
    write: str = NOTHING
    read: str = NOTHING
    tag: str = ""

    @property
    def permissions(self) -> dict[str, str]:
        return {"configure": self.configure, "write": self.write, "read": self.read}


def _worker(queues: str) -> BrokerUser:
    return BrokerUser(configure=queues, write=_DEFAULT_EXCHANGE, read=queues)


# Whoever declares a queue with dead letters must be allowed to read it.
BROKER_USERS: Mapping[str, BrokerUser] = {
    "fetcher": _worker(_with_its_own("sirene.fetch.v1", "sirene.write.v1")),
    # It archives everybody's dead letters.
    "writer": _worker(r"^sirene\.(write\.v1(\..+)?|(fetch|review)\.v1\.XQ)$"),
    "reviewer": _worker(_with_its_own("sirene.review.v1")),
    # Commands of people: dead letters replayed, lengths of queues. The service has no broker.
    "operator": BrokerUser(
        configure=r"^sirene\.", write=_DEFAULT_EXCHANGE, read=r"^sirene\.", tag="management"
    ),
    # It asks for the length of a queue by its name, which needs no permission.
    "reader": BrokerUser(),
}


def password_hash(password: str, salt: bytes) -> dict[str, str]:
    """Return a password in RabbitMQ's form: four bytes of salt, then SHA-256 of both."""
    digest = hashlib.sha256(salt + password.encode()).digest()
    return {
        "password_hash": base64.b64encode(salt + digest).decode(),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
    }
