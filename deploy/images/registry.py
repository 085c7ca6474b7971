"""The digest of an image, from a registry of its own address or by Docker, which knows its own."""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Mapping
from http import HTTPStatus

import orjson

from deploy.containers.images import Image
from shared.errors import SirenadeError
from shared.http.client import Bounds, HttpAnswer, HttpClient, with_query
from shared.http.egress import Egress
from shared.http.errors import HttpError

_BOUNDS = Bounds(seconds=20, body_bytes=4 << 20)
_DOCKER_SECONDS = 60
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# An index names the images of all machines; some registries hold the image of one.
_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json"
    ", application/vnd.docker.distribution.manifest.list.v2+json"
    ", application/vnd.oci.image.manifest.v1+json"
    ", application/vnd.docker.distribution.manifest.v2+json"
)


class NoDigest(SirenadeError):
    """Raised when no digest can be learnt; the message says why."""


class Registry:
    """A registry that is asked over HTTP by the distribution API, without a name or password."""

    def __init__(self, url: str, egress: Egress) -> None:
        self._url = url.rstrip("/")
        self._http = HttpClient(_BOUNDS, egress=egress)

    def digest(self, image: Image) -> str:
        """Return the digest of the manifest that the tag names now. Raises NoDigest."""
        # Images without an owner are those of Docker's library.
        name = image.name if "/" in image.name else f"library/{image.name}"
        url, headers = f"{self._url}/v2/{name}/manifests/{image.tag}", {"Accept": _MANIFESTS}
        answer = self._ask(url, headers)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            token = self._token(answer.headers.get("WWW-Authenticate", ""))
            answer = self._ask(url, {**headers, "Authorization": f"Bearer {token}"})
        if answer.status != HTTPStatus.OK:
            raise NoDigest(f"the registry answers {answer.status}")
        digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        if answer.headers.get("Docker-Content-Digest", digest) != digest:
            raise NoDigest("the registry tells another digest than that of its manifest")
        return digest

    def _token(self, challenge: str) -> str:
        asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        if not challenge.startswith("Bearer ") or "realm" not in asked:
            raise NoDigest("the registry wants a password")
        wanted = {name: asked.get(name) for name in ("service", "scope")}
        answer = self._ask(with_query(asked["realm"], wanted), {})
        try:
            found = orjson.loads(answer.body)
            token = found.get("token") or found["access_token"]
        except (orjson.JSONDecodeError, AttributeError, KeyError):
            raise NoDigest("the registry gives no token") from None
        return str(token)

    def _ask(self, url: str, headers: Mapping[str, str]) -> HttpAnswer:
        try:
            return self._http.ask("GET", url, headers=headers)
        except HttpError as error:
            raise NoDigest(str(error)) from None


def digest_by_docker(image: Image) -> str:
    """Ask the registry that Docker takes the image from. Raises NoDigest."""
    if shutil.which("docker") is None:
        raise NoDigest("docker is not installed")
    command = ["docker", "buildx", "imagetools", "inspect", f"{image.name}:{image.tag}"]
    try:
        ran = subprocess.run(  # noqa: S603  # docker, with our own arguments
            [*command, "--format", "{{.Manifest.Digest}}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_DOCKER_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise NoDigest("docker does not answer") from None
    if not _DIGEST.fullmatch(digest := ran.stdout.strip()):
        raise NoDigest((ran.stderr.strip().splitlines() or ["docker tells none"])[-1])
    return digest
