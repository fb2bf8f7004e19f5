"""Where the ticks of an axis go."""

import math


def ticks(low: float, high: float, at_most: int) -> list[float]:
    """Round numbers from `low` to `high`, evenly spaced by 1, 2 or 5 times a power of ten; at least two."""
    span = high - low
    if not span > 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(span))
    for step in (power * factor for factor in (0.1, 0.2, 0.5, 1, 2, 5, 10)):
        found = _multiples(low, high, step)
        if len(found) <= max(2, at_most):
            return found if len(found) >= 2 else [low, high]
    return [low, high]


def log_ticks(low: float, high: float, at_most: int) -> list[float]:
    """Of a logarithmic axis: powers of ten, with 2 and 5 times them between if there is room."""
    if not 0 < low < high:
        return [low]
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors, every in (((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), 2), ((1,), 3)):
        found = [factor * 10.0**power for power in powers if power % every == 0 for factor in factors]
        found = [value for value in found if low <= value <= high]
        if 2 <= len(found) <= max(2, at_most):
            return found
    return [low, high]


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]
