"""Where a submission ran, in words."""

from grader.grading import Settings

WITHOUT_FULL_PROTECTION: dict[str | None, str] = {
    None: "in the grader's own process, without a sandbox",
    "none": "in a worker without a sandbox",
    "landlock": "in the weaker sandbox (Landlock), because bubblewrap does not work here",
}
"""By the sandbox that a Report names; bubblewrap needs no words."""


def in_words(settings: Settings) -> str:
    """Where it ran, to go behind "graded"."""
    return WITHOUT_FULL_PROTECTION.get(settings.sandbox or None, "in a sandbox")
