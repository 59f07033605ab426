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
    ### BEGIN SOLUTION
    if not 1 <= width <= len(x):
        raise ValueError(f"width is {width}, but the signal has {len(x)} values")
    windows = np.lib.stride_tricks.sliding_window_view(x, width)
    return windows.mean(axis=1)
    ### END SOLUTION


# %% [markdown]
# ## The same, value by value


# %%
class RunningMean:
    """The mean of all values so far."""

    def __init__(self, *, start=0.0):
        ### BEGIN SOLUTION
        self.total = start
        self.count = 0
        ### END SOLUTION

    def update(self, value):
        """Takes a value in; returns the mean, with `start` added to the sum."""
        ### BEGIN SOLUTION
        self.total = self.total + value
        self.count = self.count + 1
        return self.total / self.count
        ### END SOLUTION
