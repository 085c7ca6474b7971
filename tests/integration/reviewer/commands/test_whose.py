"""`avis whose` recognises a text of ours, also one that was replaced, by its digest."""

from typing import TYPE_CHECKING

from tests.integration.reviewer.avis_command import Call

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.reviewer.conftest import Desk, Register

_STORED = "L’atelier\u202f: « élagage » à Bordeaux."
_COPIED = "  L'atelier : « e\u0301lagage\u00a0»  à\nBor\u00addeaux.\n"


def test_a_text_is_found_whatever_its_spaces_and_apostrophes(
    register: "Register", desk: "Desk", call: Call, tmp_path: "Path"
) -> None:
    file = tmp_path / "text"
    file.write_text(_COPIED, encoding="utf-8")
    unknown = call("whose", str(file))
    assert (unknown.returncode, unknown.stdout[:8]) == (1, "not ours")
    desk.store(*desk.claim(register.add(range(1, 2))))
    register.execute("UPDATE avis_attempts SET text = :text", text=_STORED)
    found = call("whose", str(file))
    assert found.returncode == 0
    assert found.stdout.startswith("ours: notice of 00000000100011, ")
    assert found.stdout.endswith("by test test-1, accepted\n"), "it was replaced"
    register.execute("UPDATE avis SET text = :text", text=_STORED)
    assert "the present text" in call("whose", str(file)).stdout
    assert '"is_present": true' in call("whose", str(file), "--json").stdout
    register.execute("UPDATE avis_attempts SET text = NULL")
    assert call("whose", str(file)).returncode == 1, "an erased text leaves no digest"
