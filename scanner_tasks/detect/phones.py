"""Telephone numbers: the North American plan, and country codes with E.164's lengths."""

from __future__ import annotations

import re
from typing import Final

_NOT_DIGITS = re.compile(rb"[^0-9]+")
_EXTENSION = re.compile(rb"[ ]?[xXeE].*", re.DOTALL)
_NANP = re.compile(rb"(?!.11)[2-9][0-9]{2}(?!.11)[2-9][0-9]{6}", re.DOTALL)
_NANP_DIGITS: Final = 10
_LEAST_KINDS: Final = 3
# Assigned country codes by their first digits (ITU-T E.164): two digits, else three.
_TWO: Final = frozenset(
    "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90"
    " 91 92 93 94 95 98".split()
)
_THREE: Final = frozenset(
    "211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237 238 239 240 241 242 243"
    " 244 245 246 248 249 250 251 252 253 254 255 256 257 258 260 261 262 263 264 265 266 267 268 269 290 291 297 298"
    " 299 350 351 352 353 354 355 356 357 358 359 370 371 372 373 374 375 376 377 378 380 381 382 383 385 386 387 389"
    " 420 421 423 500 501 502 503 504 505 506 507 508 509 590 591 592 593 594 595 596 597 598 599 670 672 673 674 675"
    " 676 677 678 679 680 681 682 683 685 686 687 688 689 690 691 692 800 808 850 852 853 855 856 870 878 880 881 882"
    " 883 886 888 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 977 979 992 993 994 995 996 998".split()
)
_ONE: Final = frozenset("7")
_E164_DIGITS: Final = range(8, 16)


def number_certainty(value: bytes) -> bool | None:
    """True for a number that its plan allows, False for a North American shape outside it, None for neither.

    Examples:
        >>> number_certainty(b"415-555-2671"), number_certainty(b"123-456-7890"), number_certainty(b"+999 12345678")
        (True, False, None)
    """
    body = _EXTENSION.sub(b"", value)
    digits = _NOT_DIGITS.sub(b"", body.replace(b"(0)", b""))
    if len(set(digits)) < _LEAST_KINDS:
        return None
    if body.startswith(b"+") and not digits.startswith(b"1"):
        return _international(digits.decode())
    national = digits.removeprefix(b"00")
    if len(national) == _NANP_DIGITS + 1 and national.startswith(b"1"):
        national = national[1:]
    if len(national) != _NANP_DIGITS:
        return None
    if _NANP.fullmatch(national):
        return True
    return None if body.startswith(b"+") else False


def _international(digits: str) -> bool | None:
    known = digits[:1] in _ONE or digits[:2] in _TWO or digits[:3] in _THREE
    return True if known and len(digits) in _E164_DIGITS else None
