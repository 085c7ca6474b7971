"""The dashboards as JSON, and their folder."""

import json
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.layout import Board, annotations, built

DASHBOARDS = Path(__file__).parent / "dashboards"


def as_json(board: Board) -> str:
    model: dict[str, Any] = json.loads(json.dumps(built(board), cls=JSONEncoder))
    # The SDK's type of an annotation lacks fields that Prometheus needs.
    model["annotations"] = {"list": annotations()}
    return json.dumps(model, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
