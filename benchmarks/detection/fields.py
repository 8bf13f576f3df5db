"""Every field that a template may name, and its maker."""

from __future__ import annotations

from random import Random

from benchmarks.detection import contact, credentials, finance, identity, lookalikes, pem
from benchmarks.detection.chance import ALNUM, HEX, chars, digits, patterned
from benchmarks.detection.labels import Maker, Piece

FIRMS = [
    "Northwind Traders",
    "Globex GmbH",
    "Initech LLC",
    "Contoso Ltd.",
    "Umbrella S.A.",
    "Müller & Söhne KG",
    "ACME Corp",
    "Vega Health",
]
TOWNS = ["Lisbon", "Graz", "Leeds", "Osaka", "Toledo", "Nantes", "Uppsala", "Kraków", "Austin", "Perth"]
PRODUCTS = [
    "running shoes",
    "a desk lamp",
    "two tickets",
    "office chairs",
    "the annual plan",
    "a set of filters",
    "coffee beans",
]


def among(words: list[str]) -> Maker:
    """A filler out of a list."""
    return lambda r, _: Piece(r.choice(words))


def amount(r: Random, _: str) -> Piece:
    """A sum of money."""
    return Piece(f"{r.randrange(1, 99)},{r.randrange(100, 999)}.{r.randrange(100):02}")


def day(r: Random, _: str) -> Piece:
    """A date of these years, which is nobody's birthday."""
    return Piece(f"{r.randrange(2018, 2026)}-{r.randrange(1, 13):02}-{r.randrange(1, 29):02}")


def clock(r: Random, _: str) -> Piece:
    """A time of day."""
    return Piece(f"{r.randrange(24):02}:{r.randrange(60):02}:{r.randrange(60):02}")


#: Name: maker. `n` is a number of as many digits, `pat` a pattern, `w` one of the words.
FIELDS: dict[str, Maker] = {
    "ssn": identity.ssn, "itin": identity.itin, "ein": identity.ein, "passport": identity.passport,
    "license": identity.drivers_license, "card": finance.card, "iban": finance.iban, "aba": finance.aba,
    "bic": finance.bic, "email": contact.email, "phone": contact.phone, "anyphone": contact.any_phone,
    "abroad": contact.foreign_phone, "home": contact.home_phone, "address": contact.address, "dob": contact.birth,
    "name": contact.person, "named": contact.named, "ip": contact.ipv4, "akid": credentials.access_key_id,
    "awssecret": credentials.secret_access_key, "awssession": credentials.session_token, "jwt": credentials.jwt,
    "github": credentials.github_token, "slack": credentials.slack_token, "webhook": credentials.slack_webhook,
    "token": credentials.simple, "password": credentials.password, "apikey": credentials.api_key,
    "db": credentials.connection, "pem": pem.private_key, "decoy": lookalikes.decoy,
    "firm": among(FIRMS), "town": among(TOWNS), "product": among(PRODUCTS), "amount": amount, "day": day, "time": clock,
    "n": lambda r, how: Piece(digits(r, int(how or 5))),
    "hex": lambda r, how: Piece(chars(r, HEX, int(how or 32))),
    "alnum": lambda r, how: Piece(chars(r, ALNUM, int(how or 8))),
    "pat": lambda r, how: Piece(patterned(r, how)),
    "uuid": lambda r, _: Piece(lookalikes.uuid(r)),
    "w": lambda r, how: Piece(r.choice(how.split("|"))),
    "cvv": lambda r, _: Piece(digits(r, 3)),
    "expiry": lambda r, _: Piece(f"{r.randrange(1, 13):02}/{r.randrange(25, 32)}"),
}  # fmt: skip
