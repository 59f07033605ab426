# %% [markdown]
# # Signals
#
# A window slides over a signal; what it sees is summed up in one number.

# %%
import numpy as np

# %% [markdown]
# ## The moving average
#
# Only full windows count, so the answer is shorter than the signal. *Hint:* the sum of a window is a difference of two
# cumulative sums.


# %%
# Hint: a window of 1 changes nothing.
def moving_average(x, width):
    """The mean of every full window.

    Args:
        x: signal, shape (N,).
        width: length of the window.

    Returns:
        The means, shape (N - width + 1,).

    Raises:
        ValueError: the window is empty or longer than the signal.
    """
    raise NotImplementedError("moving_average is yours to write")


# %% [markdown]
# ## The same, value by value


# %%
class RunningMean:
    """The mean of all values so far."""

    def __init__(self, *, start=0.0):
        raise NotImplementedError("RunningMean.__init__ is yours to write")

    def update(self, value):
        """Takes a value in; returns the mean, with `start` added to the sum."""
        raise NotImplementedError("RunningMean.update is yours to write")
