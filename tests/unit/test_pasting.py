"""What is recognised as an id in what people paste and hand in, and what is not."""

import io

import pytest

from cancellations.batches import file_reading
from cancellations.batches.given import MOST_LINES, Given, TooMuch
from cancellations.batches.pasting import ids_in
from cancellations.orders.sheet import Unreadable


def found(text: str) -> list[str]:
    """The ids of a text, those that may be something else marked with a question mark."""
    return [one.text + ("" if one.sure else "?") for one in ids_in(text.splitlines())]


def rows(content: bytes) -> list[Given]:
    return list(file_reading.rows_in(io.BytesIO(content)))


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Please cancel order no.: 633130-00000004 and 00000005, thanks!", ["633130-00000004", "00000005"]),
        ("订单号：２３０６００００００００４４０７６３４，金额：1299.00元，电话 13812345678", ["2306000000004407634"]),
        ("[10:31, 21/11/2026] 王小明: SF6946236806713 麻烦取消 共2件", ["SF6946236806713"]),
        (">> > order 1001", ["1001"]),
        ("1130001,1130002;1130003\t1130004", ["1130001", "1130002", "1130003", "1130004"]),
        ("orders: 1001, 1002 and 1003/1004", ["1001", "1002", "1003", "1004"]),
        ("订单：1001、1002、1003", ["1001", "1002", "1003"]),
        ("3059000000-REJECT", ["3059000000-REJECT"]),
        ("633130 – 00000004", ["633130?", "00000004"]),
        ("633130\u201300000004", ["633130-00000004"]),
        ("2306 0000 0000 4407 634", ["2306000000004407634"]),
        ('="00123456"', ["00123456"]),
        ("#12", ["12"]),
        ("https://shop.example/orders/1130001", ["1130001"]),
        ("SF69\u200b46236806713", ["SF6946236806713"]),
    ],
)
def test_R19_an_id_is_found_wherever_it_stands(text: str, ids: list[str]) -> None:
    assert found(text) == ids


@pytest.mark.parametrize(
    "text",
    [
        "On 21 Nov 2026 at 10:31, Anna <anna123456@example.com> wrote:",
        "Tel: +86 139 1234 5678 / (021) 61234567",
        "139-1234-5678",
        "Buyer ID: 2200157135085",
        "￥145980 and US$ 99 and 145,980.00 and 1299.50 EUR",
        "order total 145980",
        "2026-11-21 10:31:05",
        "2026年11月21日",
        "iPhone 15 Pro, 3 pcs",
        "",
    ],
)
def test_what_is_no_id_is_left_out(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("text", ["13812345678", "20261121", "10240 CNY", "3049800000 COP 145980.00", "1001 88.00 EUR"])
def test_R19_what_may_be_an_id_is_kept_as_not_sure(text: str) -> None:
    assert [one.endswith("?") for one in found(text)] == [True]


def test_every_id_knows_its_line_and_a_double_knows_the_first() -> None:
    given = list(ids_in(["hello", "order 1001", "", "> order １００１, 1002"]))
    assert [(one.line, one.text, one.first) for one in given] == [(2, "1001", 0), (4, "1001", 2), (4, "1002", 0)]


def test_a_number_that_a_spreadsheet_shortened_is_named_and_not_guessed() -> None:
    (one,) = ids_in(["2.306E+18"])
    assert one.fault


def test_R19_a_hostile_text_is_read_in_time_and_cut_to_size() -> None:
    for text in ("1.1," * 3000, "1" * 9000, "+1" * 3000, "(123)" * 2000, "@a." * 3000, "EUR 1.1" * 1500):
        assert all(len(one.text) <= 200 for one in ids_in([text]))


def test_R19_each_line_of_a_file_is_read_and_each_bad_one_named() -> None:
    content = (
        b'order,shop,item\r\n1001,lazy,\r\n1001,lazy,\r\n\r\n,lazy,\r\n1002,a,b,c\r\n"1003,,\r\n2.3E+18,,\r\n'
        b"A\x00B,,\r\n='1004,,\r\n1001,other,\r\n1001,lazy,7\r\n"
    )
    read = [(one.line, one.text, bool(one.fault), one.first) for one in rows(content.replace(b"='", b"'"))]
    assert read == [
        (2, "1001", False, 0), (3, "1001", False, 2), (5, "", True, 0), (6, "", True, 0), (7, "", True, 0),
        (8, "2.3E+18", True, 0), (9, "", True, 0), (10, "1004", False, 0), (11, "1001", False, 0),
        (12, "1001", False, 0),
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_R19_a_file_is_read_in_the_encodings_spreadsheets_write(encoding: str) -> None:
    (one,) = rows("订单号;店铺\n１００１;甲店\n".encode(encoding))
    assert (one.text, one.shop) == ("1001", "甲店")


def test_a_single_column_needs_no_name_and_others_are_left_out() -> None:
    assert [one.text for one in rows(b"1001\n1002\n")] == ["1001", "1002"]
    assert [one.text for one in rows(b"buyer,order_id,paid\nAnna,1001,2\n")] == ["1001"]


@pytest.mark.parametrize("content", [b"", b"foo,bar\n1,2\n", b"\xff\xfe\x00\xd8\x00\xd8", b"\x81\x00\xff"])
def test_S11_a_file_that_is_none_is_refused_as_a_whole(content: bytes) -> None:
    with pytest.raises(Unreadable):
        rows(content)


def test_S11_more_lines_than_are_taken_are_refused() -> None:
    with pytest.raises(TooMuch):
        rows(b"order\n" + b"1001\n" * (MOST_LINES + 1))


def test_the_empty_file_to_fill_in_is_one_that_can_be_read() -> None:
    (one,) = rows(file_reading.template() + b"1001,lazy,\r\n")
    assert (one.text, one.shop, one.item) == ("1001", "lazy", "")
