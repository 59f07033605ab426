# %% [markdown]
# # Words
#
# No arrays here: text goes in, numbers and dicts come out.


# %%
def count_words(text):
    """How often each word occurs, upper case or not; words are what blanks separate."""
    raise NotImplementedError("count_words is yours to write")


# %% [markdown]
# ## Edit distance
#
# *Hint:* the last letters are kept, changed, added or removed; what is left is a smaller problem.


# %%
def edit_distance(a, b):
    """The least number of letters to change, add or remove that turns a into b."""
    raise NotImplementedError("edit_distance is yours to write")
