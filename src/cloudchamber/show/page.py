"""A page that is one file: templates, styles and plotly.js (once) in one HTML text."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from cloudchamber import __version__


@cache
def _environment() -> Environment:
    loader = PackageLoader("cloudchamber.show", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined)


def _asset(name: str) -> Markup:
    environment = _environment()
    if environment.loader is None:
        raise RuntimeError("the templates have no loader")
    return Markup(environment.loader.get_source(environment, name)[0])


def safe_json(text: str) -> Markup:
    """Return JSON that can stand inside a ``<script>`` element: no ``</`` and no ``<!--`` in it."""
    return Markup(text.replace("<", "\\u003c"))


def render_page(template: str, **context: Any) -> str:
    """Return a whole page: ``template`` with its style, its script and plotly.js within."""
    return (
        _environment()
        .get_template(template)
        .render(
            css=_asset("style.css"),
            views_js=_asset("views.js"),
            tools_js=_asset("page_tools.js"),
            plotly_js=Markup(get_plotlyjs()),
            version=__version__,
            **context,
        )
    )
