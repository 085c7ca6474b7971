"""Every test that `docs/security.md` names is there, and each threat names one."""

import re

from tests.lint.source import ROOT

_PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")


def test_each_threat_names_tests_that_exist() -> None:
    table = _PAGE.partition("## Threats")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    assert len(rows) > 15
    for row in rows:
        *_, tests, _ = row.split("|")
        named = re.findall(r"`(tests/[\w/.]+)`", tests)
        assert named, f"no test: {row}"
        missing = [name for name in named if not (ROOT / name).is_file()]
        assert missing == [], row
