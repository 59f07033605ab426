# %% [markdown]
# # Words
#
# No arrays here: text goes in, numbers and dicts come out.


# %%
def count_words(text):
    """How often each word occurs, upper case or not; words are what blanks separate."""
    ### BEGIN SOLUTION
    counts = {}
    for word in text.lower().split():
        counts[word] = counts.get(word, 0) + 1
    return counts
    ### END SOLUTION


# %% [markdown]
# ## Edit distance
#
# *Hint:* the last letters are kept, changed, added or removed; what is left is a smaller problem.


# %%
def edit_distance(a, b):
    """The least number of letters to change, add or remove that turns a into b."""
    ### BEGIN SOLUTION
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        corner, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            change = corner + (letter != other)
            corner, row[j] = row[j], min(change, row[j] + 1, row[j - 1] + 1)
    return row[-1]
    ### END SOLUTION
