"""Which definitions of a module use which, read without running it."""

import ast
from collections.abc import Iterator, Mapping

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def mentions_of(node: ast.AST) -> frozenset[str]:
    """Every attribute, name and text in a piece of code."""
    words: set[str] = set()
    for child in ast.walk(node):
        if isinstance(child, ast.Attribute):
            words.add(child.attr)
        elif isinstance(child, ast.Name):
            words.add(child.id)
        elif isinstance(child, ast.Constant) and isinstance(child.value, str):
            words.add(child.value)
    return frozenset(words)


def with_used(name: str, mentions: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """What a definition mentions, together with what the definitions that it mentions do."""
    seen: set[str] = set()
    waiting = [name]
    words: frozenset[str] = frozenset()
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            words |= mentions[current]
            waiting += [word for word in mentions[current] if word in mentions]
    return words


class Uses:
    """A module's definitions: where each stands, and what it uses.

    Args:
        source: Python.

    Raises:
        SyntaxError: it is not.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._nodes = {
            node.name: node for node in ast.parse(source).body if isinstance(node, _Definition)
        }
        mentions = {name: _without_text(node) for name, node in self._nodes.items()}
        self._used = {
            name: frozenset({name, *(with_used(name, mentions) & mentions.keys())})
            for name in mentions
        }

    def __iter__(self) -> Iterator[str]:
        return iter(self._used)

    def used_by(self, name: str) -> frozenset[str]:
        """The module's definitions that one uses, itself among them, however deep."""
        return self._used[name]

    def around(self, text: str) -> frozenset[str]:
        """The definitions that a text, which occurs once in the source, lies in or touches; none for one beside them all."""
        begin = self._source.index(text)
        first = self._source.count("\n", 0, begin) + 1
        last = first + text.count("\n")
        return frozenset(
            name
            for name, node in self._nodes.items()
            if node.lineno <= last and first <= (node.end_lineno or node.lineno)
        )


def _without_text(node: _Definition) -> frozenset[str]:
    """What it mentions in code: a name in a docstring or a message is no use."""
    return frozenset(
        child.attr if isinstance(child, ast.Attribute) else child.id
        for child in ast.walk(node)
        if isinstance(child, (ast.Attribute, ast.Name))
    )
