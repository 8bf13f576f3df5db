"""Fourth family: fields. Values as public labelled sets have them: drawn by Faker, in the notations of its locales.

Faker (MIT) is a dependency of development alone. Its numbers are kept as they come but where an issuer would never give
them out (an area code of the North American plan that begins with 0 or 1).
"""

# ruff: noqa: E501, PLR2004, SIM905
from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random

from faker import Faker

from benchmarks.detection import credentials, fields, identity, lookalikes
from benchmarks.detection.chance import ALNUM, HEX, LOWER, chars, digits, patterned
from benchmarks.detection.labels import Maker, Piece, Status

LOCALES = "en_US en_GB en_CA en_AU en_IN en_IE de_DE de_AT de_CH fr_FR fr_CH es_ES es_MX it_IT nl_NL nl_BE pl_PL pt_BR pt_PT sv_SE no_NO da_DK fi_FI ja_JP zh_CN tr_TR ru_RU cs_CZ".split()
GROUPS = {12: (4, 4, 4), 13: (4, 3, 3, 3), 14: (4, 6, 4), 15: (4, 6, 5), 16: (4, 4, 4, 4), 19: (4, 4, 4, 4, 3)}


@cache
def maker_of(locale: str) -> Faker:
    """Faker of a locale."""
    return Faker(locale)


def fake(r: Random, locale: str = "en_US") -> Faker:
    """The same, drawing from this chance."""
    made = maker_of(locale)
    made.seed_instance(r.getrandbits(64))
    return made


def _possible(text: str) -> bool:
    """Whether the first ten digits behind a country code 1 may be a number of North America."""
    core = "".join(c for c in text.lower().partition("x")[0] if c.isdigit()).removeprefix("00").removeprefix("1")
    return (
        len(core) == 10
        and core[0] in "23456789"
        and core[3] in "23456789"
        and core[1] != "9"
        and core[4:6] != "11"
        and core[1:3] != "11"
    )


def phone(r: Random, how: str = "") -> Piece:
    """A number as Faker's en_US writes it, extensions among them; ``core``, ``digits``, ``e164``: none with one."""
    while True:
        text = fake(r).phone_number()
        if how in {"digits", "e164"}:
            text = "".join(c for c in text.partition("x")[0] if c.isdigit())[-10:]
            text = f"+1{text}" if how == "e164" else text
        if _possible(text) and not (how == "core" and "x" in text):
            break
    core = text.partition("x")[0].rstrip()
    form = "".join("n" if c.isdigit() else c for c in core)
    return Piece(text, "contact.phone", f"US {form}", Status.VALUE, ((0, len(core)),))


def world(r: Random, how: str = "") -> Piece:
    """A number of any locale but the USA, or of this one. At home or abroad, as Faker has it."""
    locale = how or r.choice(LOCALES[1:])
    while True:
        text = fake(r, locale).phone_number().strip()
        count = sum(c.isdigit() for c in text.partition("x")[0])
        if count >= 8 and (locale != "en_CA" or _possible(text)):
            break
    abroad = text.startswith(("+", "(+")) or (text.startswith("00") and text[2:3] in "123456789" and count > 10)
    core = text.partition("x")[0].rstrip()
    return Piece(text, "contact.phone", f"{'abroad' if abroad else 'home'} {locale}", Status.VALUE, ((0, len(core)),))


def abroad(r: Random, how: str = "") -> Piece:
    """The same with a country's code."""
    while True:
        piece = world(r, how)
        if piece.kind.startswith("abroad"):
            return piece


def ssn(r: Random, how: str = "") -> Piece:
    """A number of Social Security: dashed, ``any`` notation, or this one."""
    form = r.choice(("dashed", "dashed", "dashed", "plain", "plain", "spaced")) if how == "any" else how or "dashed"
    return identity.ssn(r, form)


def card(r: Random, how: str = "") -> Piece:
    """A card as Faker draws it, of any of its networks: 12 to 19 digits; ``grouped`` with spaces or dashes."""
    kind = "" if how in {"", "grouped", "any"} else how
    number = fake(r).credit_card_number(kind or None)
    form = how == "grouped" or (how == "any" and r.random() < 0.4)
    text = number
    separator = r.choice("  -") if form else ""
    if form:
        parts, at = [], 0
        for size in GROUPS[len(number)]:
            parts.append(number[at : at + size])
            at += size
        text = separator.join(parts)
    return Piece(text, "payment.card", f"{len(number)} digits {separator or 'plain'}", Status.VALUE)


def iban(r: Random, how: str = "") -> Piece:
    """An IBAN of Faker's locales; ``spaced`` in fours."""
    text = fake(
        r,
        r.choice(
            ("en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "pt_PT", "de_AT", "de_CH", "no_NO", "fi_FI")
        ),
    ).iban()
    if how == "spaced" or (how == "any" and r.random() < 0.5):
        text = " ".join(text[at : at + 4] for at in range(0, len(text), 4))
    return Piece(text, "bank.iban", "spaced" if " " in text else "glued", Status.VALUE)


def email(r: Random, how: str = "") -> Piece:
    """An address of mail as Faker writes it."""
    made = fake(r, how or r.choice(LOCALES[:12]))
    text = r.choice((made.email, made.company_email, made.free_email, made.ascii_email))()
    return Piece(text, "contact.email", "plain", Status.VALUE)


def moment(r: Random, first: int, last: int) -> datetime:
    """A moment in these years; Faker's depend on the day it runs."""
    begin, end = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (first, last + 1))
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=r.randrange(begin, end))


def birth(r: Random, how: str = "") -> Piece:
    """A date of birth; ``how`` as strftime has it."""
    form = how or r.choice(("%Y-%m-%d", "%m/%d/%Y", "%d %B %Y", "%B %d, %Y"))
    return Piece(moment(r, 1935, 2008).strftime(form), "personal.date_of_birth", form, Status.VALUE)


def license_(r: Random, _: str = "") -> Piece:
    """A driving licence of some State."""
    state = r.choice(list(identity.LICENCES))
    return Piece(patterned(r, identity.LICENCES[state]), "us.drivers_license", state, Status.VALUE)


def bic(r: Random, _: str = "") -> Piece:
    """A BIC as Faker draws it."""
    made = fake(r, r.choice(("en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "en_US")))
    while True:
        text = made.swift(length=r.choice((8, 11)))
        if text[7] != "0" and text[6] not in "01":
            return Piece(text, "bank.swift_bic", f"{len(text)}", Status.VALUE)


def encoded(r: Random, how: str) -> Piece:
    """What stands encoded in configuration, in base 64."""
    rule, text = {
        "akid": ("aws.access_key_id", credentials.access_key_id(r, "base 32").text),
        "secret": ("aws.secret_access_key", f"aws_secret_access_key={credentials.secret_access_key(r).text}"),
        "profile": (
            "aws.secret_access_key",
            f"[default]\nregion=eu-west-1\naws_secret_access_key={credentials.secret_access_key(r).text}\n",
        ),
        "github": ("github.token", f"https://x-access-token:{credentials.github_token(r).text}@github.com"),
        "basic": ("contact.email", f"{email(r).text}:{chars(r, ALNUM, 10)}"),
    }[how]
    return Piece(base64.b64encode(text.encode()).decode(), rule, "base64 " + how, Status.VALUE)


#: Decoys that the other families do not have, with the rule that each tempts.
DECOYS: dict[str, tuple[str, Callable[[Random], str]]] = {
    "npm version": ("contact.email", lambda r: f"{chars(r, LOWER, 6)}@{r.randrange(9)}.{r.randrange(30)}.{r.randrange(30)}"),
    "npm scope version": ("contact.email", lambda r: f"@{chars(r, LOWER, 4)}/{chars(r, LOWER, 6)}@^{r.randrange(9)}.{r.randrange(30)}.{r.randrange(30)}-rc.{r.randrange(9)}"),
    "git remote": ("contact.email", lambda r: f"git@github.com:{chars(r, LOWER, 5)}/{chars(r, LOWER, 7)}.git"),
    "prompt": ("contact.email", lambda r: f"{chars(r, LOWER, 5)}@{chars(r, LOWER, 4)}-{digits(r, 2)}:~$ ls"),
    "image digest": ("contact.email", lambda r: f"registry.io/{chars(r, LOWER, 5)}@sha256:{chars(r, HEX, 64)}"),
    "retina": ("contact.email", lambda r: f"icon_{digits(r, 2)}@2x.png"),
    "action": ("contact.email", lambda r: f"uses: actions/{chars(r, LOWER, 8)}@v{r.randrange(1, 6)}.{r.randrange(9)}.{r.randrange(9)}"),
    "pip direct": ("contact.email", lambda r: f"{chars(r, LOWER, 6)} @ git+https://git.example.org/{chars(r, LOWER, 4)}@{chars(r, HEX, 40)}"),
    "sha1 in assignment": ("aws.secret_access_key", lambda r: f"commit_sha = '{chars(r, HEX, 40)}'"),
    "sha512 integrity": ("aws.secret_access_key", lambda r: "sha512-" + base64.b64encode(r.randbytes(64)).decode()),
    "base64 of forty": ("aws.secret_access_key", lambda r: f'etag: "{base64.b64encode(r.randbytes(30)).decode()}"'),
    "path of forty": ("aws.secret_access_key", lambda r: "/".join(chars(r, LOWER, 7).title() for _ in range(5)) + "/A"),
    "key name": ("aws.secret_access_key", lambda r: f"aws_secret_access_key: ${{{{ secrets.AWS_SECRET_{chars(r, LOWER, 6).upper()} }}}}"),
    "placeholder key": ("aws.access_key_id", lambda r: r.choice(("AKIAXXXXXXXXXXXXXXXX", "AKIAIOSFODNN7EXAMPLE", "<AWS_ACCESS_KEY_ID>", "AKIA****************"))),
    "flight": ("contact.phone", lambda r: f"flight {chars(r, LOWER, 2).upper()}{digits(r, 4)}, seat {digits(r, 2)}A, ticket {digits(r, 13)}"),
    "case number": ("us.ssn", lambda r: f"Case No. {digits(r, 2)}-cv-{digits(r, 5)}"),
    "zip plus four": ("us.ssn", lambda r: f"{digits(r, 5)}-{digits(r, 4)}"),
    "policy": ("us.ssn", lambda r: f"policy number {digits(r, 9)}"),
    "member id": ("us.ssn", lambda r: f"Member ID: {digits(r, 9)}"),
    "tracking of twelve": ("payment.card", lambda r: f"FedEx tracking {digits(r, 12)}"),
    "account of ten": ("contact.phone", lambda r: f"account number {digits(r, 10)}"),
    "reservation": ("contact.phone", lambda r: f"confirmation #{digits(r, 3)}-{digits(r, 3)}-{digits(r, 5)}"),
    "unix time": ("contact.phone", lambda r: f'"ts": {r.randrange(1_600_000_000, 1_800_000_000)}'),
    "snowflake": ("payment.card", lambda r: f"tweet {r.randrange(10**17, 10**18)}0"),
    "milliseconds": ("payment.card", lambda r: f'"time": {r.randrange(16 * 10**11, 18 * 10**11)}'),
    "nano": ("payment.card", lambda r: f'startTimeUnixNano":"{r.randrange(16 * 10**17, 18 * 10**17)}'),
    "float": ("payment.card", lambda r: f"loss={r.random()!r}"),
    "tensor": ("contact.phone", lambda r: f"tensor([{r.random():.4f}, {r.random():.4f}, {r.random():.4f}])"),
    "diff hunk": ("contact.phone", lambda r: f"@@ -{digits(r, 3)},{digits(r, 3)} +{digits(r, 4)},{digits(r, 2)} @@"),
    "vin": ("", lambda r: f"stock {digits(r, 6)}"),
    "masked": ("payment.card", lambda r: f"card ************{digits(r, 4)}"),
}  # fmt: skip


def decoy(r: Random, how: str = "") -> Piece:
    """A decoy of this kind, of a rule (``of us.ssn``), or any."""
    if how in lookalikes.KINDS:
        return lookalikes.decoy(r, how)
    kinds = (
        [k for k, (rule, _) in DECOYS.items() if rule == how[3:]]
        if how.startswith("of ")
        else [how]
        if how
        else list(DECOYS)
    )
    kind = r.choice(kinds)
    rule, make = DECOYS[kind]
    return Piece(make(r), rule, kind, Status.DECOY)


def filler(name: str, locale: str = "en_US") -> Maker:
    """What one of Faker's providers says, unmarked."""
    return lambda r, how: Piece(str(getattr(fake(r, how or locale), name)()).replace("\n", ", "))


FIELDS: dict[str, Maker] = fields.FIELDS | {
    "ssn": ssn, "card": card, "iban": iban, "email": email, "phone": phone, "world": world, "abroad": abroad,
    "dob": birth, "license": license_, "bic": bic, "b64": encoded, "decoy": decoy,
    "akid": lambda r, _: credentials.access_key_id(r, "base 32"),
    "name": filler("name"), "firm": filler("company"), "town": filler("city"), "job": filler("job"), "street": filler("street_address"),
    "address": filler("address"), "user": filler("user_name"), "url": filler("url"), "agent": filler("user_agent"), "word": filler("word"),
    "sentence": filler("sentence"), "paragraph": filler("paragraph"), "zip": filler("postcode"), "plate": filler("license_plate"),
    "when": lambda r, how: Piece(moment(r, 2022, 2026).strftime(how or "%Y-%m-%dT%H:%M:%SZ")),
}  # fmt: skip
