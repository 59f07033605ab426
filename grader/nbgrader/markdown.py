"""Markdown of a submission for the browser of whoever marks it: a student's HTML and scripts are shown, not run."""

from html import escape
from typing import Any

from jinja2 import pass_context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath


class _Renderer(IPythonRenderer):
    """As nbconvert's, for cells that were copied from another notebook without their pictures."""

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """The picture, or in words that it is missing: nbconvert would stop there."""
        prefix = "attachment:"
        if url.startswith(prefix) and not self.attachments.get(url.removeprefix(prefix)):
            return f"<em>{escape(f'[{text}: the picture {url} is missing]')}</em>"
        return str(super().image(text, url, title))


@pass_context
def escaped_markdown(context: Any, source: str) -> str:
    """Takes the place of nbconvert's filter `markdown2html`; pictures attached to the cell are shown as there."""
    attachments = context.get("cell", {}).get("attachments", {})
    renderer = _Renderer(escape=True, attachments=attachments, exclude_anchor_links=True)
    return MarkdownWithMath(renderer=renderer).render(source)
