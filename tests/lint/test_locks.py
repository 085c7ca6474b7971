"""Lock files hold digests, and no address from which anything is fetched."""

import json
import re

from tests.lint.source import ROOT


def test_every_package_of_npm_has_a_digest_and_no_address() -> None:
    locks = list(ROOT.glob("tests/servers/*/package-lock.json"))
    assert locks
    for path in locks:
        packages = json.loads(path.read_text("utf-8"))["packages"]
        for name, package in packages.items():
            assert "resolved" not in package, name
            assert not name or package["integrity"].startswith("sha512-"), name


def test_every_requirement_has_a_digest_and_no_address() -> None:
    files = list(ROOT.glob("requirements/*.txt"))
    assert files
    for path in files:
        text = path.read_text("utf-8")
        assert "://" not in text, path.name
        pinned = re.split(r"(?m)^(?=[a-z0-9])", text, flags=re.IGNORECASE)[1:]
        assert all("--hash=sha256:" in each for each in pinned), path.name
