"""The HTML of a report, from a template that extends `base.html.j2`."""

from collections.abc import Mapping
from importlib import resources

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from shared.controls import shown_lines
from shared.terminal.words import thousands

_BASE = "base.html.j2"


def render_page(package: str, template: str, plots: Mapping[str, str], **values: object) -> str:
    """Render the template in `package`; `plots` are SVG by name, and "" is no plot.

    The filter `number` groups digits.
    """
    sources = {_BASE: _read(__package__ or "", _BASE), template: _read(package, template)}
    environment = Environment(
        loader=DictLoader(sources),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_without_controls,
    )
    environment.filters["number"] = thousands
    svg = {name: Markup(plot) for name, plot in plots.items()}  # noqa: S704  our own SVG
    return environment.get_template(template).render(plots=svg, **values)


def _without_controls(value: object) -> object:
    is_word = isinstance(value, str) and not isinstance(value, Markup)
    return shown_lines(str(value)) if is_word else value


def _read(package: str, template: str) -> str:
    return (resources.files(package) / template).read_text("utf-8")
