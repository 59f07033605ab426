"""What a check imports: complete, documented, with examples that run."""

import doctest
import importlib

import pytest

import grader


def test_every_name_is_there_and_no_other():
    """`__all__` is what the lazy table loads."""
    assert sorted(grader.__all__) == sorted(grader._HOME)
    with pytest.raises(AttributeError, match="no attribute 'assert_nearly'"):
        _ = grader.assert_nearly


@pytest.mark.parametrize("name", grader.__all__)
def test_every_helper_has_a_runnable_example(name):
    """In its docstring, and it gives what it says."""
    helper = getattr(grader, name)
    module = importlib.import_module(grader._HOME[name])
    found = doctest.DocTestFinder(recurse=False).find(helper, name, module=module)
    assert sum(len(test.examples) for test in found) > 0
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in found:
        test.globs.update(vars(module))
        runner.run(test)
    assert runner.failures == 0
