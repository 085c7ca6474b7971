"""The signs beside headings, drawn in the colour of their text. Pure."""

from collections.abc import Mapping

from markupsafe import Markup

# Lines of two units in a square of 24.
_LINES: Mapping[str, str] = {
    "text": "M5 4h14v16H5zM8.5 9h7M8.5 12.5h7M8.5 16h4",
    "place": "M12 21s7-6.2 7-11.5a7 7 0 0 0-14 0C5 14.8 12 21 12 21Z"
    "M12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
    "time": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7.5V12l3 2",
    "house": "M4 21V8l8-5 8 5v13M4 21h16M9.5 21v-6h5v6M9 10.5h1.5M13.5 10.5H15",
    "mask": "M12 3l7.5 3v5.5c0 4.5-3 8-7.5 9.5-4.5-1.5-7.5-5-7.5-9.5V6L12 3ZM9 12l2.2 2.2L15 10",
    "quote": "M4 5h16v11h-9l-4 4v-4H4zM8 9.5h8M8 12.5h5",
    "arrow": "M5 12h14M13 6l6 6-6 6",
}


def icon_of(name: str) -> Markup:
    return Markup(  # noqa: S704  the lines are those above
        '<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" '
        'stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round">'
        f'<path d="{_LINES[name]}"/></svg>'
    )
