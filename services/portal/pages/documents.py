"""The documents that readers get: templates with escaped values, a stylesheet and an icon.

Names are chosen by strangers: every value is escaped, and only `icons`, `json_ld` and the view
`avis_published` make markup of their own.
"""

import hashlib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import jinja2
from markupsafe import Markup

from services.portal.pages.icons import icon_of
from services.portal.pages.json_ld import script_of
from services.portal.pages.view import PageView
from services.portal.web.problems import Problem, detail_for_people

_PACKAGE = "services.portal.pages"
_MEDIA_TYPES = {"css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
_HASH_LENGTH = 12


class Asset(NamedTuple):
    """A file beside the pages; its name holds its hash, so that browsers may keep it for good."""

    path: str
    content: bytes
    media_type: str


def read_asset(name: str) -> Asset:
    content = (resources.files(_PACKAGE) / "static" / name).read_bytes()
    stem, _, suffix = name.rpartition(".")
    digest = hashlib.sha256(content).hexdigest()[:_HASH_LENGTH]
    return Asset(f"/static/{stem}-{digest}.{suffix}", content, _MEDIA_TYPES[suffix])


class Documents:
    """Makes documents. `base_url` is the address that readers see."""

    def __init__(self, base_url: str, *, index_sole_traders: bool, version: str = "") -> None:
        self.base_url = base_url
        self.index_sole_traders = index_sole_traders
        self._style, self._icon = read_asset("style.css"), read_asset("icon.svg")
        self.assets: Mapping[str, Asset] = {each.path: each for each in (self._style, self._icon)}
        self._environment = jinja2.Environment(
            autoescape=True,
            trim_blocks=False,
            undefined=jinja2.StrictUndefined,
            loader=jinja2.PackageLoader(_PACKAGE),
        )
        self._environment.globals.update(
            icon_of=icon_of,
            style=self._style.path,
            icon=self._icon.path,
            logo=Markup(self._icon.content.decode().replace("<svg", '<svg aria-hidden="true"')),  # noqa: S704
            q="",
        )
        for name in self._environment.list_templates():
            self._environment.get_template(name)
        self.build = _digest_of(version, base_url, str(index_sole_traders))
        """It differs where the same rows make another document."""

    def address_of(self, path: str) -> str:
        return f"{self.base_url}{path}"

    def page(self, view: PageView) -> bytes:
        address = self.address_of(f"/pages/{view.slug}")
        texts = (view.notice, view.synthese)
        # The view has them escaped for a script element.
        scripts = [Markup(each.json_ld_script) for each in texts if each is not None]  # noqa: S704
        json_ld = script_of(view, address)
        return self.render(
            "page", view=view, address=address, json_ld=json_ld, text_scripts=scripts
        )

    def problem(self, problem: Problem) -> bytes:
        return self.render("problem", words=problem.words, detail=detail_for_people(problem))

    def render(self, template: str, /, **values: object) -> bytes:
        return self._environment.get_template(f"{template}.html.j2").render(values).encode()


def _digest_of(*settings: str) -> str:
    digest = hashlib.sha256("\n".join(settings).encode())
    for package in (_PACKAGE, "shared.sirene"):
        for path in _files_of(package):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _files_of(package: str) -> Iterator[Path]:
    with resources.as_file(resources.files(package)) as folder:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                yield path
