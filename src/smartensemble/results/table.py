"""A list of rows that prints as a table."""

from smartensemble.checks import one_of
from smartensemble.errors import public

MAX_ROWS = 60  #: a longer table prints only its first and last rows


class Seconds(float):
    """A duration in seconds, printed with two decimals."""


@public
class Table(list[dict[str, object]]):
    """Rows, as dictionaries, which print in columns. A column that a row lacks stays blank.

    >>> Table([{"name": "melt_0", "T": 1.5}, {"name": "melt_1", "T": 3.0}])
    name      T
    ------  ---
    melt_0  1.5
    melt_1  3.0
    """

    @property
    def columns(self) -> list[str]:
        """The names of all columns, in the order in which they first appear."""
        return list(dict.fromkeys(name for row in self for name in row))

    def format(self, style: str = "simple") -> str:
        """The table as text. Of more than 60 rows, it has the first and the last ones.

        :param style: a style of the `tabulate <https://pypi.org/project/tabulate/>`_ library, such as ``"github"``.
        :returns: lines of text.
        :raises InputTypeError: the style is no text.
        :raises InputValueError: there is no such style; the message lists them.
        """
        from tabulate import tabulate, tabulate_formats

        one_of("style", style, tabulate_formats)
        columns = self.columns
        rows = [[_cell(row.get(name)) for name in columns] for row in self]
        right = [any(isinstance(row.get(name), (int, float)) for row in self) for name in columns]
        if style == "unsafehtml":
            from html import escape

            rows, columns = [[escape(cell) for cell in row] for row in rows], [escape(name) for name in columns]
        if len(rows) > MAX_ROWS:
            rows = [*rows[: MAX_ROWS // 2], ["..."] * len(columns), *rows[-MAX_ROWS // 2 :]]
        align = ["right" if is_number else "left" for is_number in right]
        return tabulate(rows, columns, tablefmt=style, colalign=align if rows else None, disable_numparse=True)

    def __repr__(self) -> str:
        return self.format()

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return self.format("unsafehtml")


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, Seconds) else str(value)
