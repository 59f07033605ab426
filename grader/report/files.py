"""The files that `grader check` writes a Report to, beside the terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from grader.atomic import write_atomically
from grader.grading import Report
from grader.report.formats import BUILT_IN, Format, format_named
from grader.report.markdown import markdown_summary


class NoSuchFile(Exception):
    """A file was asked for in a way that cannot be meant; the text says which."""


class ReportFiles:
    """What to write where. Everything that can be wrong with it is found before grading begins.

    Args:
        json: a file for the Report, replaced; "-" is not a file.
        junit: a file for JUnit XML, replaced.
        summary: a file that Markdown is appended to, as the steps of a job share one.
        others: further forms, each "NAME=FILE".

    Raises:
        NoSuchFile: an entry of `others` has no name or no file.
        NoSuchExtension: there is no form of that name.
    """

    def __init__(
        self,
        *,
        json: str | None = None,
        junit: Path | None = None,
        summary: Path | None = None,
        others: Sequence[str] = (),
    ) -> None:
        self._replaced: list[tuple[Path, Format]] = []
        self._appended = [] if summary is None else [summary]
        if json not in (None, "-"):
            self._replaced.append((Path(json), BUILT_IN["json"]))
        if junit is not None:
            self._replaced.append((junit, BUILT_IN["junit"]))
        for one in others:
            name, _, file = one.partition("=")
            if not name or not file:
                raise NoSuchFile(f"--format {one}: write NAME=FILE, such as junit=report.xml.")
            self._replaced.append((Path(file), format_named(name)))

    def add_github_summary(self, environment: Mapping[str, str]) -> None:
        """Appends the summary to the file that GitHub Actions names too.

        Raises:
            NoSuchFile: the variable is not set: this is no job of GitHub Actions.
        """
        file = environment.get("GITHUB_STEP_SUMMARY")
        if not file:
            raise NoSuchFile(
                "--github-summary: $GITHUB_STEP_SUMMARY is not set: this is no job of GitHub Actions; "
                "use --summary FILE."
            )
        self._appended.append(Path(file))

    def write(self, report: Report) -> None:
        """Writes them.

        Raises:
            OSError: one cannot be written.
        """
        for path, text in self._replaced:
            write_atomically(path, text(report))
        for path in self._appended:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(markdown_summary(report))
