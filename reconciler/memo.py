"""Remembers what was worked out from a value for as long as that value lives, and no longer."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

A = TypeVar("A")
P = ParamSpec("P")
R = TypeVar("R")


def kept_with_first(function: Callable[Concatenate[A, P], R]) -> Callable[Concatenate[A, P], R]:
    """A function of one portal's reads or scope: its results go with them, so a run over many portals stays small."""
    kept: WeakKeyDictionary[A, dict[object, R]] = WeakKeyDictionary()

    @wraps(function)
    def remembered(first: A, /, *others: P.args, **named: P.kwargs) -> R:
        of_first = kept.setdefault(first, {})
        key = (others, *named.items())
        if key not in of_first:
            of_first[key] = function(first, *others, **named)
        return of_first[key]

    return remembered
