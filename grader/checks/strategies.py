"""Generated cases: shapes with named axes, a seed and a kind of values.

A case is a pure function of its `Plan`: a few small integers. The plan is drawn and shrunk, not the elements, which is
much faster and leaves small, readable cases. Beside the random plans, a fixed list of edge plans is met
by every check: each kind of values, each memory layout, float32, every axis of length 1 in turn, unequal axes, a larger batch.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

Array = np.ndarray[Any, np.dtype[Any]]
Builder = Callable[["Draw"], Mapping[str, Any]]
Change = Callable[["Draw", dict[str, Any]], Mapping[str, Any]]

KINDS = ("integers", "normal", "offset", "wide", "huge", "tiny", "zeros")
LAYOUTS = ("C", "F", "transposed", "strided", "reversed", "readonly")
DTYPES = ("float64", "float32")
_TRIED_AT_MOST = 120
RANDOM_KINDS = ("integers", "normal", "normal", "offset", "wide", "huge", "tiny")
_RANDOM_ONES = (None, None, None, 0, 1, 2, 3)
_SIZE_AT_MOST = 6
_SEEDS = 2**16


@dataclass(frozen=True)
class Plan:
    """What a case is built from.

    Attributes:
        size: longest extent of an axis whose range is not given.
        seed: seed of everything that is drawn.
        kind: kind of values, one of `KINDS`.
        layout: memory layout of the arrays, one of `LAYOUTS`.
        dtype: of the float arrays.
        ones: the axis (by its number, modulo the number of axes) that is forced to its shortest extent; None for no axis,
            -1 for all.
        index: number among the edge plans, which makes options and alternatives take turns; None for a random plan.
    """

    size: int = 3
    seed: int = 0
    kind: str = "integers"
    layout: str = "C"
    dtype: str = "float64"
    ones: int | None = None
    empty: int | None = None
    index: int | None = None


@dataclass(frozen=True)
class uniform:  # noqa: N801  # reads as a word of the check, like a function
    """An option drawn uniformly from [low, high], rounded to four significant digits.

    >>> _ = cases(x="N D", options={"lr": uniform(0.001, 0.1)})
    """

    low: float
    high: float


@dataclass(frozen=True)
class axis:  # noqa: N801  # as above
    """An option that is the extent of a named axis.

    >>> _ = cases(x="N G*K", options={"num_groups": axis("G")})
    """

    name: str


@dataclass(frozen=True)
class positive:  # noqa: N801  # as above
    """An array of positive values (magnitudes of the plan's kind).

    >>> _ = cases(x="N C", running_var=positive("C"))
    """

    shape: str


@dataclass(frozen=True)
class labels:  # noqa: N801  # as above
    """Integer class labels of shape `shape`, in [0, extent of `classes`).

    >>> _ = cases(logits="N C", targets=labels("N", "C"))
    """

    shape: str
    classes: str


@dataclass
class Case:
    """One generated call: `inputs` by name in order, `options` by name; both also as attributes.

    >>> case = edge_cases(cases(x="N D", options={"eps": [1e-5]}), seed=0)[0]
    >>> list(case.inputs), case.eps, case.x.ndim
    (['x'], 1e-05, 2)
    """

    inputs: dict[str, Any]
    options: dict[str, Any]
    dims: dict[str, int]
    dtype: str
    seed: int
    plan: Plan = field(repr=False, default_factory=Plan)

    def rng(self, stream: int = 0) -> np.random.Generator:
        """A fresh generator, the same one each time for the same `stream`."""
        return np.random.default_rng([self.seed, stream, 7])

    def elements(self) -> int:
        """Number of elements of all inputs together, at least 1 for each input."""
        return sum(max(1, count) for count in map(_count, self.inputs.values()))

    def __getattr__(self, name: str) -> Any:
        for values in (self.__dict__.get("inputs", {}), self.__dict__.get("options", {})):
            if name in values:
                return values[name]
        raise AttributeError(f"the case has no input or option {name!r}")


class Draw:
    """Draws the parts of a case from its plan.

    >>> def build(draw):
    ...     return {"weights": [draw.array(3, 2) for _ in range(draw.integer(1, 4))]}
    >>> len(edge_cases(cases(build), seed=0)[0].weights) >= 1
    True
    """

    def __init__(self, plan: Plan, dims: dict[str, int]) -> None:
        self.plan = plan
        self.dims = dims
        self.rng = np.random.default_rng([plan.seed, 1])
        self.dtype = np.dtype(plan.dtype)
        self.index = plan.index
        self._turns = 0

    def integer(self, low: int, high: int) -> int:
        """An integer in [low, high]; small plans give small ones."""
        high = max(low, min(high, low + 2 * self.plan.size))
        if self.plan.ones == -1:
            return low
        return int(self.rng.integers(low, high + 1))

    def uniform(self, low: float, high: float) -> float:
        """A float in [low, high], rounded to four significant digits."""
        return float(f"{self.rng.uniform(low, high):.4g}")

    def choice(self, values: Sequence[Any]) -> Any:
        """One of the values; edge plans take them in turn, so that each is met."""
        values = list(values)
        self._turns += 1
        if self.index is not None:
            return values[_turn(self.index, self._turns, len(values))]
        return values[int(self.rng.integers(len(values)))]

    def array(self, *shape: int | str, scale: float = 1.0, positive: bool = False) -> Array:
        """A float array of the plan's kind, dtype and layout; names of axes may stand in the shape."""
        lengths = [
            length
            for part in shape
            for length in (_extents(part, self.dims) if isinstance(part, str) else (part,))
        ]
        values = scale * _values(self.rng, tuple(lengths), self.plan.kind)
        if positive:
            values = np.abs(values) + 0.1 * scale * _magnitude(self.plan.kind)
        return self.laid_out(values)

    def laid_out(self, values: Array) -> Array:
        """Values of one's own as a float array of the plan's dtype and layout, as `array` makes them."""
        return laid_out(values.astype(self.dtype), self.plan.layout)


def cases(
    builder: Builder | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    dims: Mapping[str, tuple[int, int]] | None = None,
    where: Callable[[dict[str, int]], bool] | None = None,
    empty: Sequence[str] = (),
    kinds: Sequence[str] | None = None,
    dtypes: Sequence[str] | None = None,
    layouts: Sequence[str] | None = None,
    options_of: Sequence[str] = (),
    change: Change | None = None,
    **arrays: Any,
) -> st.SearchStrategy[Case]:
    """A strategy of generated cases.

    Args:
        builder: makes the inputs from a `Draw`, where named axes do not say enough.
        options: option -> list of values (the first is the simplest; every value is met), `uniform(low, high)` or `axis("G")`.
        dims: inclusive ranges of axes; an axis that is not named here has 1 to 6 elements.
        where: rejects combinations of extents.
        empty: axes that may also have length 0.
        kinds: restricts the kinds of values, see `KINDS`.
        dtypes: restricts the dtypes, see `DTYPES`.
        layouts: restricts the memory layouts, see `LAYOUTS`.
        options_of: names of the builder's or the change's results that are options.
        change: makes the inputs from a `Draw` and the drawn inputs, where their values are special: what a check calls with
            is then what its message shows.
        **arrays: name -> axes (`"N C H W"`, with products `"G*K"`, numbers and a leading `...`),
            a list of alternatives, `positive(axes)` or `labels(axes, classes)`.

    Raises:
        ValueError: neither or both of builder and arrays are given, or a kind, dtype or layout is unknown.

    >>> strategy = cases(x="... D", gamma="D", options={"eps": [1e-5, 0.1]}, empty=("A",))
    >>> {case.eps for case in edge_cases(strategy, seed=0)} == {1e-5, 0.1}
    True
    >>> def negative(draw, drawn):
    ...     return {"x": draw.laid_out(-np.abs(drawn["x"]))}
    >>> all((case.x <= 0).all() for case in edge_cases(cases(x="N D", change=negative), seed=0))
    True
    """
    if (builder is None) == (not arrays):
        raise ValueError("cases() takes either a builder or arrays by name, e.g. cases(x='N D')")
    for given, known in ((kinds, KINDS), (dtypes, DTYPES), (layouts, LAYOUTS)):
        for name in given or ():
            if name not in known:
                raise ValueError(f"cases() knows {', '.join(known)}, not {name!r}")
    spec = _Spec(
        builder,
        dict(arrays),
        dict(options or {}),
        dict(dims or {}),
        where,
        tuple(empty),
        tuple(kinds or ()),
        tuple(dtypes or DTYPES),
        tuple(layouts or LAYOUTS),
        tuple(options_of),
        change,
    )
    plans = st.builds(
        Plan,
        size=st.integers(1, _SIZE_AT_MOST),
        seed=st.integers(0, _SEEDS),
        kind=st.sampled_from(spec.random_kinds),
        layout=st.sampled_from(spec.layouts),
        dtype=st.sampled_from(spec.dtypes),
        ones=st.sampled_from(_RANDOM_ONES),
    )
    strategy = plans.map(spec.build)
    _EDGES[id(strategy)] = (strategy, spec)
    return strategy


_EDGES: dict[int, tuple[Any, "_Spec"]] = {}


def is_cases(strategy: Any) -> bool:
    """Whether a strategy was made by `cases`."""
    return id(strategy) in _EDGES


def edge_cases(strategy: Any, seed: int) -> list[Case]:
    """The edge cases of a strategy made by `cases`; none for another strategy."""
    if id(strategy) not in _EDGES:
        return []
    spec = _EDGES[id(strategy)][1]
    return [spec.build(plan) for plan in spec.edge_plans(seed)]


def random_cases(strategy: Any, seed: int, count: int) -> list[Case]:
    """Random cases of a strategy made by `cases`: what hypothesis would draw from it, 20 times faster."""
    return [_EDGES[id(strategy)][1].build(plan) for plan in _random_plans(strategy, seed, count)]


def _random_plans(strategy: Any, seed: int, count: int) -> Iterator[Plan]:
    spec = _EDGES[id(strategy)][1]
    rng = np.random.default_rng([seed, 4])

    def one_of(values: Sequence[Any]) -> Any:
        return values[int(rng.integers(len(values)))]

    for _ in range(count):
        yield Plan(
            size=int(rng.integers(1, _SIZE_AT_MOST + 1)),
            seed=int(rng.integers(_SEEDS + 1)),
            kind=one_of(spec.random_kinds),
            layout=one_of(spec.layouts),
            dtype=one_of(spec.dtypes),
            ones=one_of(_RANDOM_ONES),
        )


def smallest_case(strategy: Any, case: Case, fails: Callable[[Case], bool]) -> Case:
    """The smallest case like the given one for which `fails` still holds.

    First layout, dtype and kind of values are made plain, each if the failure allows it; then plans of all sizes
    are tried in the order of their number of elements.
    """
    spec = _EDGES[id(strategy)][1]
    changes: tuple[dict[str, Any], ...] = (
        {"layout": "C"},
        {"dtype": "float64"},
        {"kind": "integers"},
        {"kind": "normal"},
    )
    for change in changes:
        plan = replace(case.plan, **change)
        allowed = (
            plan.layout in spec.layouts and plan.dtype in spec.dtypes and plan.kind in spec.kinds
        )
        plainer = plan != case.plan and KINDS.index(plan.kind) <= KINDS.index(case.plan.kind)
        if allowed and plainer and fails(candidate := spec.build(plan)):
            case = candidate
    plans = [
        replace(case.plan, size=size, seed=seed, ones=ones)
        for size in range(1, min(case.plan.size, 6) + 1)
        for seed in (case.plan.seed, *range(7))
        for ones in (-1, None, 0, 1, 2, 3)
    ]
    built = sorted((spec.build(plan) for plan in plans), key=Case.elements)
    tried: set[bytes] = set()
    for candidate in built:
        if candidate.elements() >= case.elements() or len(tried) >= _TRIED_AT_MOST:
            break
        fingerprint = repr((candidate.inputs, candidate.options)).encode()
        if fingerprint not in tried and fails(candidate):
            return candidate
        tried.add(fingerprint)
    return case


@dataclass(frozen=True)
class _Spec:
    builder: Builder | None
    arrays: dict[str, Any]
    options: dict[str, Any]
    ranges: dict[str, tuple[int, int]]
    where: Callable[[dict[str, int]], bool] | None
    empty: tuple[str, ...]
    given_kinds: tuple[str, ...]
    dtypes: tuple[str, ...]
    layouts: tuple[str, ...]
    options_of: tuple[str, ...]
    change: Change | None

    @property
    def kinds(self) -> tuple[str, ...]:
        return self.given_kinds or KINDS[:-1]

    @property
    def random_kinds(self) -> tuple[str, ...]:
        return tuple(kind for kind in RANDOM_KINDS if kind in self.kinds) or self.kinds

    def edge_plans(self, seed: int) -> list[Plan]:
        base = int(np.random.default_rng([seed, 3]).integers(2**16))
        rounds = max(
            [
                1,
                *(
                    len(values)
                    for values in self.options.values()
                    if isinstance(values, (list, tuple))
                ),
            ]
        )
        plans = [
            Plan(size=2),
            Plan(size=3, kind=self._kind(0, "normal"), ones=-1),
            Plan(size=3, kind="zeros" if "zeros" in self.kinds else self._kind(0, "integers")),
        ]
        plans += [Plan(size=4, kind=kind) for kind in self.kinds]
        plans += [
            Plan(size=4, kind=self._kind(i, "normal"), layout=layout)
            for i, layout in enumerate(self.layouts[1:])
        ]
        plans += [Plan(size=4, kind=self._kind(i, "normal"), ones=i) for i in range(4)]
        plans += [
            Plan(size=5, kind=self._kind(i, "normal"), dtype=dtype)
            for i, dtype in enumerate(self.dtypes)
            for _ in (0, 1)
        ]
        plans += [Plan(size=9, kind=self._kind(0, "normal"))]
        plans += [
            Plan(size=3, kind=self._kind(0, "normal"), empty=i) for i in range(len(self.empty))
        ]
        while len(plans) < rounds:
            plans.append(Plan(size=4, kind=self._kind(len(plans), "normal")))
        return [
            replace(
                plan,
                seed=base + i,
                index=i,
                kind=plan.kind if plan.kind in self.kinds else self.kinds[0],
                dtype=plan.dtype if plan.dtype in self.dtypes else self.dtypes[0],
                layout=plan.layout if plan.layout in self.layouts else self.layouts[0],
            )
            for i, plan in enumerate(plans)
        ]

    def _kind(self, turn: int, preferred: str) -> str:
        return preferred if preferred in self.kinds else self.kinds[turn % len(self.kinds)]

    def build(self, plan: Plan) -> Case:
        draw = Draw(plan, {})
        if self.builder is not None:
            for name in self.ranges:
                draw.dims[name] = self._extent(name, list(self.ranges), plan, draw.rng)
            made = dict(self.builder(draw))
        else:
            shapes = self._shapes(draw)
            self._draw_dims(shapes, plan, draw)
            made = {name: self._array(value, draw) for name, value in shapes.items()}
        if self.change is not None:
            made = dict(self.change(draw, made))
        inputs = {name: value for name, value in made.items() if name not in self.options_of}
        options = {name: made[name] for name in self.options_of if name in made}
        for name, values in self.options.items():
            options[name] = _option(values, draw)
        return Case(inputs, options, dict(draw.dims), plan.dtype, plan.seed, plan)

    def _shapes(self, draw: Draw) -> dict[str, Any]:
        shapes = {
            name: draw.choice(value) if isinstance(value, list) else value
            for name, value in self.arrays.items()
        }
        if any("..." in _axes_of(value) for value in shapes.values()):
            leading = draw.integer(0, 3) if draw.index is None else draw.index % 4
            names = " ".join(("A", "B", "E")[:leading])
            shapes = {
                name: _with_axes(value, _axes_of(value).replace("...", names))
                for name, value in shapes.items()
            }
        return shapes

    def _draw_dims(self, shapes: Mapping[str, Any], plan: Plan, draw: Draw) -> None:
        names = list(
            dict.fromkeys(
                factor
                for value in shapes.values()
                for part in (
                    _axes_of(value) + (f" {value.classes}" if isinstance(value, labels) else "")
                ).split()
                for factor in part.split("*")
                if not factor.isdigit()
            )
        )
        names += [
            value.name
            for value in self.options.values()
            if isinstance(value, axis) and value.name not in names
        ]
        for attempt in range(200):
            rng = np.random.default_rng([plan.seed, 2, attempt])
            found = {name: self._extent(name, names, plan, rng) for name in names}
            if self.where is None or self.where(found):
                draw.dims.update(found)
                return
            if attempt == 20:
                plan = replace(plan, ones=None, empty=None)
            if attempt == 100:
                plan = replace(plan, size=max(plan.size, 4))
        raise ValueError(f"cases(where=...) rejects every extent of {', '.join(names)}")

    def _extent(self, name: str, names: Sequence[str], plan: Plan, rng: np.random.Generator) -> int:
        low, high = self.ranges.get(name, (1, 6 if plan.size <= 6 else 2 + plan.size))
        high = max(low, min(high, low + plan.size - 1 if name not in self.ranges else high))
        drawn = int(rng.integers(low, high + 1))
        if (
            plan.empty is not None
            and self.empty
            and self.empty[plan.empty % len(self.empty)] == name
        ):
            return 0
        if plan.ones == -1 or (plan.ones is not None and names[plan.ones % len(names)] == name):
            return low
        if plan.size >= 4 and high > low and plan.index is not None:
            return max(drawn, low + 1)
        return drawn

    def _array(self, value: Any, draw: Draw) -> Array:
        shape = _extents(_axes_of(value), draw.dims)
        if isinstance(value, labels):
            classes = math.prod(_extents(value.classes, draw.dims))
            return draw.rng.integers(0, classes, size=shape)
        return draw.array(*shape, positive=isinstance(value, positive))


def _count(value: Any) -> int:
    if isinstance(value, (list, tuple)):
        return sum(map(_count, value))
    if isinstance(value, dict):
        return _count(list(value.values()))
    return int(np.size(value))


def _axes_of(value: Any) -> str:
    return value if isinstance(value, str) else str(value.shape)


def _with_axes(value: Any, axes: str) -> Any:
    return axes if isinstance(value, str) else replace(value, shape=axes)


def _extents(axes: str, dims: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(
        math.prod(int(factor) if factor.isdigit() else dims[factor] for factor in part.split("*"))
        for part in axes.split()
    )


def _option(values: Any, draw: Draw) -> Any:
    if isinstance(values, uniform):
        return draw.uniform(values.low, values.high)
    if isinstance(values, axis):
        return draw.dims[values.name]
    return draw.choice(values)


def _turn(index: int, turn: int, length: int) -> int:
    """Walks through `length` values as `index` grows; another walk for each option, so that combinations vary."""
    stride = next(step for step in (turn, turn + 1, turn + 2, 1) if math.gcd(step, length) == 1)
    return (index * stride + (turn - 1) * (index // length)) % length


def _magnitude(kind: str) -> float:
    return {"huge": 1e6, "tiny": 1e-6}.get(kind, 1.0)


def _values(rng: np.random.Generator, shape: tuple[int, ...], kind: str) -> Array:
    if kind == "integers":
        return rng.integers(-3, 4, size=shape).astype(float)
    if kind == "zeros":
        return np.zeros(shape)
    values = rng.standard_normal(shape)
    if kind == "offset":
        return values + 3.0
    if kind == "wide":
        return values * 10.0 ** rng.uniform(-2, 2, size=shape)
    return values * _magnitude(kind)


def laid_out(values: Array, layout: str) -> Array:
    """The same values in another memory layout.

    >>> laid_out(np.arange(6.0).reshape(2, 3), "F").flags.f_contiguous
    True
    """
    if values.ndim == 0 and layout != "readonly":
        return np.array(values)
    if layout == "F":
        return np.asfortranarray(values)
    if layout == "transposed":
        return np.ascontiguousarray(values.T).T
    if layout == "strided":
        base = np.full([2 * length for length in values.shape], 7, dtype=values.dtype)
        view = base[tuple(slice(None, None, 2) for _ in values.shape)]
        view[...] = values
        return view
    if layout == "reversed":
        return np.ascontiguousarray(values[tuple(slice(None, None, -1) for _ in values.shape)])[
            tuple(slice(None, None, -1) for _ in values.shape)
        ]
    values = np.ascontiguousarray(values).reshape(values.shape)
    if layout == "readonly":
        values.flags.writeable = False
    return values
