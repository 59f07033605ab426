"""What authors call: generate, prove, begin something new."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from grader.cli.shared import DONE, WRONG_USE
from grader.course import Course, CourseError, Topic, find_course


def build(
    topic: Annotated[str | None, typer.Argument(metavar="[TOPIC]", help="Only this one.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if a file is out of date.")
    ] = False,
) -> int:
    """Generate stubs, notebooks and fingerprints from solutions/."""
    from grader.build import build as build_topics
    from grader.build import out_of_date

    course = find_course(Path.cwd())
    topics = [one for one in course.topics if one.source.is_file()]
    if topic is not None:
        topics = [course.topic(topic)]
    if not topics:
        raise CourseError(
            f"{course.root / 'solutions'} has no topic's source: nothing to generate."
        )
    if not check:
        for path in build_topics(topics):
            typer.echo(f"wrote {_shown(path, course)}")
        return DONE
    paths = [path for one in topics for path in out_of_date(one)]
    for path in paths:
        typer.echo(f"{_shown(path, course)} differs from its source: run `grader build`.", err=True)
    return WRONG_USE if paths else DONE


def verify(
    topic: Annotated[str | None, typer.Argument(metavar="[TOPIC]", help="Only this one.")] = None,
) -> int:
    """Prove that the course's content is sound."""
    from grader.verify import verify as problems_of

    course = find_course(Path.cwd())
    topics = course.topics if topic is None else (course.topic(topic),)
    problems = problems_of(course, topics, done=_say_if_sound)
    for problem in problems:
        typer.echo(str(problem), err=True)
    return WRONG_USE if problems else DONE


def topic_skeleton(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as attention.")],
) -> int:
    """Add a topic to this course: source, checks and wrong answers, with TODOs for you."""
    from grader.new import new_topic

    course = find_course(Path.cwd())
    topic = new_topic(course, name)
    for path in (topic.source, topic.checks, topic.misconceptions):
        typer.echo(f"wrote {_shown(path, course)}")
    typer.echo(f"next: grader build, then grader verify {topic.name}")
    return DONE


def course_skeleton(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that does not exist.")],
    topic: Annotated[str, typer.Option(help="Its first topic.")] = "first_steps",
) -> int:
    """Begin a course of one topic."""
    from grader.new import new_course

    course = new_course(folder, topic)
    typer.echo(f"wrote {folder.as_posix()}, a course with the topic {course.topics[0].name}")
    typer.echo(f"next: cd {folder.as_posix()}, grader build, then grader verify")
    return DONE


def _say_if_sound(topic: Topic, problems: Sequence[object]) -> None:
    if not problems:
        typer.echo(f"{topic.name}: sound")


def _shown(path: Path, course: Course) -> str:
    return path.relative_to(course.root).as_posix()
