"""Works out filters, sums and groups over exported documents with Python's decimal, and compares them with the engine's.

Called with a folder: `rows.jsonl` has the documents as relaxed Extended JSON, one per line, and `questions.json` what was
asked of them and what the engine answered. Prints each difference; exits with 1 if there is one.
"""

import datetime
import decimal
import json
import pathlib
import sys

decimal.setcontext(decimal.Context(prec=7000, Emin=-9000, Emax=9000))
Decimal = decimal.Decimal
AVERAGE = decimal.Context(prec=34, Emin=-9000, Emax=9000)


class Double:
    """A double: its exact value, and the decimal number that its text shows."""

    def __init__(self, text):
        self.exact, self.shown = Decimal(float(text)), Decimal(text)


def value_of(stored):
    """A value of a document: a Decimal, a Double, a text, a date, or another object."""
    if isinstance(stored, dict) and len(stored) == 1:
        (kind, inner), = stored.items()
        if kind == "$numberDecimal":
            return Decimal(inner)
        if kind == "$numberDouble":
            return Double(inner)
        if kind == "$date" and isinstance(inner, str):
            return datetime.datetime.fromisoformat(inner.replace("Z", "+00:00"))
    if isinstance(stored, int) and not isinstance(stored, bool):
        return Decimal(stored)
    return stored


def number_of(value):
    """The number that a cell counts as in a sum."""
    if isinstance(value, Double):
        return value.shown
    return value if isinstance(value, Decimal) else None


def is_less(value, than):
    """Whether a number is less than a finite one. A double equals what lies between its exact and its shown value."""
    if isinstance(value, Double):
        return not value.exact.is_nan() and max(value.exact, value.shown) < than
    return isinstance(value, Decimal) and not value.is_nan() and value < than


def is_greater(value, than):
    if isinstance(value, Double):
        return not value.exact.is_nan() and min(value.exact, value.shown) > than
    return isinstance(value, Decimal) and not value.is_nan() and value > than


def equals(value, operand):
    if isinstance(value, str):
        return value == operand
    if number_of(value) is None or number_of(value).is_nan():
        return False
    try:
        number = Decimal(operand)
    except decimal.InvalidOperation:
        return False
    return not is_less(value, number) and not is_greater(value, number)


def meets(value, test):
    what, *operands = test
    if what == "empty":
        return value is None
    if value is None:
        return False
    if what == "filled":
        return True
    if what == "equals":
        return equals(value, operands[0])
    if what == "differs":
        return not equals(value, operands[0])
    if what == "contains":
        return isinstance(value, str) and operands[0].lower() in value.lower()
    is_number = number_of(value) is not None and not number_of(value).is_nan()
    if what == "at_least":
        return is_number and not is_less(value, Decimal(operands[0]))
    if what == "less":
        return is_less(value, Decimal(operands[0]))
    if what == "between":
        return is_number and not is_less(value, Decimal(operands[0])) and not is_greater(value, Decimal(operands[1]))
    raise ValueError(what)


def add(numbers):
    if any(number.is_nan() for number in numbers):
        return Decimal("NaN")
    infinite = {number for number in numbers if number.is_infinite()}
    if len(infinite) == 2:
        return Decimal("NaN")
    return infinite.pop() if infinite else sum(numbers, Decimal(0))


def figures(rows, path):
    """How many numbers a column has, their sum and average, and the least and the greatest of them."""
    numbers = [number for row in rows if (number := number_of(row.get(path))) is not None]
    if not numbers:
        return [0, None, None, None, None]
    total = add(numbers)
    average = total if not total.is_finite() else AVERAGE.divide(total, Decimal(len(numbers)))
    ordered = [number for number in numbers if not number.is_nan()] or numbers
    least, greatest = (ordered[0], ordered[0]) if ordered[0].is_nan() else (min(ordered), max(ordered))
    return [len(numbers), total, average, least, greatest]


def is_same(expected, answered):
    if expected is None or answered is None:
        return expected is None and answered is None
    answered = Decimal(answered)
    return answered == expected or (answered.is_nan() and expected.is_nan())


def key_of(row, by):
    path, unit = by
    value = row.get(path)
    if unit == "month" and isinstance(value, datetime.datetime):
        return f"{value:%Y-%m}"
    return value


def main(folder):
    parse = {"parse_float": Double}
    lines = (folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [{path: value_of(value) for path, value in json.loads(line, **parse).items()} for line in lines]
    differences = []
    for question in json.loads((folder / "questions.json").read_text(encoding="utf-8")):
        chosen = [
            (line, row)
            for line, row in zip(lines, rows)
            if all(meets(row.get(path), test) for path, test in question["tests"])
        ]
        kept = [row for _, row in chosen]

        def expect(what, expected, answered, same=lambda a, b: a == b):
            if not same(expected, answered):
                differences.append(f"{question['filters']}: {what} is {expected}, not {answered}")

        expect("the count", len(kept), question["count"])
        for path, answered in question["sums"].items():
            expected = figures(kept, path)
            expect(f"the numbers of {path}", expected[0], answered[0])
            for name, one, other in zip(["sum", "average", "least", "greatest"], expected[1:], answered[1:]):
                # Without numbers the ends are those of the other values, which are not compared here.
                if expected[0] > 0:
                    expect(f"the {name} of {path}", one, other, is_same)
        grouped = {}
        for row in kept:
            grouped.setdefault(key_of(row, question["by"]), []).append(row)
        answered = {key: (count, sums) for key, count, sums in question["groups"]}
        expect("the groups", sorted(map(str, grouped)), sorted(map(str, answered)))
        for key, of_key in grouped.items():
            count, sums = answered.get(key, (None, []))
            expect(f"the count of {key}", len(of_key), count)
            for path, text in sums:
                expect(f"the sum of {path} of {key}", figures(of_key, path)[1], text, is_same)
        if question["exported"] is not None:
            exported = (folder / question["exported"]).read_text(encoding="utf-8").splitlines()
            expect("the export", sorted(line for line, _ in chosen), sorted(exported))
    print("\n".join(difference[:500] for difference in differences[:20]))
    return 1 if differences or not rows else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
