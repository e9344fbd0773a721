"""A table keeps its rows as they are, and prints them in columns."""

from html.parser import HTMLParser

import pytest

from smartensemble.errors import InputTypeError, InputValueError
from smartensemble.results.table import MAX_ROWS, Seconds, Table


class Cells(HTMLParser):
    """The texts of the cells of an HTML table, as a browser shows them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in ("td", "th"):
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.texts:
            self.texts[-1] += data


def test_a_column_stands_where_it_first_appears() -> None:
    table = Table([{"name": "a", "T": 1}, {"P": 2, "name": "b"}])

    assert table.columns == ["name", "T", "P"]


def test_numbers_stand_right_text_left_and_none_is_blank() -> None:
    table = Table([{"name": "a", "T": 100}, {"name": "long", "T": None}, {"name": "c"}])

    assert str(table).splitlines() == ["name      T", "------  ---", "a       100", "long", "c"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Seconds(1.239), "1.24"),
        (1.239, "1.239"),
        (1e-07, "1e-07"),
        ("1.50", "1.50"),
        ("007", "007"),
        (True, "True"),
        (10**30, "1" + "0" * 30),
    ],
)
def test_only_seconds_are_rounded(value: object, shown: str) -> None:
    table = Table([{"value": value}])

    assert str(table).splitlines()[-1].strip() == shown
    assert table[0]["value"] is value


@pytest.mark.parametrize(("rows", "hidden"), [(MAX_ROWS, 0), (MAX_ROWS + 1, 1), (2000, 2000 - MAX_ROWS)])
def test_a_long_table_prints_its_first_and_last_rows(rows: int, hidden: int) -> None:
    table = Table({"name": f"melt_{number}"} for number in range(rows))

    lines = str(table).splitlines()[2:]

    assert len(table) == rows
    assert sum(line.startswith("melt_") for line in lines) == rows - hidden
    assert ("..." in lines) == bool(hidden)
    assert (lines[0], lines[-1]) == ("melt_0", f"melt_{rows - 1}")


def test_an_empty_table_prints_nothing() -> None:
    assert str(Table()) == repr(Table()) == ""
    assert Table([{}]).columns == []


@pytest.mark.parametrize("style", ["html", "unsafehtml"])
def test_markup_in_names_and_values_is_shown_not_obeyed(style: str) -> None:
    table = Table([{"<b>T</b>": "<script>1 & 2</script>"}])

    page = table.format(style)

    assert [text.strip() for text in Cells(page).texts] == ["<b>T</b>", "<script>1 & 2</script>"]


def test_a_notebook_shows_it_as_html() -> None:
    page = Table([{"name": "melt_0", "T": 1.5}])._repr_html_()

    assert page.startswith("<table>")
    assert [text.strip() for text in Cells(page).texts] == ["name", "T", "melt_0", "1.5"]


@pytest.mark.parametrize("style", ["githup", "", "x" * 1000])
def test_a_style_that_there_is_not_is_an_error(style: str) -> None:
    with pytest.raises(InputValueError, match=r"^style: there is no '.*(did you mean 'github'\? There|; there) are asciidoc, "):
        Table([{"a": 1}]).format(style)


def test_a_style_is_text() -> None:
    with pytest.raises(InputTypeError, match=r"^style: None is no text; there are asciidoc, "):
        Table([{"a": 1}]).format(None)  # type: ignore[arg-type]
