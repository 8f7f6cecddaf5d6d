"""The few values that random objects are made of.

Few, so that requests meet each other: the same field by several managers, items that come and
go, values that change back. Nothing here knows a kind.
"""


def word(rng):
    return rng.choice(["a", "b", "c"])


def some(rng, options, chance=0.4):
    """Some of the fields that `options` can draw."""
    return {name: draw(rng) for name, draw in options.items() if rng.random() < chance}


def several(rng, draw, most=3):
    return [draw(rng) for _ in range(rng.randint(0, most))]


def distinct(rng, names, draw, most=3):
    chosen = rng.sample(names, rng.randint(0, min(most, len(names))))
    return [draw(rng, name) for name in chosen]


def strings(rng):
    return {name: word(rng) for name in rng.sample(["k1", "k2", "k3"], rng.randint(0, 3))}


def pick(*values):
    """Draws one of some values."""
    return lambda rng: rng.choice(values)


def mostly(rng, good, *bad, chance=0.06):
    """A good value, and now and then one that must be refused."""
    if bad and rng.random() < chance:
        return rng.choice(bad)
    return good(rng) if callable(good) else good


def often(good, *bad, chance=0.06):
    """The same as a draw."""
    return lambda rng: mostly(rng, good, *bad, chance=chance)


def anything(rng, depth=2):
    choice = rng.random()
    if depth == 0 or choice < 0.4:
        return rng.choice(["a", "b", 1, 2, True, False])
    if choice < 0.75:
        return {name: anything(rng, depth - 1) for name in rng.sample(["m", "n", "o"], rng.randint(0, 2))}
    return [anything(rng, depth - 1) for _ in range(rng.randint(0, 2))]
