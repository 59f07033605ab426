"""Takes the fingerprints of a topic: each wrong answer runs on the tape of the checks that judge its functions."""

import contextlib
from collections.abc import Iterable, Mapping

from grader.content.quiet import quietly
from grader.content.signatures import signatures_of
from grader.content.text_rules import checks_in, wrong_answer
from grader.content.uses import Uses
from grader.course import CourseError, Topic
from grader.diagnosis.fingerprints import FORMAT, Fingerprints, WrongAnswer, sources_hash
from grader.diagnosis.misconceptions import Misconception, load_misconceptions
from grader.diagnosis.trace import Trace, trace_of
from grader.grading import topic_checks
from grader.opening import the_student
from grader.submission import SubmissionError, submission_from_bytes


def take_fingerprints(topic: Topic) -> Fingerprints:
    """Signatures and traces of a topic's wrong answers, which run in this process: they are the course's own.

    Raises:
        CourseError: the solution or misconceptions.toml breaks a rule.
    """
    source = topic.source.read_text(encoding="utf-8")
    complete = topic.misconceptions.is_file() and topic.checks.is_file()
    bank = load_misconceptions(topic.misconceptions) if complete else ()
    signatures = signatures_of(source, str(topic.source))
    taken = {}
    for one in bank:
        # one that does not fit the source any more is for `grader verify` to name
        with contextlib.suppress(CourseError, SubmissionError):
            taken[one.id] = WrongAnswer(
                one.text, list(one.functions), traces_of(one, topic, signatures)
            )
    return Fingerprints(FORMAT, signatures, sources_hash(topic), uses_in(source, signatures), taken)


def uses_in(source: str, functions: Iterable[str]) -> dict[str, list[str]]:
    """Function or class -> the others of the course that it calls, where there are any."""
    uses = Uses(source)
    known = {name.partition(".")[0] for name in functions} & set(uses)
    found = {name: sorted((uses.used_by(name) & known) - {name}) for name in sorted(known)}
    return {name: others for name, others in found.items() if others}


def traces_of(
    misconception: Misconception, topic: Topic, signatures: Mapping[str, str]
) -> dict[str, Trace]:
    """Its traces in the checks of its functions that it plainly fails, in file order."""
    own = {
        check.name
        for check in checks_in(topic)
        if any(check.belongs_to(name) for name in misconception.functions)
    }
    answer = submission_from_bytes(wrong_answer(misconception, topic), topic.source.name)
    student = the_student(answer, topic, isolated=False, signatures=signatures)
    traces = {}
    with quietly():
        for check in topic_checks(topic):
            if check.name in own:
                try:
                    trace = trace_of(check, student)
                except Exception:  # noqa: BLE001  # a fault of the check itself is for `grader verify` to name
                    continue
                if trace is not None and trace.fails:
                    traces[check.name] = trace.shortened()
    return traces
