"""Digests come from a registry that is really asked, into the files that name images."""

import hashlib
import json
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from deploy.containers.images import Image, naming_files, read_images, write_references
from deploy.images.__main__ import pin
from deploy.images.registry import NoDigest, Registry, digest_by_docker
from shared.http.egress import Egress
from tests.raw_server import BROKEN, raw_server, response, saying

ROOT = Path(__file__).parents[4]
_INDEX = b'{"schemaVersion": 2, "manifests": []}'
_DIGEST = f"sha256:{hashlib.sha256(_INDEX).hexdigest()}"
# It ends before the write after this many.
_KILLED = """
import os, pathlib, sys
from deploy.containers.images import naming_files
from deploy.images.__main__ import pin
replace, project, left = pathlib.Path.replace, pathlib.Path(sys.argv[1]), [int(sys.argv[2])]
def replace_or_die(self, target):
    if left[0] == 0:
        os.kill(os.getpid(), 9)
    left[0] -= 1
    return replace(self, target)
pathlib.Path.replace = replace_or_die
pin(project / "deploy" / "images.toml", naming_files(project), lambda _: sys.argv[3])
"""
_TOKEN = "a-token-for-anybody"  # of a registry that gives it to everyone


class _RegistryServer(ThreadingHTTPServer):
    """A registry of the images in `held`; it gives a token to whoever asks, as public ones do."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.held: set[str] = set()
        self.told_digest = _DIGEST
        self.accepted: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: _RegistryServer

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/token":
            assert query.startswith("service=registry&scope=repository%3A")
            self._answer(200, json.dumps({"token": _TOKEN}).encode())
        elif self.headers.get("Authorization") != f"Bearer {_TOKEN}":
            scope = f"repository:{path.removeprefix('/v2/').partition('/manifests')[0]}:pull"
            asked = f'Bearer realm="{self.server.url}/token",service="registry",scope="{scope}"'
            self._answer(401, b"{}", **{"WWW-Authenticate": asked})
        elif path in self.server.held:
            self.server.accepted.append(self.headers["Accept"])
            self._answer(200, _INDEX, **{"Docker-Content-Digest": self.server.told_digest})
        else:
            self._answer(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}')

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[_RegistryServer]:
    with _RegistryServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Copy the files that declare and name images."""
    for path in (ROOT / "deploy" / "images.toml", *naming_files()):
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return tmp_path


def _manifest(image: Image) -> str:
    name = image.name if "/" in image.name else f"library/{image.name}"
    return f"/v2/{name}/manifests/{image.tag}"


def test_every_image_gets_its_digest_wherever_it_is_named(
    server: _RegistryServer, project: Path
) -> None:
    declared, files = project / "deploy" / "images.toml", naming_files(project)
    before = read_images(declared)
    server.held = {_manifest(image) for image in before}
    assert pin(declared, files, Registry(server.url, Egress()).digest) == []
    pinned = read_images(declared)
    assert pinned == [Image(image.name, image.tag, _DIGEST) for image in before]
    text = "".join(file.read_text() for file in files)
    for image in pinned:
        assert f"{image.name}:{image.tag}@{_DIGEST}\n" in text
    assert text.count(_DIGEST) == len(pinned)
    assert all("application/vnd.oci.image.index.v1+json" in each for each in server.accepted)
    # A second run finds all of it as it is.
    assert pin(declared, files, Registry(server.url, Egress()).digest) == []
    assert "".join(file.read_text() for file in files) == text


@pytest.mark.parametrize("writes", [0, 1, 4])
def test_a_kill_leaves_each_file_as_it_was_or_as_it_will_be(project: Path, writes: int) -> None:
    declared, files = project / "deploy" / "images.toml", naming_files(project)
    before = {file: file.read_text() for file in (declared, *files)}
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, project, str(writes), _DIGEST], cwd=ROOT, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    left = {file: file.read_text() for file in before}
    assert pin(declared, files, lambda _: _DIGEST) == []
    for file in files:
        assert left[file] in {before[file], file.read_text()}
    pinned = sum(image.digest != "" for image in _read(left[declared]))
    assert pinned == min(writes, len(_read(before[declared])))
    assert all(image.digest == _DIGEST for image in read_images(declared))


def _read(text: str) -> list[Image]:
    return [Image(**each) for each in tomllib.loads(text)["image"]]


def test_an_image_that_no_registry_has_keeps_what_it_had(
    server: _RegistryServer, project: Path
) -> None:
    declared, files = project / "deploy" / "images.toml", naming_files(project)
    [first, *_] = read_images(declared)
    server.held = {_manifest(first)}
    problems = pin(declared, files, Registry(server.url, Egress()).digest)
    assert [image.digest for image in read_images(declared)] == [_DIGEST] + [""] * len(problems)
    assert all(problem.endswith(": the registry answers 404") for problem in problems)
    server.shutdown()
    server.server_close()
    problems = pin(declared, files, Registry(server.url, Egress()).digest)
    assert problems[0] == f"{first.reference}@{_DIGEST}: no server can be reached there"
    assert read_images(declared)[0].digest == _DIGEST


def test_a_changed_tag_reaches_every_file(project: Path) -> None:
    files = naming_files(project)
    write_references(files, [Image("postgres", "17.99", _DIGEST)])
    write_references(files, [Image("postgres", "18")])
    compose = (project / "deploy" / "compose" / "postgres.yaml").read_text()
    assert "    image: postgres:18\n" in compose
    assert (
        compose.replace("postgres:18", "postgres:17")
        == (ROOT / "deploy" / "compose" / "postgres.yaml").read_text()
    )


def test_a_manifest_of_another_digest_is_no_answer(server: _RegistryServer) -> None:
    image = Image("prom/prometheus", "v3")
    server.held, server.told_digest = {_manifest(image)}, f"sha256:{'0' * 64}"
    with pytest.raises(NoDigest, match="another digest"):
        Registry(server.url, Egress()).digest(image)


@pytest.mark.parametrize(
    "answer",
    [
        saying(response("401 Unauthorized", b"")),
        saying(response("401 Unauthorized", b"", 'WWW-Authenticate: Basic realm="x"')),
        saying(response("401 Unauthorized", b"", 'WWW-Authenticate: Bearer realm="file:///etc"')),
        saying(response("500 Error", b"")),
        BROKEN["no HTTP"],
    ],
)
def test_what_is_no_registry_gives_no_digest(answer: Any) -> None:
    with raw_server(answer) as broken, pytest.raises(NoDigest):
        Registry(broken.url, Egress()).digest(Image("postgres", "17"))


def test_docker_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoDigest, match="docker is not installed"):
        digest_by_docker(Image("postgres", "17"))


def test_docker_tells_the_digest_that_it_finds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    docker = tmp_path / "docker"
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for script, digest in ((f'[ "$4" = postgres:17 ] && echo {_DIGEST}', _DIGEST), ("exit 1", "")):
        docker.write_text(f"#!/bin/sh\n{script}\n")
        docker.chmod(0o755)
        if digest:
            assert digest_by_docker(Image("postgres", "17")) == digest
        else:
            with pytest.raises(NoDigest, match="docker tells none"):
                digest_by_docker(Image("postgres", "17"))
