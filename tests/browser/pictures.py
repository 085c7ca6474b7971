"""Pictures of a portal that runs: `python -m tests.browser.pictures FOLDER NAME=/PATH…`."""

import argparse
from pathlib import Path

from tests.browser.chromium import running_chromium

_SIZE = {"width": 1280, "height": 800}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.pictures", description=__doc__)
    parser.add_argument("--address", default="http://127.0.0.1:8080", help="the portal's address")
    parser.add_argument("--scheme", choices=("light", "dark"), default="light")
    parser.add_argument("--width", type=int, default=_SIZE["width"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("paths", nargs="+", metavar="NAME=/PATH")
    options = parser.parse_args()
    with running_chromium() as browser:
        page = browser.new_page(
            viewport={**_SIZE, "width": options.width},  # type: ignore[arg-type]
            color_scheme=options.scheme,
        )
        for named in options.paths:
            name, _, path = named.partition("=")
            page.goto(options.address + path)
            page.screenshot(path=options.folder / f"{name}.png", full_page=True)


if __name__ == "__main__":
    main()
