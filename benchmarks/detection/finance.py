"""Cards, accounts and banks, as ISO/IEC 7812, ISO 13616 and ISO 9362 have them."""

from __future__ import annotations

from random import Random

from benchmarks.detection.chance import UPPER, chars, digits, luhn, mod97, patterned
from benchmarks.detection.labels import Piece, Status

#: Networks: prefixes and length; the names tell which are rare. Faker draws all of these alike.
NETWORKS: dict[str, tuple[tuple[str, ...], int]] = {
    "visa16": (("4",), 16),
    "mastercard": (("51", "52", "53", "54", "55"), 16),
    "mastercard2": (("2221", "2345", "2500", "2699", "2720"), 16),
    "amex": (("34", "37"), 15),
    "discover": (("6011", "644", "649", "65"), 16),
    "jcb16": (("3528", "3555", "3589"), 16),
    "diners": (("300", "305", "36", "38"), 14),
    "unionpay": (("62",), 16),
    "visa13": (("4",), 13),
    "visa19": (("4",), 19),
    "maestro": (("5018", "5020", "5038", "5893", "6304", "6759", "6761", "6762", "6763"), 12),
    "jcb15": (("2131", "1800"), 15),
}
COMMON = (
    "visa16",
    "visa16",
    "visa16",
    "mastercard",
    "mastercard",
    "mastercard2",
    "amex",
    "discover",
    "jcb16",
    "diners",
)
FAKER = tuple(name for name in NETWORKS if name not in {"mastercard2", "unionpay"})
GROUPS = {12: (4, 4, 4), 13: (4, 3, 3, 3), 14: (4, 6, 4), 15: (4, 6, 5), 16: (4, 4, 4, 4), 19: (4, 4, 4, 4, 3)}
SEPARATORS = {"plain": "", "spaced": " ", "dashed": "-"}
#: The tail of a country's IBAN (SWIFT's registry): n a digit, a a capital, c either.
IBANS = {
    "AD": "8n12c", "AE": "19n", "AT": "16n", "BE": "12n", "BG": "4a6n8c", "BH": "4a14c", "BR": "23n1a1c",
    "CH": "5n12c", "CY": "8n16c", "CZ": "20n", "DE": "18n", "DK": "14n", "EE": "16n", "ES": "20n", "FI": "14n",
    "FR": "10n11c2n", "GB": "4a14n", "GE": "2a16n", "GR": "7n16c", "HR": "17n", "HU": "24n", "IE": "4a14n",
    "IL": "19n", "IS": "22n", "IT": "1a10n12c", "KW": "4a22c", "KZ": "3n13c", "LI": "5n12c", "LT": "16n",
    "LU": "3n13c", "LV": "4a13c", "MC": "10n11c2n", "MT": "4a5n18c", "NL": "4a10n", "NO": "11n", "PK": "4a16c",
    "PL": "24n", "PT": "21n", "QA": "4a21c", "RO": "4a16c", "SA": "2n18c", "SE": "20n", "SI": "15n", "SK": "20n",
    "TR": "6n16c", "UA": "6n19c",
}  # fmt: skip
BIC_BANKS = [
    "DEUT",
    "COBA",
    "BNPA",
    "CHAS",
    "CITI",
    "BARC",
    "HSBC",
    "INGB",
    "ABNA",
    "RABO",
    "UBSW",
    "CRES",
    "NDEA",
    "HAND",
    "SOGE",
    "UNCR",
    "BCIT",
    "BBVA",
    "CAIX",
    "ITAU",
]
BIC_COUNTRIES = "DE FR GB NL US CH IT ES SE NO DK FI BE AT PL CZ IE LU PT JP SG HK BR CA AU".split()  # noqa: SIM905


def card_digits(r: Random, network: str) -> str:
    """A number of the network with its check digit."""
    prefixes, length = NETWORKS[network]
    prefix = r.choice(prefixes)
    body = prefix + digits(r, length - len(prefix) - 1)
    return body + luhn(body)


def card_grouped(number: str, separator: str) -> str:
    """The digits as embossed on the card, with a separator."""
    parts, at = [], 0
    for size in GROUPS[len(number)]:
        parts.append(number[at : at + size])
        at += size
    return separator.join(parts)


def card(r: Random, how: str = "") -> Piece:
    """A card number. ``how``: words for the notation (plain, spaced, dashed), the mix (faker), or a network."""
    words = how.split()
    network = r.choice(FAKER if "faker" in words else COMMON)
    network = next((w for w in words if w in NETWORKS), network)
    form = next((w for w in words if w in SEPARATORS), "plain" if "faker" in words else r.choice(list(SEPARATORS)))
    number = card_digits(r, network)
    # Twelve digits, or a check digit and nothing else to tell: without a word near, nobody could know.
    graded = "bare" in words and (network in {"maestro", "visa13", "jcb15"} or form == "plain")
    text = card_grouped(number, SEPARATORS[form])
    return Piece(text, "payment.card", f"{network} {form}", Status.GRADED if graded else Status.VALUE)


def iban_compact(r: Random, country: str) -> str:
    """An IBAN of the country, with its check digits."""
    body, count = "", ""
    for c in IBANS[country]:
        if c.isdigit():
            count += c
            continue
        alphabet = {"n": "0123456789", "a": UPPER, "c": UPPER + "0123456789"}[c]
        body, count = body + chars(r, alphabet, int(count)), ""
    return f"{country}{98 - mod97(body + country + '00'):02}{body}"


def in_fours(text: str, separator: str = " ") -> str:
    """Groups of four from the left, as printed on paper."""
    return separator.join(text[at : at + 4] for at in range(0, len(text), 4))


def iban(r: Random, how: str = "") -> Piece:
    """An IBAN; ``how``: words for the notation (compact, spaced, dashed, lower) or a country."""
    words = how.split()
    weighted = [*IBANS, "DE", "GB", "FR", "NL", "ES", "IT"] * 2
    country = next((w for w in words if w in IBANS), r.choice(weighted))
    form = next((w for w in words if w in {"compact", "spaced", "dashed", "lower"}), r.choice(("compact", "spaced")))
    text = iban_compact(r, country)
    text = {"compact": text, "spaced": in_fours(text), "dashed": in_fours(text, "-"), "lower": text.lower()}[form]
    return Piece(text, "bank.iban", f"{country} {form}", Status.VALUE)


def aba(r: Random, how: str = "") -> Piece:
    """A routing number of the ABA: a Federal Reserve prefix and the 3-7-1 check digit."""
    body = f"{r.choice((*range(1, 13), *range(21, 33))):02}{digits(r, 6)}"
    total = sum(int(d) * w for d, w in zip(body, (3, 7, 1, 3, 7, 1, 3, 7), strict=True))
    status = Status.GRADED if how == "bare" else Status.VALUE
    return Piece(body + str(-total % 10), "bank.aba_routing", "nine digits", status)


def bic(r: Random, how: str = "") -> Piece:
    """A BIC of 8 or 11 characters."""
    text = r.choice(BIC_BANKS) + r.choice(BIC_COUNTRIES) + patterned(r, "&&")
    if how != "8" and r.random() < 0.4:  # noqa: PLR2004
        text += r.choice(("XXX", patterned(r, "###")))
    return Piece(text, "bank.swift_bic", f"{len(text)} characters", Status.VALUE)
