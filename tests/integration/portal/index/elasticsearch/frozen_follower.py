"""A follower that has read the changes of a page, and is frozen before Elasticsearch has them."""

import json
import sys
from typing import Any

from services.portal.index.elasticsearch.follower import Follower
from shared.db.engine import make_engine
from tests.integration.portal.elastic import Elastic

if __name__ == "__main__":
    database_url, elastic = sys.argv[1], Elastic(*json.loads(sys.argv[2]))
    write = Follower._write

    def write_once_told(self: Follower, aliases: Any, operations: Any) -> None:
        if operations:
            sys.stdout.write("read\n")
            sys.stdout.flush()
            # The test freezes the process here, and lets it go on when it has thawed.
            sys.stdin.readline()
        write(self, aliases, operations)

    Follower._write = write_once_told  # type: ignore[method-assign]
    elastic.follower(make_engine(database_url, application_name="test")).step()
