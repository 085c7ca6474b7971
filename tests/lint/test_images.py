"""Every image comes from `deploy/images.toml`, or is built from the project's Dockerfile."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from deploy.containers.images import naming_files, read_images
from tests.lint.source import ROOT

_DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
_STAGES = set(re.findall(r"^FROM \S+ AS (\S+)$", _DOCKERFILE, re.MULTILINE))
_TAG = "${SIRENADE_VERSION:-latest}"


def _images(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("image"), str):
            yield node["image"]
        for each in node.values():
            yield from _images(each)
    elif isinstance(node, list):
        for each in node:
            yield from _images(each)


def _named(pattern: str) -> set[str]:
    found: set[str] = set()
    for path in ROOT.glob(pattern):
        for document in yaml.safe_load_all(path.read_text("utf-8")):
            found.update(_images(document))
    return found


def test_the_images_of_compose_are_declared_or_built_here() -> None:
    bases = re.findall(r"^ARG [A-Z]+_IMAGE=(\S+)$", _DOCKERFILE, re.MULTILINE)
    ours = {f"sirenade/{stage}:{_TAG}" for stage in _STAGES}
    others = _named("deploy/compose/*.yaml") - ours | set(bases)
    assert others == {image.reference for image in read_images()}


def test_the_dockerfile_takes_no_other_image() -> None:
    taken = set(re.findall(r"^FROM (\S+)|COPY --from=(\S+)", _DOCKERFILE, re.MULTILINE))
    assert {name for pair in taken for name in pair if name} - _STAGES == {"${PYTHON_IMAGE}"}


def test_the_images_of_kubernetes_are_built_here() -> None:
    """Each overlay has its version in one place, which its images and Jobs take."""
    ours = {f"sirenade/{stage}" for stage in _STAGES}
    base = _named("deploy/kubernetes/base/*.yaml")
    assert base <= ours
    overlays = list(ROOT.glob("deploy/kubernetes/overlays/*/kustomization.yaml"))
    assert overlays
    for path in overlays:
        content = yaml.safe_load(path.read_text("utf-8"))
        if "../production" in content["resources"]:
            continue
        assert {image["name"] for image in content["images"]} == base
        assert not any("newTag" in image for image in content["images"])
        assert "../../components/release" in content["components"]
        release = yaml.safe_load((path.parent / "release.yaml").read_text("utf-8"))
        assert re.fullmatch(r"\d+\.\d+\.\d+", release["data"]["version"])


def test_no_image_is_named_elsewhere() -> None:
    """A second place would keep an old tag."""
    names = "|".join(re.escape(image.name) for image in read_images())
    tagged = re.compile(rf"\b(?:{names}):(?=v?\d)(?![\w.-]*/)")
    files = [path for folder in ("deploy", "tests/compose") for path in (ROOT / folder).rglob("*")]
    allowed = {*naming_files(), ROOT / "deploy" / "images.toml"}
    strays = [
        str(path.relative_to(ROOT))
        for path in files
        if path.suffix in {".py", ".sh", ".yaml", ".toml"} and path not in allowed
        if tagged.search(path.read_text("utf-8"))
    ]
    assert strays == []
