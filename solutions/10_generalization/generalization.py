# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Generalization
#
# A model that remembers its training data perfectly may still be worthless, and a model with far more weights than data
# may still be excellent. Both happen already in linear regression, where everything can be computed exactly: no network,
# no luck, no hours of waiting. In this topic you fit curves that are too stiff, about right and too wild, and then
# find out why a fit with *more* weights than points need not be wild at all: of all the weights that fit,
# least squares and gradient descent pick the smallest.
#
# Shapes: `features` $X$ is $(N, D)$, one row per sample; `targets` $y$ and `weights` $w$ are $(N,)$ and $(D,)$.
# Nothing is assumed about which of $N$ and $D$ is larger.

# %%
import numpy as np

# %% [markdown]
# ## Polynomial features
#
# A polynomial $w_0 + w_1 x + \dots + w_d x^d$ is not linear in $x$, but it is linear in $w$: a linear model on the features
#
# $$\phi(x) = (1,\ x,\ x^2,\ \dots,\ x^d) .$$
#
# The degree $d$ is the knob for capacity.
#
# *Hint:* numpy turns a float32 array to float64 when it is raised to an *array* of integers, and so does `np.vander`.


# %%
def polynomial_features(x, degree):
    """The powers of x from 0 to degree, ascending, shape (N, degree + 1).

    Args:
        x: points, shape (N,); N may be 0.
        degree: highest power, 0 or more.
    """
    ### BEGIN SOLUTION
    columns = [x**power for power in range(degree + 1)]
    return np.stack(columns, axis=1)
    ### END SOLUTION


# %% [markdown]
# ## Least squares, for any shape
#
# Minimize $\lVert Xw - y \rVert^2$. With more samples than features, and features that do not repeat each other, there is one
# answer. Otherwise there are infinitely many: move $w$ along a direction that $X$ maps to zero, and the fit does
# not notice. The one worth having is the **shortest**, which contains nothing of such directions. The singular value
# decomposition shows it: with $X = \sum_i \sigma_i\, u_i v_i^\top$,
#
# $$w = \sum_{\sigma_i > 0} \frac{u_i^\top y}{\sigma_i}\, v_i .$$
#
# On a computer a singular value that should be zero comes out as some $10^{-16}$ of the largest one, $\sigma_1$, and
# dividing by it would ruin everything. Whatever is below $\sigma_1 \cdot \max(N, D) \cdot \varepsilon$ counts as zero, where
# $\varepsilon$ is the precision of the dtype (`np.finfo`). Such a bound has to be *relative*: features measured in
# micrometres are as good as features measured in metres.
#
# *Hint:* forming $X^\top X$ squares the ratio of the largest to the smallest singular value, and the digits that
# you lose with it. numpy has several functions that avoid it.
#
# *Where it matters:* every network that is wider than its data set has this freedom. Which of the perfect fits training
# finds decides how well it generalizes.


# %%
def least_squares(features, targets):
    """The shortest of the weights that minimize the squared error, shape (D,).

    Args:
        features: shape (N, D), of any rank.
        targets: shape (N,).
    """
    ### BEGIN SOLUTION
    left, singular, right = np.linalg.svd(features, full_matrices=False)
    cutoff = singular[0] * max(features.shape) * np.finfo(features.dtype).eps
    kept = singular > cutoff
    coordinates = left[:, kept].T @ targets / singular[kept]
    return right[kept].T @ coordinates
    ### END SOLUTION


# %% [markdown]
# ## Ridge regression
#
# The oldest explicit regularizer: pay for length. With strength $\lambda$, ridge minimizes
#
# $$\lVert Xw - y \rVert^2 + \lambda\, \lVert w \rVert^2 ,$$
#
# the error *summed*, not averaged, and without factors of one half. Setting the gradient to zero leaves a linear system
# with the matrix $X^\top X + \lambda I$, which can be solved for every $\lambda > 0$, however many features there are. As
# $\lambda \to 0$ the answer tends to that of `least_squares`: the shortest solution is ridge with an infinitely small
# penalty. All weights are penalized alike, also that of a constant feature.


# %%
def ridge(features, targets, strength):
    """The weights that minimize the squared error plus strength times their squared norm, shape (D,).

    Args:
        features: shape (N, D).
        targets: shape (N,).
        strength: weight of the penalty, positive, or 0 for independent columns.
    """
    ### BEGIN SOLUTION
    penalty = strength * np.eye(features.shape[1], dtype=features.dtype)
    return np.linalg.solve(features.T @ features + penalty, features.T @ targets)
    ### END SOLUTION


# %% [markdown]
# ## Under- and overfitting, measured
#
# Fit polynomials of several degrees to the same training points by least squares, and measure the mean squared error twice:
# on those points, and on points that the fit has never seen. The training error only falls with the degree and reaches zero
# when there are as many weights as points. The test error falls, rises steeply towards that point, and, with
# shortest solutions, often *falls again* beyond it (double descent; Belkin et al., 2019, *Reconciling modern
# machine-learning practice and the classical bias-variance trade-off*).
#
# Try it on noisy samples of a smooth curve, and plot both errors on a logarithmic scale.


# %%
def train_test_error(x_train, y_train, x_test, y_test, degrees):
    """Mean squared errors of polynomial fits, on the points they were fitted to and on others.

    Args:
        x_train: points to fit, shape (N,).
        y_train: their targets, shape (N,).
        x_test: points to predict, shape (M,).
        y_test: their targets, shape (M,).
        degrees: K degrees, in any order; one may come twice.

    Returns:
        (train_mse, test_mse), each of shape (K,), in the order of `degrees`.
    """
    ### BEGIN SOLUTION
    train_mse, test_mse = [], []
    for degree in degrees:
        train_features = polynomial_features(x_train, degree)
        test_features = polynomial_features(x_test, degree)
        weights = least_squares(train_features, y_train)
        train_mse.append(np.mean((train_features @ weights - y_train) ** 2))
        test_mse.append(np.mean((test_features @ weights - y_test) ** 2))
    return np.array(train_mse, dtype=x_train.dtype), np.array(test_mse, dtype=x_train.dtype)
    ### END SOLUTION


# %% [markdown]
# ## Gradient descent regularizes by itself
#
# Half the mean squared error and its gradient are
#
# $$L(w) = \frac{1}{2N} \lVert Xw - y \rVert^2, \qquad \nabla L(w) = \frac{1}{N}\, X^\top (Xw - y) ,$$
#
# and a step is $w \leftarrow w - \eta \nabla L(w)$. Look at the gradient: whatever the error, it is a combination of the
# *rows* of $X$. Descent that begins at zero therefore never leaves their span, and the only perfect fit
# in that span is the shortest one. Nobody asked for short weights; the algorithm prefers them. Beginning elsewhere
# keeps for ever what the start has outside of the span.
#
# *Where it matters:* this is the simplest case of **implicit regularization**, a part of the answer to why networks with more
# weights than images do not simply memorize.


# %%
def gradient_descent(features, targets, *, lr, steps, start=None):
    """The weights after some steps of descent on half the mean squared error, shape (D,).

    Args:
        features: shape (N, D).
        targets: shape (N,).
        lr: learning rate.
        steps: number of steps, 0 or more.
        start: where to begin, shape (D,); zeros if None.
    """
    ### BEGIN SOLUTION
    count, width = features.shape
    weights = np.zeros(width, dtype=features.dtype) if start is None else start
    for _ in range(steps):
        error = features @ weights - targets
        weights = weights - lr * (features.T @ error) / count
    return weights
    ### END SOLUTION


# %% [markdown]
# ## The noise of minibatches
#
# Nobody computes the full gradient on a million images. A minibatch $B$ of `batch_size` samples gives an estimate,
#
# $$g_B = \frac{1}{|B|} \sum_{i \in B} x_i\, (x_i^\top w - y_i) ,$$
#
# which is right *on average* if every set of that size is equally likely. Draw $B$ without replacement: a sample that is met
# twice tells nothing new, and a batch of all $N$ samples is then the full gradient itself. What is left of the noise acts as a
# regularizer of its own, which is one reason why small batches often generalize better.
#
# A batch larger than the data set raises `ValueError`.


# %%
def minibatch_gradient(features, targets, weights, *, batch_size, rng):
    """Gradient of half the mean squared error over a random batch, shape (D,).

    Args:
        features: shape (N, D).
        targets: shape (N,).
        weights: where to take the gradient, shape (D,).
        batch_size: number of samples, drawn without replacement, 1 to N.
        rng: the source of all randomness.

    Raises:
        ValueError: batch_size is larger than N.
    """
    ### BEGIN SOLUTION
    count = len(features)
    if batch_size > count:
        raise ValueError(f"batch_size = {batch_size} is larger than the {count} samples")
    chosen = rng.choice(count, size=batch_size, replace=False)
    batch = features[chosen]
    error = batch @ weights - targets[chosen]
    return batch.T @ error / batch_size
    ### END SOLUTION
