r"""Cells of tables that hold one value and nothing else, settled a column at a time.

In dense tables the judgement of each value by itself is what costs. But ``,536-22-8726,`` or ``\n"jane@example.com"``
leaves nothing to judge once the value itself is sound: no neighbour, no label and no longer number can speak against
it. A few operations on a whole column tell which of its cells are sound. Whatever is not settled here is judged alone,
with the same result: a family may only name values that its rule surely accepts, whole, without a keyword.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner_tasks.detect.cards import issued_prefixes, passes_luhn
from scanner_tasks.detect.regex import WholeRegex
from scanner_tasks.detect.test_values import TEST_CARDS, TEST_SSNS
from scanner_tasks.detect.validators import VALIDATORS

if TYPE_CHECKING:
    pass

#: What a cell is: to be judged alone, a value, a value if the column's name vouches for it, a card but for its check
#: digit, surely nothing.
JUDGED, SOUND, WEAK, MISSED, NOTHING = range(5)
#: More different shapes than this in a column are text.
_MOST_SHAPES: Final = 64
_SHAPE: Final = bytes.maketrans(
    b"123456789ABCDEFGHIJKLMNOPQRSTUVWXYZbcdefghijklmnopqrstuvwxyz", b"0" * 9 + b"a" * 26 + b"a" * 25
)
_BLOCK: Final = 256


class Cells:
    """The cells of one column, their quotes taken off."""

    def __init__(self, raw: list[bytes], *, is_last: bool) -> None:
        if is_last and raw[0].endswith(b"\r"):
            raw = [cell.removesuffix(b"\r") for cell in raw]
        if any(cell[:1] == b'"' for cell in (raw[0], raw[-1], raw[len(raw) // 2])):
            raw = [cell[1:-1] if cell[:1] == b'"' == cell[-1:] and len(cell) > 1 else cell for cell in raw]
        self.raw = raw
        self.text = b"\n".join(raw)
        self.shapes = self.text.translate(_SHAPE).split(b"\n")
        self.kinds = set(self.shapes)
        self._by_shape: dict[bytes, list[int]] | None = None
        #: How many cells hold an @.
        self.ats = self.text.count(b"@")

    def by_shape(self) -> dict[bytes, list[int]]:
        """Which cells have each shape."""
        if self._by_shape is None:
            self._by_shape = {shape: [] for shape in self.kinds}
            add = {shape: which.append for shape, which in self._by_shape.items()}
            for number, shape in enumerate(self.shapes):
                add[shape](number)
        return self._by_shape


_Judge = Callable[[list[bytes]], list[int]]


class Family(NamedTuple):
    """The values of one rule that fill cells."""

    #: Shape (digits as 0, letters as a) → the verdict on each of the cells of that shape.
    shapes: dict[bytes, _Judge]
    #: Shapes beside which, in the next cell but for a tab, a digit casts doubt.
    lone: frozenset[bytes] = frozenset()
    #: For values of no fixed shape: the verdict on each cell; most of the cells hold an @.
    texts: Callable[[Cells], list[int]] | None = None

    def may_hold(self, cell: bytes) -> bool:
        """Whether a cell, by a look at its shape, can hold a value."""
        if self.texts is not None:
            return b"@" in cell
        return cell.strip(b'"\r').translate(_SHAPE) in self.shapes

    def verdicts(self, cells: Cells, *, after_tab: bool) -> list[int] | None:
        """The verdict on each cell of a column; None where all are to be judged alone."""
        if self.texts is not None:
            return self.texts(cells) if 2 * cells.ats >= len(cells.raw) else None
        if len(cells.kinds) > _MOST_SHAPES:
            return None
        judges: dict[_Judge, list[bytes]] = {}
        for shape in cells.kinds & self.shapes.keys():
            if not (after_tab and shape in self.lone):
                judges.setdefault(self.shapes[shape], []).append(shape)
        told = [JUDGED] * len(cells.raw)
        for judge, shapes in judges.items():
            if len(shapes) == len(cells.kinds):
                return judge(cells.raw)
            which = [number for shape in shapes for number in cells.by_shape()[shape]]
            for number, verdict in zip(which, judge([cells.raw[number] for number in which]), strict=True):
                told[number] = verdict
        return told


def _matching(pattern: str) -> Callable[[list[bytes]], list[bool]]:
    """Tells of many cells, none with a newline in it, which match a pattern as a whole."""
    several, one = WholeRegex(rf"(?:(?:{pattern})\n)*"), WholeRegex(pattern)

    def matching(cells: list[bytes]) -> list[bool]:
        if several.matches(b"\n".join(cells) + b"\n"):
            return [True] * len(cells)
        told: list[bool] = []
        for at in range(0, len(cells), _BLOCK):
            block = cells[at : at + _BLOCK]
            if several.matches(b"\n".join(block) + b"\n"):
                told += [True] * len(block)
            else:
                told += map(one.matches, block)
        return told

    return matching


def _all_but(
    matching: Callable[[list[bytes]], list[bool]], wrong: frozenset[bytes], verdict: int
) -> Callable[[list[bytes]], list[int]]:
    def verdicts(cells: list[bytes]) -> list[int]:
        fits = matching(cells)
        if wrong.isdisjoint(cells):
            return [verdict if fit else JUDGED for fit in fits]
        return [verdict if fit and cell not in wrong else JUDGED for fit, cell in zip(fits, cells, strict=True)]

    return verdicts


_AREA_SSN: Final = r"(?:00[1-9]|0[1-9]\d|[1-57-8]\d\d|6(?:[0-57-9]\d|6[0-57-9]))"
_SSN: Final = rf"{_AREA_SSN}-(?:0[1-9]|[1-9]\d)-(?:000[1-9]|00[1-9]\d|0[1-9]\d\d|[1-9]\d{{3}})"
_NOT_SSNS: Final = frozenset({*TEST_SSNS, *(b"%d" % n * 9 for n in range(10))})

_NOT_CARDS: Final = frozenset(TEST_CARDS | {b"%d" % n * length for n in range(10) for length in range(13, 20)})


def _cards(layout: str) -> Callable[[list[bytes]], list[int]]:
    """Verdicts on cards of one layout: the Luhn sums of all of them in one addition for each digit."""
    digits = [at for at, c in enumerate(layout) if c == "0"]
    wrong = frozenset(_laid_out(number, layout) for number in _NOT_CARDS if len(number) == len(digits))
    length = len(layout)
    is_issued = issued_prefixes(len(digits))
    # In groups, the last three may be a card of their own.
    missed, nothing = (MISSED, NOTHING) if length == len(digits) in {15, 16} else (JUDGED, JUDGED)

    def verdicts(cells: list[bytes]) -> list[int]:
        rows = b"".join(cells)
        passed = passes_luhn(rows, length, digits)
        told = [
            (SOUND if fits else missed) if cell[:4] in is_issued else JUDGED if fits else nothing
            for cell, fits in zip(cells, passed, strict=True)
        ]
        if not wrong.isdisjoint(cells):
            told = [JUDGED if cell in wrong else verdict for cell, verdict in zip(cells, told, strict=True)]
        return told

    return verdicts


def _laid_out(number: bytes, layout: str) -> bytes:
    left = iter(number.decode())
    return "".join(next(left) if c == "0" else c for c in layout).encode()


_CARD_LAYOUTS: Final = (
    *("0" * length for length in (14, 15, 16)),
    "0000 0000 0000 0000",
    "0000 000000 00000",
    "0000 000000 0000",
)

_AREA: Final = r"[2-9](?:[02-9]\d|1[02-9])"
_NANP: Final = (
    rf"(?:(?:\+1[ \-]|1\-)?(?:\({_AREA}\) |{_AREA}[\-.]){_AREA}[\-.]\d{{4}}"
    rf"|\+1(?:{_AREA}{_AREA}| {_AREA} {_AREA} )\d{{4}})"
)
_NANP_SHAPES: Final = frozenset(
    f"{prefix}{area}000{separator}0000".encode()
    for prefix in ("", "+0 ", "+0-", "0-")
    for area in ("(000) ", "000-", "000.")
    for separator in "-."
) | {b"+00000000000", b"+0 000 000 0000"}
#: Last four digits of fewer kinds than three: whether the number has three must be looked at.
_FEW: Final = frozenset(b"%04d" % n for n in range(10_000) if len(set(b"%04d" % n)) < 3)  # noqa: PLR2004
_is_nanp = _matching(_NANP)
_is_bare_nanp = _matching(f"{_AREA}{_AREA}[0-9]{{4}}")


_DIGITS: Final = frozenset(b"0123456789")


def _has_kinds(cell: bytes) -> bool:
    return len(_DIGITS.intersection(cell)) > 2  # noqa: PLR2004


def _laid_out_phones(fits: list[bool], cells: list[bytes], verdict: int) -> list[int]:
    return [
        verdict if fit and (cell[-4:] not in _FEW or _has_kinds(cell)) else JUDGED
        for cell, fit in zip(cells, fits, strict=True)
    ]


def _phones(cells: list[bytes]) -> list[int]:
    return _laid_out_phones(_is_nanp(cells), cells, SOUND)


def _bare_phones(cells: list[bytes]) -> list[int]:
    return _laid_out_phones(_is_bare_nanp(cells), cells, WEAK)


_ADDRESS: Final = (
    r"[0-9A-Za-z](?:[0-9A-Za-z_%+\-]|\.[0-9A-Za-z_%+\-]){0,63}"
    r"@(?:[A-Za-z](?:[0-9A-Za-z\-]{0,61}[0-9A-Za-z])?\.){1,4}[A-Za-z]{2,24}"
)
_is_address = _matching(_ADDRESS)
_LONGEST_LOCAL: Final = 64
_LONGEST_DOMAIN: Final = 253


def _addresses(cells: Cells) -> list[int]:
    fits = _is_address(cells.raw)
    if all(fits):
        domains = cells.text.replace(b"@", b"\n").split(b"\n")[1::2]
    else:
        domains = [cell.partition(b"@")[2] for cell in cells.raw]
    good = frozenset(domain for domain in set(domains) if _is_domain(domain))
    if max(map(len, cells.raw)) <= _LONGEST_LOCAL and all(fits) and good.issuperset(domains):
        return [SOUND] * len(fits)
    return [
        SOUND if fit and domain in good and cell.index(b"@") <= _LONGEST_LOCAL else JUDGED
        for cell, fit, domain in zip(cells.raw, fits, domains, strict=True)
    ]


def _is_domain(domain: bytes) -> bool:
    return len(domain) <= _LONGEST_DOMAIN and VALIDATORS["email"](b"a@" + domain, b"", b"") is not None


#: Name in a rule's field ``cells`` → its family.
CELLS: Final[dict[str, Family]] = {
    "us_ssn": Family(
        {
            b"000-00-0000": _all_but(_matching(_SSN), frozenset(_laid_out(n, "000-00-0000") for n in _NOT_SSNS), SOUND),
            b"000000000": _all_but(_matching(_SSN.replace("-(", "(")), _NOT_SSNS, WEAK),
        }
    ),
    "payment_card": Family(
        {
            layout.encode(): _cards(layout)
            for layout in (*_CARD_LAYOUTS, *(some.replace(" ", "-") for some in _CARD_LAYOUTS))
        },
        lone=frozenset(some.encode() for some in _CARD_LAYOUTS if " " in some),
    ),
    "phone": Family(
        {**dict.fromkeys(_NANP_SHAPES, _phones), b"0000000000": _bare_phones},
        lone=frozenset(shape for shape in _NANP_SHAPES if not {*b"-(+"} & {*shape}),
    ),
    "email": Family({}, texts=_addresses),
}
