"""`grader build`: stub, notebook and fingerprints of a topic, generated from its one source."""

import contextlib
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from grader.atomic import write_atomically
from grader.content.fingerprinting import take_fingerprints
from grader.content.notebook import notebook_of
from grader.content.regions import stub_of
from grader.course import CourseError, Topic
from grader.diagnosis.fingerprints import as_text, fingerprints_of, sources_hash
from grader.figures.finding import figures_of


def build_topic(topic: Topic) -> dict[Path, str]:
    """The generated files of a topic: path -> contents. Nothing is written.

    Raises:
        CourseError: the source is missing or breaks a rule.
    """
    return {**_texts(topic), topic.fingerprints: _fingerprints(topic)}


def _texts(topic: Topic) -> dict[Path, str]:
    """What is made from the source without running it."""
    stub = stub_of(_source(topic), str(topic.source))
    return {
        topic.stub: stub,
        topic.notebook: notebook_of(stub, topic.name, [one.name for one in figures_of(topic)]),
    }


def _fingerprints(topic: Topic) -> str:
    """Those on disk where they were made from these very sources: taking them runs every wrong answer."""
    if _has_its_fingerprints(topic):
        return topic.fingerprints.read_text(encoding="utf-8")
    return as_text(take_fingerprints(topic))


def _has_its_fingerprints(topic: Topic) -> bool:
    with contextlib.suppress(CourseError):  # of an older format
        return topic.checks.is_file() and fingerprints_of(topic).made_from == sources_hash(topic)
    return False


def outdated(topics: Iterable[Topic]) -> dict[Path, str]:
    """What `grader build` would write: the generated files that differ from those on disk, or are missing.

    Raises:
        CourseError: a source is missing or breaks a rule.
    """
    generated = [item for files in _built(list(topics)) for item in files.items()]
    return {path: text for path, text in generated if _on_disk(path) != text.encode()}


def out_of_date(topic: Topic) -> list[Path]:
    """The keys of `outdated([topic])`; no wrong answer is run for it.

    Raises:
        CourseError: the source is missing or breaks a rule.
    """
    found = [path for path, text in _texts(topic).items() if _on_disk(path) != text.encode()]
    return found if _has_its_fingerprints(topic) else [*found, topic.fingerprints]


def _built(topics: list[Topic]) -> list[dict[Path, str]]:
    """The files of each topic; where several need new fingerprints, which take a minute each, on all cores."""
    jobs = min(sum(not _has_its_fingerprints(topic) for topic in topics), os.cpu_count() or 1)
    if jobs < 2:
        return [build_topic(topic) for topic in topics]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        return list(pool.map(build_topic, topics))


def build(topics: Iterable[Topic]) -> list[Path]:
    """Writes what is outdated, each file whole or not at all, and returns the paths.

    Raises:
        CourseError: a source is missing or breaks a rule; nothing is written then.
    """
    changes = outdated(topics)
    for path, text in changes.items():
        write_atomically(path, text)
    return list(changes)


def _source(topic: Topic) -> str:
    try:
        return topic.source.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CourseError(
            f"{topic.source} does not exist: topic {topic.name} of course.toml is generated from it."
        ) from None
    except UnicodeDecodeError:
        raise CourseError(f"{topic.source} is not UTF-8: save it as UTF-8.") from None


def _on_disk(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
