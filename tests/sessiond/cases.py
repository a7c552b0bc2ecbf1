"""What a case is: a function that is given a place (harness.Place), marked with how long it may take."""

ALL = []


class Case:
    def __init__(self, function, seconds, bare, long):
        self.name = f"{function.__module__}: {function.__name__.replace('_', ' ')}"
        self.function, self.seconds, self.bare, self.long = function, seconds, bare, long


def case(seconds=60, bare=True, long=False):
    """`bare`: also with the service built without Lockgraph. `long`: not in a quick run."""
    def mark(function):
        ALL.append(Case(function, seconds, bare, long))
        return function
    return mark
