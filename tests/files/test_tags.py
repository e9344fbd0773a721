"""Tags are filled exactly, and every other byte of a file survives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartensemble.errors import InputTypeError, InputValueError, TagError
from smartensemble.files.tags import Delimiter, pair, template

#: Bytes that can hold no tag: latin-1, NUL-free, with CR and LF, without the delimiter.
clean = st.binary().map(lambda content: content.replace(b";", b"").replace(b"\0", b""))
values = st.text(st.characters(exclude_categories=["Cs"]))


def fill(content: bytes, given: dict[str, str], tag: Delimiter = ";") -> bytes:
    """`content` with its tags filled."""
    return template(content, given, tag).fill(given)


@given(st.binary())
def test_a_file_without_tags_survives_byte_for_byte(content: bytes) -> None:
    cut = template(content, [], allow_unknown=True)

    assert cut.fill({}) == content
    assert cut.names == set()


@given(clean, values, clean, values, clean)
def test_bytes_around_tags_survive_and_values_are_literal(start: bytes, a: str, middle: bytes, b: str, end: bytes) -> None:
    content = start + b";A;" + middle + b";B;" + end

    assert template(content, "AB", allow_unknown=True).fill({"A": a, "B": b}) == start + a.encode() + middle + b.encode() + end


@given(st.lists(st.tuples(clean, st.sampled_from(["T", "STEPS", "a b", "é", "T.x"]))), values)
def test_it_agrees_with_replacing_one_tag_after_another(pieces: list[tuple[bytes, str]], value: str) -> None:
    value = value.replace(";", "")
    names = {"T", "STEPS", "a b", "é", "T.x"}
    content = expected = b"".join(b"%b ;%b;" % (text, name.encode()) for text, name in pieces)
    for name in names:
        expected = expected.replace(f";{name};".encode(), value.encode())

    assert template(content, names, allow_unknown=True).fill(dict.fromkeys(names, value)) == expected


@pytest.mark.parametrize(
    "value",
    [r"\1", r"\g<0>", r"\n", r"\q", ";A;", ";B;", ";", "$A", "{A}", "%s", "", " ", "\r\n", "é漢😀", "a\nb", "&", "\\", "1e-07"],
)
def test_a_value_is_never_read_again(value: str) -> None:
    assert fill(b"x = ;A; ;B;\r\n", {"A": value, "B": "2"}) == b"x = " + value.encode() + b" 2\r\n"


@pytest.mark.parametrize(
    ("content", "filled"),
    [
        (b";A;", b"1"),
        (b";A;;A;", b"11"),
        (b";A;A;", b"1A;"),
        (b";;A;;", b";1;"),
        (b"; A ;", b"; A ;"),
        (b";A\n;", b";A\n;"),
        (b";a;", b";a;"),
        (b";AB;", b"3"),
        (b";A;B;", b"1B;"),
        (b"for (i=0; i<n; i++) { a=1; b=2; }", b"for (i=0; i<n; i++) { a=1; b=2; }"),
        (b"T;A;\r\n\xe9;B;\r\n", b"T1\r\n\xe92\r\n"),
        (b"\xff\xfe;A;\x80", b"\xff\xfe1\x80"),
        (b"", b""),
    ],
)
def test_tags_are_matched_from_the_left_and_do_not_overlap(content: bytes, filled: bytes) -> None:
    given = {"A": "1", "B": "2", "AB": "3"}

    assert template(content, given, allow_unknown=True).fill(given) == filled


@pytest.mark.parametrize(
    ("tag", "content", "filled"),
    [
        ("@", b"@A@ y=@B@", b"1 y=2"),
        ("$", b"$A$ $B$", b"1 2"),
        ("%%", b"%%A%% 100%", b"1 100%"),
        (".*", b".*A.* xAx", b"1 xAx"),
        (("{{", "}}"), b"{{A}} {B}", b"1 {B}"),
        (("<", ">"), b"<A><B>", b"12"),
        (("$", ""), b"$A $AB $B.", b"1 $AB 2."),
        (("${", "}"), b"${A} $A", b"1 $A"),
        ("§", "§A§ é".encode(), "1 é".encode()),
    ],
)
def test_delimiters_are_literal(tag: Delimiter, content: bytes, filled: bytes) -> None:
    given = {"A": "1", "B": "2"}

    assert template(content, given, tag, allow_unknown=True).fill(given) == filled


@pytest.mark.parametrize("names", [["T.x"], ["a+b"], ["(x)"], ["é"], ["a b"], ["$"], ["["]])
def test_a_name_is_literal_too(names: list[str]) -> None:
    content = f";{names[0]}; ;Tyx; ;aab;".encode()

    assert template(content, names, allow_unknown=True).fill({names[0]: "1"}) == b"1 ;Tyx; ;aab;"


def test_a_template_knows_which_parameters_it_uses() -> None:
    assert template(b";A; ;A; ;\xc3\xa9;", ["A", "B", "é"]).names == {"A", "é"}


@pytest.mark.parametrize(
    ("content", "line", "word"),
    [(b";STEPS;", 1, "STEPS"), (b"a\nb ;T; c\r\n;STEPS;\n", 3, "STEPS"), (b"\xe9\n\n;_x1;", 3, "_x1"), (b";T; ;TT;", 1, "TT")],
)
def test_an_unknown_tag_is_an_error_with_its_line_and_remedies(content: bytes, line: int, word: str) -> None:
    with pytest.raises(TagError) as caught:
        template(content, ["T", "P"], where="in.melt")

    assert str(caught.value) == (
        f"in.melt:{line}: no parameter named {word!r}; have P, T. "
        f"If ';{word};' is no tag, choose another delimiter, tag=..., or pass allow_unknown=True"
    )


def test_an_unknown_tag_where_there_are_no_parameters_at_all() -> None:
    with pytest.raises(TagError, match=r"in\.txt:1: no parameter named 'T'; have none"):
        template(b";T;", [], where="in.txt")


def test_an_allowed_unknown_tag_leaves_the_others_of_its_line_alone() -> None:
    assert template(b";U; ;A; ;U;", ["A"], allow_unknown=True).fill({"A": "1"}) == b";U; 1 ;U;"


@pytest.mark.parametrize(
    ("tag", "sides"),
    [(";", (";", ";")), (("{{", "}}"), ("{{", "}}")), (("$", ""), ("$", ""))],
)
def test_a_delimiter_is_one_text_or_two(tag: Delimiter, sides: tuple[str, str]) -> None:
    assert pair(tag) == sides


@pytest.mark.parametrize(
    ("tag", "error"),
    [
        *((tag, InputTypeError) for tag in (None, 1, b";", ("a",), ("a", "b", "c"), ("a", 1), ["a", "b"])),
        *((tag, InputValueError) for tag in ("", ("", ""), ("", "a"))),
    ],
)
def test_what_is_no_delimiter_is_an_error_with_examples(tag: Delimiter, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^tag: .*; give text such as ';'"):
        template(b"", [], tag)


@pytest.mark.parametrize("tag", ["\ud800", ("{", "\ud800"), "\0"])
def test_a_delimiter_that_no_file_has_is_an_error(tag: Delimiter) -> None:
    with pytest.raises(InputValueError, match=r"^tag: .* is in no text file; give text such as ';'"):
        pair(tag)


def test_a_value_that_names_an_old_file_is_filled_as_its_bytes() -> None:
    assert fill(b"file ;F;", {"F": "caf\udce9"}) == b"file caf\xe9"
