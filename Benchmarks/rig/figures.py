"""Figures, and how they are shown."""

import dataclasses
import statistics


@dataclasses.dataclass
class Figure:
    """What was measured: a value for each round."""

    name: str
    unit: str
    values: list
    # The design's bar for the median of the rounds: at most this, or at least.
    at_most: float = None
    at_least: float = None

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def bar(self):
        if self.at_most is not None:
            return f"≤ {self.at_most:g}"
        return f"≥ {self.at_least:g}" if self.at_least is not None else ""

    @property
    def verdict(self):
        if not self.bar:
            return ""
        is_kept = (self.at_most is None or self.median <= self.at_most) and (
            self.at_least is None or self.median >= self.at_least)
        return "kept" if is_kept else "MISSED"

    def document(self):
        """As JSON has it."""
        return dict(vars(self), median=self.median, verdict=self.verdict)


def percentile(values, share):
    """The smallest value that at least this share of the values does not pass (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)] if ordered else float("nan")


def number(value):
    if value != value:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"


def table(results):
    """One table of every case; a row each figure: the least, median and most of its rounds."""
    rows = [("case", "figure", "unit", "least", "median", "most", "bar", "")]
    for result in results:
        for figure in result["figures"]:
            values = figure.values
            rows.append((
                result["case"], figure.name, figure.unit, number(min(values)),
                number(figure.median), number(max(values)), figure.bar, figure.verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            text.rjust(width) if column in (3, 4, 5) else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths))]
        lines.append("  ".join(cells).rstrip())
    for result in results:
        lines += [f"{result['case']}: {note}" for note in result["notes"]]
        lines += [f"{result['case']}: FAULT: {fault}" for fault in result["faults"]]
    return "\n".join(lines)
