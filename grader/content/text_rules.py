"""The rules of `grader verify` that need no code to run: files, points, docstrings, signatures, the bank's entries."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.content.checks_file import CheckSource, check_sources
from grader.content.problem import Problem
from grader.content.signatures import signatures_of
from grader.content.written import load_written
from grader.course import CourseError, Topic, load_course
from grader.diagnosis.misconceptions import Misconception, load_misconceptions
from grader.figures.finding import figures_of, other_topics
from grader.submission import SubmissionError, submission_from_bytes

LEFT_BY_TOOLS = frozenset({"__pycache__", ".hypothesis", ".ipynb_checkpoints", ".pytest_cache"})
"""Folders that Python, hypothesis, Jupyter and pytest leave behind."""


def missing_trees(topic: Topic) -> Iterator[Problem]:
    """A topic has a folder in both trees."""
    cures = {
        topic.exercise_dir: f"write {topic.checks.name} in it and run `grader build`",
        topic.solution_dir: f"write {topic.source.name} in it (an instructor's copy has it)",
    }
    for folder, cure in cures.items():
        if not folder.is_dir():
            tree = folder.parent.name
            yield Problem.at(topic, folder, f"topic {topic.name} has no folder in {tree}", cure)


def wrong_files(topic: Topic) -> Iterator[Problem]:
    """Each file of a topic is there, and no other."""
    generated = (topic.stub, topic.notebook, topic.fingerprints)
    written = (topic.checks, topic.source, topic.misconceptions)
    for path in (*written, *generated):
        if not path.is_file():
            cure = "run `grader build`" if path in generated else "write it"
            yield Problem.at(topic, path, "the file is missing", cure)
    optional = (topic.hidden_checks, topic.written, topic.figures)
    for folder in (topic.exercise_dir, topic.solution_dir):
        for path in sorted(folder.iterdir()):
            known = path in (*generated, *written, *optional) or path.name in LEFT_BY_TOOLS
            if not known:
                cure = "remove it, or keep it outside of the topic's folders"
                yield Problem.at(topic, path, "an unexpected file", cure)


def unsound_texts(topic: Topic) -> Iterator[Problem]:
    """The files of a topic agree with each other, as far as reading tells."""
    rules = {
        topic.checks: _checks(topic),
        topic.hidden_checks: _hidden_checks(topic),
        topic.written: _written(topic),
        topic.stub: _signatures(topic),
        topic.misconceptions: _misconceptions(topic),
        topic.figures: _figures(topic),
    }
    for file, problems in rules.items():
        try:
            yield from problems
        except CourseError as error:
            yield Problem.at(topic, file, str(error), "correct it")


def unfinished(topic: Topic) -> Iterator[Problem]:
    """No TODO is left in what an author writes; `grader new` puts them there."""
    for path in (topic.source, topic.checks, topic.misconceptions):
        for number, line in enumerate(_text(path).splitlines(), 1):
            if found := re.search(r"\bTODO\b:?\s*(.*)", line):
                what = found[1].strip(" \"'")
                yield Problem.at(topic, path, "a TODO is left", what or "do it", line=number)


def checks_in(topic: Topic) -> list[CheckSource]:
    """The checks of a topic as they are written."""
    return check_sources(_text(topic.checks), str(topic.checks))


def wrong_answer(misconception: Misconception, topic: Topic) -> bytes:
    """The solution with a misconception in it."""
    return misconception.edited(_text(topic.source)).encode()


def _checks(topic: Topic) -> Iterator[Problem]:
    checks = checks_in(topic)
    if not checks:
        cure = "write a function test_... with @points(n)"
        yield Problem.at(topic, topic.checks, "there is no check", cure)
    yield from _marked(topic, topic.checks, checks)
    total = sum(check.points or 0 for check in checks)
    if abs(total - topic.points) > 1e-9:
        rule = f"the points sum to {total:g}, but course.toml gives the topic {topic.points:g}"
        cure = "change @points(...) or course.toml until they agree"
        yield Problem.at(topic, topic.checks, rule, cure)


def _hidden_checks(topic: Topic) -> Iterator[Problem]:
    """Hidden checks count nothing, or what course.toml says."""
    file = topic.hidden_checks
    checks = check_sources(_text(file), str(file)) if file.is_file() else []
    yield from _marked(topic, file, checks)
    total = sum(check.points or 0 for check in checks)
    if topic.hidden_points and abs(total - topic.hidden_points) > 1e-9:
        rule = f"the points sum to {total:g}, but course.toml gives hidden_points {topic.hidden_points:g}"
        cure = "change @points(...) or course.toml until they agree"
        yield Problem.at(topic, file, rule, cure)


def _written(topic: Topic) -> Iterator[Problem]:
    if topic.written.is_file():
        load_written(topic.written)  # raises what is wrong
    yield from ()


def _marked(topic: Topic, file: Path, checks: Sequence[CheckSource]) -> Iterator[Problem]:
    """Each check is a function with points and a docstring, whose first line is its own: students know it by that."""
    seen: dict[str, str] = {}
    for check in checks:
        title = (check.docstring or check.name).splitlines()[0]
        other = seen.setdefault(title, check.name)
        for wrong, rule, cure in (
            ("." in check.name, "is a method", "make the check a function"),
            (check.points is None, "has no points", "mark it @points(n), n a number"),
            (not check.docstring, "has no docstring", "say in one line what must hold"),
            (other != check.name, f"has the title of {other}", "say which function it is about"),
        ):
            if wrong:
                text = f"{check.name} {rule}"
                yield Problem.at(topic, file, text, cure, line=check.line)


def _signatures(topic: Topic) -> Iterator[Problem]:
    stub = signatures_of(_text(topic.stub), str(topic.stub))
    for name, signature in signatures_of(_text(topic.source), str(topic.source)).items():
        if name not in stub:
            rule = f"{name} of the solution is not in the stub"
            cure = "run `grader build`; a helper of the solution has a name with an underscore"
            yield Problem.at(topic, topic.stub, rule, cure)
        elif stub[name] != signature:
            rule = f"{name} takes {stub[name]}, but the solution's takes {signature}"
            yield Problem.at(topic, topic.stub, rule, "run `grader build`")


def _misconceptions(topic: Topic) -> Iterator[Problem]:
    names = signatures_of(_text(topic.source), str(topic.source))
    defined = {*names, *(name.split(".")[0] for name in names)}
    for misconception in load_misconceptions(topic.misconceptions):
        for function in misconception.functions:
            if function not in defined:
                rule = f"misconception {misconception.id}: the solution has no {function!r}"
                yield Problem.at(topic, topic.misconceptions, rule, "correct `functions`")
        try:
            submission_from_bytes(wrong_answer(misconception, topic), topic.source.name)
        except CourseError as error:
            rule, _, cure = str(error).rstrip(".").rpartition(": ")
            yield Problem.at(topic, topic.misconceptions, rule, cure)
        except SubmissionError as error:
            rule = f"misconception {misconception.id}: {error}"
            yield Problem.at(topic, topic.misconceptions, rule, "correct `replace`")


def _figures(topic: Topic) -> Iterator[Problem]:
    """None of its own: a figures.py that breaks a rule raises CourseError. Nothing is drawn."""
    course = load_course(topic.root)
    for drawing in figures_of(topic):
        other_topics(drawing, course, topic)
    yield from ()


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise CourseError(f"{file} is not UTF-8: save it as UTF-8.") from None
