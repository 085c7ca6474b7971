"""The images of others, as `deploy/images.toml` declares them, and where they are named."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.containers.paths import ROOT

DECLARED = ROOT / "deploy" / "images.toml"


@dataclass(frozen=True)
class Image:
    """A tag may become another image; a `digest`, `sha256:…`, stays the same one."""

    name: str
    tag: str
    digest: str = ""

    @property
    def reference(self) -> str:
        tagged = f"{self.name}:{self.tag}"
        return f"{tagged}@{self.digest}" if self.digest else tagged


def read_images(declared: Path = DECLARED) -> list[Image]:
    content = tomllib.loads(declared.read_text(encoding="utf-8"))
    return [Image(**each) for each in content["image"]]


def naming_files(root: Path = ROOT) -> list[Path]:
    """Return the files that name images of others."""
    return [root / "deploy" / "Dockerfile", *sorted((root / "deploy" / "compose").glob("*.yaml"))]


def declare_digest(declared: Path, image: Image, digest: str) -> None:
    """Write the digest below the tag of the image."""
    tagged = f'name = "{image.name}"\ntag = "{image.tag}"\n'
    block = rf"({re.escape(tagged)})(digest = .*\n?)?"
    text = declared.read_text(encoding="utf-8")
    _rewrite(declared, re.sub(block, rf'\1digest = "{digest}"\n', text))


def write_references(files: Iterable[Path], images: Iterable[Image]) -> None:
    """Write the references of the images where the files name them."""
    listed = list(images)
    for file in files:
        before = text = file.read_text(encoding="utf-8")
        for image in listed:
            named = rf"(?m)^( *image: |ARG [A-Z]+_IMAGE=){re.escape(image.name)}:\S+$"
            text = re.sub(named, rf"\g<1>{image.reference}", text)
        if text != before:
            _rewrite(file, text)


def _rewrite(file: Path, text: str) -> None:
    """Put the text in the place of the file's: a kill leaves the one or the other."""
    new = file.with_name(f"{file.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)
