"""Made-up values by chance, written in the many ways that people and programs write them.

Nothing here knows the rules: formats are taken from what the issuers publish and from how files look.
"""

# ruff: noqa: PLR2004, PLR0911, SIM905, RUF005
from __future__ import annotations

import base64
import json
import string
import zlib
from random import Random

FIRST = (
    "Ada Boris Carla Dmitri Elena Farid Grace Hugo Ines Jonas Kira Liam Mona Noah Olga Pedro Quinn Rosa Samir Tara "
    "Ulla Vera Walt Xenia Yusuf Zoe Anneliese Björn Chloé Séamus Nuria Oluwaseun Priya Wei"
).split()
LAST = (
    "Abbott Bauer Castro Dubois Evans Fischer Garcia Hansen Ivanov Jensen Kowalski Lopez Moreau Nowak Okafor Petrov "
    "Quist Rossi Smith Tanaka Ueda Vogel Weber Xu Young Zhang O'Neil MacLeod Nuñez Müller"
).split()
DOMAINS = (
    "example.com example.org example.net mail.example.com corp.example acme-widgets.com northwind.co.uk hospital.org "
    "uni-ulm.de gmail.com yahoo.fr proton.me contoso.onmicrosoft.com firma.com.br dev.internal.io museum"
).split()[:-1]
ALNUM = string.ascii_letters + string.digits


def chars(r: Random, alphabet: str, count: int) -> str:
    return "".join(r.choices(alphabet, k=count))


def digits(r: Random, count: int) -> str:
    return chars(r, string.digits, count)


def person(r: Random) -> str:
    return f"{r.choice(FIRST)} {r.choice(LAST)}"


def ssn(r: Random) -> str:
    area = r.choice([n for n in range(1, 900) if n != 666])
    return f"{area:03}-{r.randrange(1, 100):02}-{r.randrange(1, 10000):04}"


def luhn_digit(body: str) -> str:
    total = 0
    for index, c in enumerate(reversed(body)):
        n = int(c) * (2 - index % 2)
        total += n - 9 if n > 9 else n
    return str(-total % 10)


def card_number(r: Random) -> str:
    prefix, length = r.choice(
        [("4", 16), ("4", 16), ("51", 16), ("53", 16), ("55", 16), ("2221", 16), ("2655", 16), ("34", 15), ("37", 15)]
        + [("6011", 16), ("65", 16), ("3530", 16), ("36", 14), ("62", 16)]
    )
    body = prefix + digits(r, length - len(prefix) - 1)
    return body + luhn_digit(body)


def grouped(number: str, separator: str) -> str:
    sizes = {16: (4, 4, 4, 4), 15: (4, 6, 5), 14: (4, 6, 4)}[len(number)]
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at : at + size])
        at += size
    return separator.join(parts)


def card(r: Random) -> str:
    return grouped(card_number(r), r.choice(("", " ", "-")))


def nanp(r: Random) -> tuple[str, str, str]:
    def code() -> str:
        while True:
            c = f"{r.randrange(2, 10)}{r.randrange(10)}{r.randrange(10)}"
            if c[1:] != "11":
                return c

    return code(), code(), digits(r, 4)


def phone(r: Random) -> str:
    a, b, c = nanp(r)
    return r.choice(
        (f"{a}-{b}-{c}", f"({a}) {b}-{c}", f"{a}.{b}.{c}", f"+1-{a}-{b}-{c}", f"+1 {a} {b} {c}", f"+1{a}{b}{c}")
    )


def foreign_phone(r: Random) -> str:
    kind = r.randrange(8)
    if kind == 0:
        return f"+44 {r.randrange(20, 30)} {digits(r, 4)} {digits(r, 4)}"
    if kind == 1:
        return f"+49 {r.randrange(30, 90)} {r.randrange(1, 10)}{digits(r, 6)}"
    if kind == 2:
        return "+33 " + " ".join([str(r.randrange(1, 8)), *(digits(r, 2) for _ in range(4))])
    if kind == 3:
        return f"+91-{r.randrange(70000, 99999)}-{digits(r, 5)}"
    if kind == 4:
        return f"+34 6{digits(r, 2)} {digits(r, 3)} {digits(r, 3)}"
    if kind == 5:
        return f"+61 4{digits(r, 2)} {digits(r, 3)} {digits(r, 3)}"
    if kind == 6:
        return f"0044 7{digits(r, 3)} {digits(r, 6)}"
    return f"+55 (11) 9{digits(r, 4)}-{digits(r, 4)}"


def email(r: Random) -> str:
    first = "".join(c for c in r.choice(FIRST).lower() if c.isascii())
    last = "".join(c for c in r.choice(LAST).lower() if c.isascii() and c.isalpha())
    local = r.choice(
        (f"{first}.{last}", f"{first}{digits(r, 2)}", f"{first[:1]}{last}", f"{first}_{last}", f"{first}+{last}")
    )
    return f"{local}@{r.choice(DOMAINS)}"


def access_key_id(r: Random) -> str:
    return r.choice(("AKIA", "AKIA", "ASIA")) + chars(r, string.ascii_uppercase + "234567", 16)


def secret_key(r: Random) -> str:
    return chars(r, ALNUM + "+/", 40)


def iban(r: Random) -> str:
    country, body = r.choice(
        (
            ("DE", digits(r, 18)),
            ("GB", chars(r, string.ascii_uppercase, 4) + digits(r, 14)),
            ("FR", digits(r, 10) + chars(r, string.ascii_uppercase + string.digits, 11) + digits(r, 2)),
            ("NL", chars(r, string.ascii_uppercase, 4) + digits(r, 10)),
            ("ES", digits(r, 20)),
            (
                "IT",
                r.choice(string.ascii_uppercase) + digits(r, 10) + chars(r, string.ascii_uppercase + string.digits, 12),
            ),
            ("CH", digits(r, 5) + chars(r, string.ascii_uppercase + string.digits, 12)),
            ("NO", digits(r, 11)),
        )
    )
    number = "".join(str(int(c, 36)) for c in body + country + "00")
    whole = f"{country}{98 - int(number) % 97:02}{body}"
    if r.random() < 0.5:
        return " ".join(whole[at : at + 4] for at in range(0, len(whole), 4))
    return whole


def jwt(r: Random) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")

    head = part({"alg": r.choice(("HS256", "RS256", "ES256")), "typ": "JWT"})
    body = part({"sub": digits(r, 10), "name": person(r), "iat": r.randrange(1_500_000_000, 1_900_000_000)})
    return f"{head}.{body}.{chars(r, ALNUM + '-_', r.choice((43, 86, 342)))}"


def github_token(r: Random) -> str:
    body = chars(r, ALNUM, 30)
    check, text = zlib.crc32(body.encode()), ""
    for _ in range(6):
        check, rest = divmod(check, 62)
        text = (string.digits + string.ascii_uppercase + string.ascii_lowercase)[rest] + text
    return r.choice(("ghp_", "gho_", "ghs_")) + body + text


def slack_token(r: Random) -> str:
    return f"xoxb-{digits(r, 12)}-{digits(r, 13)}-{chars(r, ALNUM, 24)}"


def private_key(r: Random) -> str:
    kind = r.choice(("RSA ", "EC ", ""))
    body = base64.b64encode(bytes([0x30, 0x82, 4, 0xA4, 2, 1, 0]) + r.randbytes(r.choice((114, 600, 1190)))).decode()
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\n-----END {kind}PRIVATE KEY-----"
