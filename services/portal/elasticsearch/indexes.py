"""The indexes of a shard: one that is searched, one that is made beside it, by their aliases.

Whoever writes names an alias, never an index: an index that is gone is not made by a write.
"""

import secrets
from dataclasses import dataclass

from services.portal.elasticsearch.documents import INDEX
from services.portal.elasticsearch.server import ElasticsearchServer

_MISSING = 404


@dataclass(frozen=True)
class ShardIndexes:
    """`prefix` begins the names of all indexes of this register."""

    server: ElasticsearchServer
    prefix: str
    shard: int

    @property
    def served(self) -> str:
        """The alias of the index that is searched."""
        return alias_of(self.prefix, self.shard)

    @property
    def coming(self) -> str:
        """The alias of the index that is made, and takes the place of the other one."""
        return f"{self.served}-next"

    def name_of(self, alias: str) -> str | None:
        """Return the index behind an alias."""
        found = self.server.ask("GET", f"/_alias/{alias}", also={_MISSING})
        if found.status == _MISSING:
            return None
        names = [name for name, each in found.json.items() if alias in each.get("aliases", {})]
        return max(names, default=None)

    def create(self) -> str:
        """Make an empty index that is coming, in place of another such; return its name."""
        self.delete(self.coming)
        name = f"{self.served}-{secrets.token_hex(6)}"
        self.server.ask("PUT", f"/{name}", {**INDEX, "aliases": {self.coming: {}}})
        return name

    def swap(self, come: str) -> None:
        """Let searches go to the index of this name, which is coming; the one before is deleted.

        Both happen in one step.
        """
        self.refresh(self.coming)
        actions: list[dict[str, dict[str, str]]] = [
            {"add": {"index": come, "alias": self.served}},
            {"remove": {"index": come, "alias": self.coming}},
        ]
        if (gone := self.name_of(self.served)) is not None:
            actions.insert(0, {"remove_index": {"index": gone}})
        self.server.ask("POST", "/_aliases", {"actions": actions})

    def refresh(self, alias: str) -> None:
        """Let searches see all that was written."""
        self.server.ask("POST", f"/{alias}/_refresh")

    def delete(self, alias: str) -> None:
        """Delete the index behind an alias, if there is one."""
        while (name := self.name_of(alias)) is not None:
            self.server.ask("DELETE", f"/{name}", also={_MISSING})


def alias_of(prefix: str, shard: int) -> str:
    return f"{prefix}-{shard}"
