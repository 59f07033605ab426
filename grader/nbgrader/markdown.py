"""Markdown of a submission for the browser of whoever marks it: a student's HTML and scripts are shown, not run."""

from typing import Any

from jinja2 import pass_context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath


@pass_context
def escaped_markdown(context: Any, source: str) -> str:
    """Takes the place of nbconvert's filter `markdown2html`; pictures attached to the cell are shown as there."""
    attachments = context.get("cell", {}).get("attachments", {})
    renderer = IPythonRenderer(escape=True, attachments=attachments, exclude_anchor_links=True)
    return MarkdownWithMath(renderer=renderer).render(source)
