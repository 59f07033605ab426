"""What other installed packages add, found by the names of their entry points."""

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any


class NoSuchExtension(Exception):
    """Nothing has that name, or it cannot be used; the text says why."""


def function_named(
    name: str, group: str, what: str, built_in: Mapping[str, Callable[..., Any]]
) -> Callable[..., Any]:
    """The function of that name, built in or an entry point.

    Args:
        name: what was asked for.
        group: the entry points' group.
        what: what the functions are, for messages: "report format".
        built_in: this package's own, by name.

    Raises:
        NoSuchExtension: it is neither, or two claim the name, or it cannot be imported.
    """
    others = _claims(group)
    claims = others.get(name, [])
    if name in built_in and not claims:
        return built_in[name]
    if not claims:
        known = ", ".join(sorted(built_in.keys() | others.keys()))
        raise NoSuchExtension(f"there is no {what} {name!r}; there are: {known}.")
    if len(claims) > 1 or name in built_in:
        claimants = ", ".join(sorted(entry.value for entry in claims))
        also = " and is built in" if name in built_in else ""
        raise NoSuchExtension(
            f"the {what} {name!r} is claimed by {claimants}{also}: uninstall all but one."
        )
    return _loaded(claims[0], what)


def _claims(group: str) -> dict[str, list[EntryPoint]]:
    found: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=group):
        same = found.setdefault(entry.name, [])
        if entry.value not in [other.value for other in same]:  # one package, seen on two paths
            same.append(entry)
    return found


def _loaded(entry: EntryPoint, what: str) -> Callable[..., Any]:
    try:
        function = entry.load()
    except (ImportError, AttributeError) as error:
        raise NoSuchExtension(
            f"the {what} {entry.name!r} ({entry.value}) cannot be imported: {error}"
        ) from error
    if not callable(function):
        raise NoSuchExtension(f"the {what} {entry.name!r} ({entry.value}) is not a function.")
    loaded: Callable[..., Any] = function
    return loaded
