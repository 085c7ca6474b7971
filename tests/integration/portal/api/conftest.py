"""Fixtures of the API: a directory, and a reader of it."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from shared.db.engine import temporary_engine
from tests.integration.portal.api.directory import Directory, Reader, reading


@pytest.fixture
def directory(shard_urls: tuple[str, ...]) -> Iterator[Directory]:
    with ExitStack() as stack:
        engines = [
            stack.enter_context(temporary_engine(url, application_name="tests", pool_size=4))
            for url in shard_urls
        ]
        yield Directory(*engines)


@pytest.fixture
def reader(shard_urls: tuple[str, ...]) -> Iterator[Reader]:
    with reading(*shard_urls) as reader:
        yield reader
