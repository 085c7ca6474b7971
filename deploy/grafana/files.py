"""The dashboards as JSON, and their folder."""

import json
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.layout import Board, annotations, built

DASHBOARDS = Path(__file__).parent / "dashboards"


def as_json(board: Board) -> str:
    """Return the board's JSON: a line for each panel, so that a change shows its panels."""
    model: dict[str, Any] = json.loads(json.dumps(built(board), cls=JSONEncoder))
    # The SDK's type of an annotation lacks fields that Prometheus needs.
    model["annotations"] = {"list": annotations()}
    panels = ",\n".join(_line(panel) for panel in model.pop("panels"))
    others = [f"{_line(name)}: {_line(model[name])}" for name in sorted(model)]
    return "{\n" + ",\n".join([*others, f'"panels": [\n{panels}\n]']) + "\n}\n"


def _line(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
