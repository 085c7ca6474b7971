"""`python -m deploy.grafana`: write every dashboard anew."""

from deploy.grafana.boards import BOARDS
from deploy.grafana.layout import DASHBOARDS, as_json


def main() -> None:
    DASHBOARDS.mkdir(exist_ok=True)
    wanted = {f"{board.uid}.json": as_json(board) for board in BOARDS}
    for stale in {path.name for path in DASHBOARDS.glob("*.json")} - wanted.keys():
        (DASHBOARDS / stale).unlink()
    for name, written in wanted.items():
        (DASHBOARDS / name).write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
