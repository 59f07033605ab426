# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Data augmentation
#
# A cat that looks the other way is still a cat. So is one a little further left, slightly tilted, at dusk, or seen through
# a dirty lens. Such changes cost nothing, and each one tells the network about something that does **not** matter.
# Augmentation draws a change anew whenever an image is used. The network then rarely sees the same array twice, and
# what it learns holds under all the changes that you let it see. Choose them with care: a mirrored cat is a cat, but a
# mirrored *b* is a *d*.
#
# The first half of this topic moves pixels, the second half changes their colours. Images come as arrays of shape
# $(N, C, H, W)$ with values in $[0, 1]$; row 0 is the top, column 0 the left edge. Heights and widths differ in general,
# and a batch may be empty. Answers have the dtype of the images, float64 or float32. Whatever is random is drawn
# from `rng`, a `numpy.random.Generator`, **for each image by itself**.

# %%
import numpy as np

# %% [markdown]
# ## Mirror images
#
# The cheapest augmentation there is: exchange left and right,
#
# $$\text{out}[n, c, y, x] = \text{in}[n, c, y, W - 1 - x] .$$


# %%
def horizontal_flip(images):
    """The images with left and right exchanged, shape (N, C, H, W).

    Args:
        images: shape (N, C, H, W).
    """
    ### BEGIN SOLUTION
    return images[..., ::-1]
    ### END SOLUTION


# %% [markdown]
# The random form mirrors each image with probability $p$, by a coin of its own. An image is mirrored as a whole: its
# channels belong together. $p = 0$ mirrors none, $p = 1$ mirrors all.
#
# *Hint:* draw $N$ uniform numbers, compare them with $p$, and let `np.where` choose.


# %%
def random_horizontal_flip(images, p, *, rng):
    """The images, each mirrored with probability p; shape (N, C, H, W).

    Args:
        images: shape (N, C, H, W).
        p: probability that an image is mirrored, in [0, 1].
        rng: the source of all randomness.
    """
    ### BEGIN SOLUTION
    chosen = rng.random(len(images)) < p
    return np.where(chosen[:, None, None, None], horizontal_flip(images), images)
    ### END SOLUTION


# %% [markdown]
# ## Translation
#
# Shift every image by whole pixels, `dx` to the right and `dy` down; negative numbers shift to the left and up. What
# leaves on one side is lost, and zeros (black) come in on the other:
#
# $$\text{out}[n, c, y, x] = \text{in}[n, c, y - dy, x - dx], \quad \text{zero where that lies outside.}$$
#
# *Hint:* copy one rectangle into an array of zeros. Try a shift by 0, and one that is larger than the image.


# %%
def translate(images, dx, dy):
    """The images shifted by whole pixels, zeros coming in; shape (N, C, H, W).

    Args:
        images: shape (N, C, H, W).
        dx: pixels to the right, an int; negative: to the left.
        dy: pixels down, an int; negative: up.
    """
    ### BEGIN SOLUTION
    H, W = images.shape[2:]
    out = np.zeros_like(images)
    if abs(dx) < W and abs(dy) < H:
        to_rows, from_rows = slice(max(dy, 0), H + min(dy, 0)), slice(max(-dy, 0), H - max(dy, 0))
        to_columns, from_columns = (
            slice(max(dx, 0), W + min(dx, 0)),
            slice(max(-dx, 0), W - max(dx, 0)),
        )
        out[:, :, to_rows, to_columns] = images[:, :, from_rows, from_columns]
    return out
    ### END SOLUTION


# %% [markdown]
# ## Random crops
#
# Surround the image with a frame of `padding` zeros and cut out a window of the original size, anywhere. The window's
# corner has $2 \cdot \text{padding} + 1$ possible rows and as many columns; all of their combinations are equally likely,
# and each image gets a window of its own. This and the mirror are what most networks on CIFAR-10 are trained with.
#
# *Hint:* `rng.integers` leaves its upper end out.


# %%
def random_crop(images, padding, *, rng):
    """A random window of each zero-padded image, of the original size; shape (N, C, H, W).

    Args:
        images: shape (N, C, H, W).
        padding: width of the frame of zeros on all four sides, 0 or more.
        rng: the source of all randomness.
    """
    ### BEGIN SOLUTION
    N, _, H, W = images.shape
    padded = np.pad(images, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    top = rng.integers(0, 2 * padding + 1, size=N)
    left = rng.integers(0, 2 * padding + 1, size=N)
    rows = top[:, None, None] + np.arange(H)[:, None]
    columns = left[:, None, None] + np.arange(W)
    windows = padded[np.arange(N)[:, None, None], :, rows, columns]
    return np.moveaxis(windows, -1, 1)
    ### END SOLUTION


# %% [markdown]
# ## Between the pixels
#
# Rotations and deformations ask for the image at places between its pixels. Two ideas solve this.
#
# **Ask backwards.** For each pixel of the *output*, find the place $(x, y)$ in the *input* where its value comes from. Going
# the other way, from input to output, leaves holes.
#
# **Interpolate.** The value at $(x, y)$ is a mixture of the four pixels around it. A pixel $(i, j)$, column $i$ and row $j$,
# has the weight
#
# $$w_{ij}(x, y) = (1 - |x - i|)\,(1 - |y - j|), \qquad i \in \{\lfloor x \rfloor, \lfloor x \rfloor + 1\},\
#   j \in \{\lfloor y \rfloor, \lfloor y \rfloor + 1\} .$$
#
# Pixels outside of the image count as zeros, each one for itself: halfway between the last column and the outside, half of
# the last column is left. The image fades out over one pixel instead of being cut off.
#
# Rotation and deformation below share this step, so it deserves a function of its own.


# %%
### BEGIN SOLUTION
def _sample(images, x, y):
    """Bilinear samples of the images at columns x and rows y, each of shape (N, H, W); zeros outside."""
    N, _, H, W = images.shape
    batch = np.arange(N)[:, None, None]
    left, top = np.floor(x), np.floor(y)
    out = np.zeros_like(images)
    for column, row in ((left, top), (left + 1, top), (left, top + 1), (left + 1, top + 1)):
        inside = (column >= 0) & (column < W) & (row >= 0) & (row < H)
        weight = (1 - np.abs(x - column)) * (1 - np.abs(y - row)) * inside
        columns = np.clip(column, 0, W - 1).astype(np.int64)
        rows = np.clip(row, 0, H - 1).astype(np.int64)
        values = np.moveaxis(images[batch, :, rows, columns], -1, 1)
        out += weight[:, None].astype(images.dtype) * values
    return out


### END SOLUTION

# %% [markdown]
# ## Rotation
#
# Rotate **counter-clockwise**, as seen on the screen, about the centre of the image, $x_0 = (W - 1)/2$ and
# $y_0 = (H - 1)/2$. The output pixel $(x', y')$ takes its value from the input at
#
# $$\begin{aligned} x &= x_0 + \cos\theta\,(x' - x_0) - \sin\theta\,(y' - y_0) \\
#   y &= y_0 + \sin\theta\,(x' - x_0) + \cos\theta\,(y' - y_0) \end{aligned}$$
#
# by bilinear interpolation. Rows are counted downwards, hence these signs: for $\theta = 90°$ the output's top
# comes from the input's right edge. Distances are measured in pixels along both axes, so that shapes keep their form in
# images that are not square. The size of the image stays; corners that turn out of it are lost.


# %%
def rotate(images, degrees):
    """The images rotated counter-clockwise about their centre, zeros outside; shape (N, C, H, W).

    Args:
        images: shape (N, C, H, W), N >= 1.
        degrees: the angle, any number.
    """
    ### BEGIN SOLUTION
    N, _, H, W = images.shape
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    x = np.arange(W) - (W - 1) / 2
    y = (np.arange(H) - (H - 1) / 2)[:, None]
    columns = cosine * x - sine * y + (W - 1) / 2
    rows = sine * x + cosine * y + (H - 1) / 2
    return _sample(images, np.tile(columns, (N, 1, 1)), np.tile(rows, (N, 1, 1)))
    ### END SOLUTION


# %% [markdown]
# ## Elastic deformation
#
# Handwriting wobbles. Simard, Steinkraus and Platt (2003) imitated this with a smooth random field of displacements, and
# with it trained the best digit recognizer of their time. Here the field is given: a vector $(\delta_x, \delta_y)$ in pixels
# for each pixel of each image, and
#
# $$\text{out}[n, c, y, x] = \text{in}_{n, c}(x + \delta_x[n, y, x],\ y + \delta_y[n, y, x]),$$
#
# with the input read by bilinear interpolation as above. All channels of an image share the field. A displacement may be as
# large as it likes: what points outside reads zero.


# %%
def elastic_deform(images, displacement):
    """The images, each pixel read from where its displacement points; shape (N, C, H, W).

    Args:
        images: shape (N, C, H, W).
        displacement: shape (N, H, W, 2), pixels to the right and pixels down.
    """
    ### BEGIN SOLUTION
    H, W = images.shape[2:]
    x = np.arange(W) + displacement[..., 0]
    y = np.arange(H)[:, None] + displacement[..., 1]
    return _sample(images, x, y)
    ### END SOLUTION


# %% [markdown]
# ## Brightness and contrast
#
# Lamps and clouds change all values of an image together. **Brightness** multiplies them by a factor,
#
# $$\text{out} = \mathrm{clip}(f \cdot \text{in},\ 0,\ 1) :$$
#
# 0 is black, 1 changes nothing, 2 is twice as bright. Since values end at 1, what is too bright is clipped. A negative
# factor raises `ValueError`.


# %%
def adjust_brightness(images, factor):
    """The images multiplied by factor and clipped to [0, 1]; shape (N, C, H, W).

    Args:
        images: shape (N, C, H, W).
        factor: a number, 0 or more.

    Raises:
        ValueError: factor is negative.
    """
    ### BEGIN SOLUTION
    if factor < 0:
        raise ValueError(f"factor must not be negative, but is {factor}")
    return np.clip(factor * images, 0, 1)
    ### END SOLUTION


# %% [markdown]
# **Contrast** moves the values away from the image's mean grey $m_n$, or towards it:
#
# $$\text{out}_n = \mathrm{clip}(f \cdot \text{in}_n + (1 - f)\, m_n,\ 0,\ 1) .$$
#
# 0 leaves a flat grey, 1 changes nothing, more than 1 exaggerates. The eye does not see all colours equally bright, so the
# grey of a pixel is $0.299\,R + 0.587\,G + 0.114\,B$ (with one channel, the value itself), and $m_n$ is its mean over the
# pixels of image $n$: one number per image. A negative factor raises `ValueError`.


# %%
def adjust_contrast(images, factor):
    """The images blended with their mean grey and clipped to [0, 1]; shape (N, C, H, W).

    Args:
        images: shape (N, C, H, W), with C = 3 (red, green, blue) or C = 1.
        factor: a number, 0 or more.

    Raises:
        ValueError: factor is negative.
    """
    ### BEGIN SOLUTION
    if factor < 0:
        raise ValueError(f"factor must not be negative, but is {factor}")
    if images.shape[1] == 3:
        grey = 0.299 * images[:, 0] + 0.587 * images[:, 1] + 0.114 * images[:, 2]
    else:
        grey = images[:, 0]
    mean = grey.mean(axis=(1, 2))[:, None, None, None]
    return np.clip(factor * images + (1 - factor) * mean, 0, 1)
    ### END SOLUTION


# %% [markdown]
# ## Hue
#
# A red car and a blue car are cars. To change the colour but not the light, write a pixel as hue, saturation and value, turn
# the hue, and go back. With $V = \max(R, G, B)$ and the chroma $\Delta = V - \min(R, G, B)$, the hue in sixths of a turn is
#
# $$h = \begin{cases} (G - B)/\Delta & V = R \\ 2 + (B - R)/\Delta & V = G \\ 4 + (R - G)/\Delta & V = B \end{cases}$$
#
# modulo 6. Red lies at 0, green at 2, blue at 4; $V$ and the saturation $S = \Delta / V$ stay as they are. A grey pixel
# ($\Delta = 0$) has no hue, and nothing happens to it. A shift of 0.5 is half a turn, either way around.
#
# On the way back from the new hue, channel number $n = 5, 3, 1$ for red, green, blue is
#
# $$V - \Delta \cdot \max(0, \min(k, 4 - k, 1)), \qquad k = (n + h) \bmod 6 .$$
#
# Python's `colorsys` does all of this for a single pixel; it is good for trying things out, but slow on a batch.


# %%
def adjust_hue(images, shift):
    """The images with the hue of each pixel shifted; shape (N, 3, H, W).

    Args:
        images: shape (N, 3, H, W): red, green, blue.
        shift: turns of the colour wheel, in [-0.5, 0.5]; from red towards green is positive.
    """
    ### BEGIN SOLUTION
    red, green, blue = images[:, 0], images[:, 1], images[:, 2]
    value = images.max(axis=1)
    chroma = value - images.min(axis=1)
    divisor = np.where(chroma == 0, 1, chroma)
    hue = np.where(
        value == red,
        (green - blue) / divisor,
        np.where(value == green, 2 + (blue - red) / divisor, 4 + (red - green) / divisor),
    )
    hue = hue + 6 * shift
    channels = []
    for n in (5, 3, 1):
        k = (n + hue) % 6
        channels.append(value - chroma * np.clip(np.minimum(k, 4 - k), 0, 1))
    return np.stack(channels, axis=1).astype(images.dtype)
    ### END SOLUTION


# %% [markdown]
# ## Noise
#
# Sensors are never quite sure. Add a draw from $\mathcal{N}(0, \text{std}^2)$ to every value, each pixel and channel of each
# image with a draw of its own, and clip the sum to $[0, 1]$.
#
# *Hint:* numpy's generators draw float64 unless told otherwise.


# %%
def gaussian_noise(images, std, *, rng):
    """The images with normal noise added, clipped to [0, 1]; shape (N, C, H, W).

    Args:
        images: shape (N, C, H, W).
        std: standard deviation of the noise, 0 or more.
        rng: the source of all randomness.
    """
    ### BEGIN SOLUTION
    noise = rng.normal(0.0, std, size=images.shape).astype(images.dtype)
    return np.clip(images + noise, 0, 1)
    ### END SOLUTION


# %% [markdown]
# ## Blur
#
# A lens out of focus replaces each value by a weighted mean of its surroundings. The weights are a Gaussian bell over
# `kernel_size` $= 2r + 1$ pixels, the same along rows and columns, normalized so that they sum to one:
#
# $$g_k = \frac{e^{-k^2 / 2\sigma^2}}{\sum_{l=-r}^{r} e^{-l^2 / 2\sigma^2}}, \qquad
#   \text{out}[y, x] = \sum_{j=-r}^{r} \sum_{i=-r}^{r} g_j\, g_i\, \text{in}[y + j, x + i] .$$
#
# At the border the image is continued by its mirror image about the outermost pixels, which are not repeated:
# $\dots c\, b \mid a\, b\, c \mid b\, a \dots$ (numpy's and torch's padding mode `"reflect"`). Each channel is blurred by
# itself. An even kernel has no middle and raises `ValueError`.
#
# *Hint:* the weights are a product, so blurring the columns and then the rows gives the same, for far less work.


# %%
def gaussian_blur(images, sigma, *, kernel_size):
    """The images blurred by a Gaussian kernel, with reflected borders; shape (N, C, H, W).

    Args:
        images: shape (N, C, H, W), with H and W larger than kernel_size // 2.
        sigma: standard deviation of the kernel in pixels, positive.
        kernel_size: number of pixels of the kernel along each axis, odd.

    Raises:
        ValueError: kernel_size is even.
    """
    ### BEGIN SOLUTION
    if kernel_size % 2 == 0:
        raise ValueError(f"kernel_size must be odd, but is {kernel_size}")
    radius = kernel_size // 2
    offsets = np.arange(-radius, radius + 1)
    kernel = np.exp(-(offsets**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).astype(images.dtype)
    frame = ((0, 0), (0, 0), (radius, radius), (radius, radius))
    padded = np.pad(images, frame, mode="reflect")
    columns = np.lib.stride_tricks.sliding_window_view(padded, kernel_size, axis=2) @ kernel
    return np.lib.stride_tricks.sliding_window_view(columns, kernel_size, axis=3) @ kernel
    ### END SOLUTION
