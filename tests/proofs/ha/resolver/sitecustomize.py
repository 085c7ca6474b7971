"""The names of the servers of a proof; Python loads this module at its start by PYTHONPATH.

A name in the file stands for this machine. One that is not there is gone, as in containers.
"""

import os
import socket
from pathlib import Path
from typing import Any

_DOMAIN = ".ha.invalid"
_resolve = socket.getaddrinfo


def _resolve_here(host: Any, *arguments: Any, **options: Any) -> Any:
    if isinstance(host, str) and host.endswith(_DOMAIN):
        if host not in Path(os.environ["PROOF_HOSTS_FILE"]).read_text(encoding="utf-8").split():
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        host = "127.0.0.1"
    return _resolve(host, *arguments, **options)


socket.getaddrinfo = _resolve_here
