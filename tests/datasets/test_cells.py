"""What cells mean: numbers however they are written, dates, times, text; what is said of it."""

import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from chainrule.datasets import cells

NAN = np.nan


def read(values, form=None, separator=","):
    """Return what becomes of one column."""
    frame = pl.DataFrame({"a": values}, {"a": pl.String})
    return cells.understand(frame, {} if form is None else {"a": form}, separator)["a"]


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        (["12%", "7.5 %"], [12, 7.5]),
        (["$2.39", "-$1,234.50", "$ 3"], [2.39, -1234.5, 3]),
        (["3 €", "€4.50", "USD 5", "6 EUR", "CHF 1'250.00"], [3, 4.5, 5, 6, 1250]),
        (["1,881", "12,000", "950", "1,234,567.5"], [1881, 12000, 950, 1234567.5]),
        (["1,23,456", "12,34,567"], [123456, 1234567]),  # as in India
        (["1 881", "12\u00a0000", "1\u202f234\u202f567"], [1881, 12000, 1234567]),
        (["1.234.567", "12.345.678"], [1234567, 12345678]),
        (["\u22124", "\u20131.5", "+2"], [-4, -1.5, 2]),
        (["(1,200)", "300"], [-1200, 300]),
        (["1e3", "1.5D+03", "2E\u22122"], [1000, 1500, 0.02]),
        ([" 5 ", "\u00a06", "7\t"], [5, 6, 7]),
        ([".5", "5.", "-.5", "0,5"], [0.5, 5, -0.5, NAN]),
        (["1.2M", "300K", "4k", "2B"], [1.2e6, 3e5, 4e3, 2e9]),
        (["12 kg", "13.5kg", "9 kg", "10"], [12, 13.5, 9, 10]),
        (["5'", "6'"], None),
        (["21 °C", "22.5 °C"], [21, 22.5]),
        (["<0.5", "0.7", "0.8"], [0.5, 0.7, 0.8]),
        (["<=50K", ">50K"], None),
        (["0,5", "1,25", "3"], [0.5, 1.25, 3]),
        (["0,5", "1,881"], [0.5, 1.881]),
        (["0,5", "1.234,5", "1.234"], [0.5, 1234.5, 1234]),
        (["1,5", "2.5"], None),  # either comma or point: too few to tell
        (["a, b", "1,5"], None),
        (["12A", "13B", "14C"], None),
        (["1st", "2nd", "3rd"], None),
        (["+", "-", "+"], None),
        (["1,5e3", "2,5E-1"], [1500, 0.25]),
        (["1 234,50", "2 000,00"], [1234.5, 2000]),
        (["40.7°N", "41.2°N"], [40.7, 41.2]),
        (["'5.1", "'6'", "7"], [5.1, 6, 7]),
        (["5-", "6.5"], [-5, 6.5]),
        (["5.1*", "6", "7[a]", "8", "9"], [5.1, 6, 7, 8, 9]),
        (["192.168.0.1", "10.0.0.1"], None),
        (["1 200 kr", "900 kr"], [1200, 900]),
        (["kr 1 200", "Kr. 900"], [1200, 900]),
        (["12,-", "9.-", "1 200,--"], [12, 9, 1200]),
        (["85.0 m2", "99 m2", "1,300 m2"], [85, 99, 1300]),
        (["12 sq ft", "9.5 sq. ft"], None),
        (["10 kg/m^2", "7.5 kg/m^2"], [10, 7.5]),
        (["1 year", "2 years", "5 Years"], [1, 2, 5]),
        (["10,000+", "500+"], [10_000, 500]),
        (["$1.2 million", "$500 thousand"], [1.2e6, 5e5]),
        (["１００．６", "９９", "－５"], [100.6, 99, -5]),
        (["١٢", "٣"], [12, 3]),
        ([f"{i} - {i + 10}" for i in range(40, 70)], list(range(45, 75))),
        (["40", "50", "60 to 70", "80–90"], [40, 50, 65, 85]),
        (["20-29", "30-39", "40-49"], None),  # a few groups
        (["3-1", "2-2", "0-1", "4-0"] * 9, None),  # results of games
        ([f"{i}-{7 * i % 10_000:04}" for i in range(200, 240)], None),
        ([f"ID{i:03}" for i in range(40)], None),
    ],
)
def test_numbers_however_they_are_written(values, numbers):
    column = read(values)
    if numbers is None:
        assert column.form == cells.TEXT
        assert column.values.tolist() == [value.strip() for value in values]
    else:
        np.testing.assert_allclose(column.values, numbers, rtol=1e-15)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_three_digits_after_a_comma_mean_what_the_file_says(separator):
    def second(first):
        frame = pl.DataFrame({"a": first, "b": ["1,881", "2,000"], "c": ["1", "2"]})
        columns = cells.understand(frame, {}, separator)
        assert (columns["c"].form == cells.COMMA) == (columns["b"].form == cells.COMMA)
        return columns["b"].values.tolist()

    assert second(["0,5", "1"]) == [1.881, 2]
    assert second(["0.5", "1"]) == [1881, 2000]
    assert second(["3", "1"]) == ([1.881, 2] if separator == ";" else [1881, 2000])


@pytest.mark.parametrize(
    "mark",
    ["-", "--", ".", "..", "*", "—", "n/a", "N/A", "#N/A", "#DIV/0!", "NULL", "null", "None",
     "none", "?", "", " ", "<NA>", "NaN", "nan",
     "1.#QNAN", "unknown", "not available", "n.d.", "TBD",
     "error"],
)  # fmt: skip
def test_marks_among_numbers_are_missing(mark):
    column = read(["1.5", mark, "3", mark, "4"])
    np.testing.assert_array_equal(column.values, [1.5, NAN, 3, NAN, 4])
    assert column.stray == ""
    said = [(mark, 2, 2)] if mark.strip() else []
    assert column.absent == said
    dates = read(["2020-01-05", mark, "2020-01-06", mark, "2020-02-01"])
    assert np.isnat(dates.values).tolist() == [False, True, False, True, False]


@pytest.mark.parametrize("mark", ["-", ".", "none", "unknown"])
def test_such_a_mark_may_mean_something_in_text(mark):
    column = read(["mild", mark, "severe"])
    assert column.values.tolist() == ["mild", mark, "severe"]
    assert read(["mild", "NA", "n/a"]).values.tolist() == ["mild", None, None]


def test_a_stray_mark_among_numbers_never_makes_categories():
    for m in (4, 40, 4000):
        for stray in ("12.5abc", "#ERR", "1.2.3", "see note"):
            values = [f"{i * 0.25}" for i in range(m)]
            values[m // 2] = stray
            column = read(values)
            assert column.form == cells.NUMBERS
            assert np.flatnonzero(np.isnan(column.values)).tolist() == [m // 2]
            assert column.absent == [(stray, 1, m // 2 + 1)]
            assert bool(column.stray) == (stray != "#ERR")  # a spreadsheet's error is no value
    ratings = [str(1 + i % 5) for i in range(100)]
    for row in range(0, 100, 20):
        ratings[row] = "#REF!"
    assert read(ratings).form == cells.NUMBERS


def test_words_that_recur_beside_few_numbers_are_categories():
    assert read(["0", "1", "2", "3+"] * 10).form == cells.TEXT
    assert read(["s", "m", "m", "12"]).form == cells.TEXT
    tickets = ["A/5 21", "PC 17", "113803", "373450", "SC 9", "237736", "C.A. 1", "349909", "W. 2"]
    assert read(tickets).form == cells.TEXT


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["2020-01-05", "2021-12-31"], ["2020-01-05", "2021-12-31"]),
        (["2020-1-5", "2021-12-31"], ["2020-01-05", "2021-12-31"]),
        (["05.01.2020", "31.12.2021"], ["2020-01-05", "2021-12-31"]),
        (["1/5/2020", "12/31/2021"], ["2020-01-05", "2021-12-31"]),
        (["5/1/2020", "31/12/2021"], ["2020-01-05", "2021-12-31"]),
        (["1/5/20", "12/31/21"], ["2020-01-05", "2021-12-31"]),
        (["5-Jan-2020", "31-DEC-2021"], ["2020-01-05", "2021-12-31"]),
        (["January 5th, 2020", "Dec 31, 2021"], ["2020-01-05", "2021-12-31"]),
        (["Sunday, 5 January 2020", "Fri 31 Dec 2021"], ["2020-01-05", "2021-12-31"]),
        (["20200105T131500", "20211231T000000"], ["2020-01-05T13:15", "2021-12-31"]),
        (["2020-01-05T13:15:00Z", "2021-12-31T00:00:00.25Z"], ["2020-01-05T13:15", "2021-12-31"]),
        (["2020-01-05 13:15:00+02:00", "2021-12-31 1:00"],
         ["2020-01-05T13:15", "2021-12-31T01:00"]),
        (["1/5/2020 1:15 PM", "12/31/2021 12:00 am"], ["2020-01-05T13:15", "2021-12-31"]),
        (["2020-01", "2021-12"], ["2020-01-01", "2021-12-01"]),
        (["2020Q1", "2021Q4"], ["2020-01-01", "2021-10-01"]),
        (["2020-Q1", "2021-q4"], ["2020-01-01", "2021-10-01"]),
        (["Q1 2020", "Q4/2021"], ["2020-01-01", "2021-10-01"]),
        (["1Q2020", "4Q2021"], ["2020-01-01", "2021-10-01"]),
        (["2020-W01", "2021-W52"], ["2019-12-30", "2021-12-27"]),
        (["2020年1月5日", "２０２１年１２月３１日"], ["2020-01-05", "2021-12-31"]),
        (["01-2020", "12-2021"], ["2020-01-01", "2021-12-01"]),
        (["Jan 2020", "Dec 2021"], ["2020-01-01", "2021-12-01"]),
        (["20200105", "20200106", "20200107", "20211231", "20211230"],
         ["2020-01-05", "2020-01-06", "2020-01-07", "2021-12-31", "2021-12-30"]),
        (["01/02/2020", "02/02/2020", "03/02/2020", "01/03/2020"],  # in order with the day first
         ["2020-02-01", "2020-02-02", "2020-02-03", "2020-03-01"]),
    ],
)  # fmt: skip
def test_dates(values, expected):
    column = read(values)
    assert column.values.dtype == "datetime64[s]"
    np.testing.assert_array_equal(column.values, np.array(expected, dtype="datetime64[s]"))


def test_times_of_day_are_hours():
    column = read(["13:45", "1:05 PM", "00:30:36"])
    np.testing.assert_allclose(column.values, [13.75, 13 + 5 / 60, 0.51])
    assert column.form == cells.TIMES


def test_yes_and_no_are_two_values_in_any_case():
    column = read(["Yes", "NO", "yes", "Yes", "no", "no", "NA"])
    assert column.values.tolist() == ["Yes", "no", "Yes", "Yes", "no", "no", None]
    assert read(["YES", "no", "maybe"], column.form).values.tolist() == ["Yes", "no", "maybe"]
    assert read(["True", "False"]).values.tolist() == ["True", "False"]
    assert read(["TRUE"], read(["true", "false"]).form).values.tolist() == ["true"]
    assert read(["yes", "no", "maybe"]).form == cells.TEXT


def test_numbers_are_no_dates():
    assert read(["2019", "2020"]).form == cells.NUMBERS
    assert read(["12.05", "13.05"]).form == cells.NUMBERS
    assert read(["20200105", "20209999", "20200107", "20211231", "20211230"]).form == cells.NUMBERS


def test_a_known_form_holds_for_other_cells():
    assert read(["12", "13"], cells.TEXT).values.tolist() == ["12", "13"]
    np.testing.assert_array_equal(read(["1,881"], cells.COMMA).values, [1.881])
    np.testing.assert_array_equal(read(["1,881"], cells.NUMBERS).values, [1881])
    np.testing.assert_array_equal(read(["1,881", "1,5"], cells.NUMBERS).values, [1.881, 1.5])
    later = read(["03/04/2021"], "dates %d/%m/%Y").values
    np.testing.assert_array_equal(later, np.array(["2021-04-03"], dtype="datetime64[s]"))
    column = read(["many", "3"], cells.NUMBERS)
    np.testing.assert_array_equal(column.values, [NAN, 3])
    assert column.stray == "'many' in data row 1"
    assert np.isnat(read(["soon"], "dates %d/%m/%Y").values).all()
    np.testing.assert_array_equal(read(["", ""], cells.NUMBERS).values, [NAN, NAN])


def test_what_was_read_as_what_is_said_by_count_and_first_row():
    frame = pl.DataFrame(
        {
            "price": ["3", "$1,234.50", "-", "$4"],
            "day": ["03/04/2021", "04/04/2021", "x", "13/04/2021"],
            "n": ["1", "2", "3", "4"],
        }
    )
    assert cells.notes(cells.understand(frame, {}, ",")) == [
        "column 'price': 2 values written as '$1,234.50' read as numbers, data row 2 first",
        "column 'price': 1 value '-' (data row 3 first) taken as missing",
        "column 'day': 3 values read as dates, '03/04/2021' in data row 1 as 2021-04-03",
        "column 'day': 1 value 'x' (data row 3 first) taken as missing",
    ]
    many = pl.DataFrame({f"x{j}": ["1", "?", "3"] for j in range(9)})
    assert cells.notes(cells.understand(many, {}, ",")) == [
        "9 values '?' in 9 columns taken as missing, column 'x0' in data row 2 first"
    ]


def counts(m=40, **others):
    """Return m counts in German, and other columns."""
    amounts = [(137 * j**2) % 9000 + 100 for j in range(m)]
    return pl.DataFrame({"n": [f"{a:,}".replace(",", ".") for a in amounts], **others}), amounts


@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_dots_between_thousands_in_one_column_are_so_in_all(separator):
    alone = ["4.780"] * 40
    frame, amounts = counts(other=alone)
    columns = cells.understand(frame, {}, separator)
    assert columns["n"].values.tolist() == amounts
    assert columns["other"].values.tolist() == [4780] * 40
    assert columns["other"].notes == [
        "40 values written as '4.780' read as numbers, data row 1 first, as 4780: dots part "
        "thousands here (4.7800 would be decimal)"
    ]
    later = cells.understand(pl.DataFrame({"n": ["4.780"]}), {"n": columns["n"].form}, separator)
    assert later["n"].values.tolist() == [4780]
    priced = pl.DataFrame({"a": ["4.780,17", "845,42"] * 9, "b": ["5.048", "926"] * 9})
    columns = cells.understand(priced, {}, separator)
    assert columns["a"].values[:2].tolist() == [4780.17, 845.42]
    assert columns["b"].values[:2].tolist() == [5048, 926]


@pytest.mark.parametrize(
    "broken",
    [
        ["0.125"] + ["4.780"] * 39,  # a zero before the dot
        ["4.78"] + ["4.125"] * 39,
        ["4780"] + ["4.125"] * 39,
        ["0"] + [f"{j / 7:.3f}" for j in range(8, 47)],  # as %.3f writes, and a value for none
    ],
)
def test_dots_before_three_digits_stay_decimal_where_something_speaks_against_thousands(broken):
    column = cells.understand(pl.DataFrame({"a": broken}), {}, ";")["a"]
    np.testing.assert_array_equal(column.values, [float(cell) for cell in broken])
    frame, _ = counts(other=["0.125", *broken[1:]])  # whatever another column shows
    other = cells.understand(frame, {}, ";")["other"]
    np.testing.assert_array_equal(other.values, [0.125, *map(float, broken[1:])])


def test_many_columns_are_understood_some_at_a_time(monkeypatch):
    frame = pl.DataFrame({
        "a": ["1", "NA", "3"], "b": ["0,5", "1,5", "2,5"], "c": ["u", "v", None],
        "d": ["2020-01-31", "2020-02-01", "?"], "e": ["1", "2", "x"],
    })  # fmt: skip
    whole = cells.understand(frame, {}, ";")
    monkeypatch.setattr(cells, "AT_ONCE", 2)
    parts = cells.understand(frame, {}, ";")
    assert list(parts) == list(whole)
    for name, column in parts.items():
        np.testing.assert_array_equal(column.values, whole[name].values)
        assert (column.form, column.absent) == (whole[name].form, whole[name].absent)


@pytest.mark.slow
def test_ten_thousand_columns_take_a_bounded_memory():
    program = (
        "import io, resource, sys; from chainrule.datasets import formats\n"
        "def read(n):\n"
        "    rows = [[f'c{j}' for j in range(n)], *[['1', '2'] * (n // 2)] * 8]\n"
        "    text = '\\n'.join(map(','.join, rows)).encode()\n"
        "    assert len(formats.read(io.BytesIO(text), None, name='t.csv').table) == n\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10\n"
        "before = read(10); print(read(10_000) - before)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert int(done.stdout) < 110, done.stderr  # MiB
