"""HTTP servers that serve while a test goes on."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socketserver import BaseServer


@contextmanager
def served(server: BaseServer, *, let_go: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Serve from a thread of its own; at the end `let_go` ends the answers that still wait."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        let_go()
        server.shutdown()
        server.server_close()
        thread.join()
