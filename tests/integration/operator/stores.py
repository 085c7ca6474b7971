"""Object stores to archive to, each a real server."""

import base64
import hashlib
import hmac
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path

import requests
from moto.server import ThreadedMotoServer

from deploy.local import processes
from tests.servers.npm_packages import find_or_fetch_azurite

# The emulator's own key, which is public.
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@contextmanager
def s3() -> Iterator[tuple[str, str]]:
    """URL and credentials of an empty bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    try:
        # moto's servers in one process share their content.
        requests.post(f"{endpoint}/moto-api/reset", timeout=10).raise_for_status()
        requests.put(f"{endpoint}/archives", timeout=10).raise_for_status()
        yield (
            "s3://archives/sirenade",
            "\n".join(
                [
                    "# of moto",
                    f"aws_endpoint={endpoint}",
                    "aws_region=us-east-1",
                    "aws_access_key_id=somebody",
                    "aws_secret_access_key=something",
                ]
            ),
        )
    finally:
        server.stop()


@contextmanager
def azure(folder: Path) -> Iterator[tuple[str, str]]:
    """URL and credentials of an empty container in an Azurite of its own."""
    port = processes.free_port()
    server = subprocess.Popen(
        [
            *(str(find_or_fetch_azurite()), "--blobHost", "127.0.0.1", "--blobPort", str(port)),
            *("--location", str(folder), "--silent", "--skipApiVersionCheck", "--disableTelemetry"),
        ],
        stdout=subprocess.DEVNULL,
    )
    endpoint = f"http://127.0.0.1:{port}/{_ACCOUNT}"
    try:
        _make_container(endpoint)
        yield (
            "az://archives/sirenade",
            "\n".join(
                [
                    f"azure_storage_account_name={_ACCOUNT}",
                    f"azure_storage_account_key={_KEY}",
                    f"azure_storage_endpoint={endpoint}",
                ]
            ),
        )
    finally:
        server.terminate()
        server.wait(timeout=20)


def _make_container(endpoint: str) -> None:
    """Sign one request with Azure's shared key, without a client library."""
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    canonical = "\n".join(f"{name}:{value}" for name, value in headers.items())
    resource = f"/{_ACCOUNT}/{_ACCOUNT}/archives\nrestype:container"
    signed = "\n".join(["PUT", *[""] * 11, canonical, resource])
    digest = hmac.new(base64.b64decode(_KEY), signed.encode(), hashlib.sha256).digest()
    headers["Authorization"] = f"SharedKey {_ACCOUNT}:{base64.b64encode(digest).decode()}"
    deadline = time.monotonic() + 60
    while True:
        try:
            answer = requests.put(
                f"{endpoint}/archives?restype=container", headers=headers, timeout=10
            )
        except requests.ConnectionError:
            assert time.monotonic() < deadline, "azurite does not answer"
            time.sleep(0.1)
        else:
            answer.raise_for_status()
            return
