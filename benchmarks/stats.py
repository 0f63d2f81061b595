"""From samples to figures: the fastest, ratios, geometric means, and how much the samples scatter."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .contenders import SUBJECT


def fastest(samples: Mapping[str, list[float]]) -> dict[str, float]:
    """Return the least sample of each contender: the one that was disturbed least."""
    return {name: min(values) for name, values in samples.items() if values}


def geometric_mean(values: Iterable[float]) -> float | None:
    """Return the geometric mean of positive numbers, None of none."""
    logs = [math.log(value) for value in values]
    return math.exp(statistics.fmean(logs)) if logs else None


def scatter(samples: Iterable[Mapping[str, list[float]]]) -> float | None:
    """Return by which fraction the median of a cell's samples lies above the least one, in the typical cell."""
    cells = [statistics.median(values) / min(values) - 1 for row in samples for values in row.values() if values]
    return statistics.median(cells) if cells else None


@dataclass(frozen=True)
class Row:
    """Hold one figure of every contender; `more_is_better` for rates, else less is."""

    key: str
    title: str
    figures: Mapping[str, float]
    more_is_better: bool = False

    @property
    def best(self) -> tuple[str, float] | None:
        """Name the best peer and its figure; None if there is none."""
        peers = [(value, name) for name, value in self.figures.items() if name != SUBJECT]
        if not peers:
            return None
        value, name = max(peers) if self.more_is_better else min(peers)
        return name, value

    def times_subject(self, name: str) -> float | None:
        """Return how many times microflask's effort `name` needs: above 1, microflask is ahead."""
        if name not in self.figures or SUBJECT not in self.figures:
            return None
        ratio = self.figures[name] / self.figures[SUBJECT]
        return 1 / ratio if self.more_is_better else ratio

    @property
    def against_best(self) -> float | None:
        """Tell microflask's figure as a multiple of the best peer's."""
        if self.best is None or SUBJECT not in self.figures:
            return None
        return self.figures[SUBJECT] / self.best[1]


def rows(samples: Mapping[str, Mapping[str, list[float]]], titles: Mapping[str, str]) -> list[Row]:
    """Return a row for each workload, in the order of `titles`."""
    return [Row(key, title, fastest(samples[key])) for key, title in titles.items() if samples.get(key)]
