"""Held out: fields for the second family. Whoever writes rules does not read this file.

Values come from the same issuers' specifications, in other proportions and with other notations: those of Faker's
locales, of data sets that replace characters, of people who type on a telephone.
"""

# ruff: noqa: E501, PLR2004, SIM905
from __future__ import annotations

import base64
from collections.abc import Callable
from random import Random

from benchmarks.detection import contact, credentials, fields, finance, identity, lookalikes
from benchmarks.detection.chance import ALNUM, UPPER, chars, digits, patterned
from benchmarks.detection.labels import Maker, Piece, Status

NAMES = "Clara Voss|Tomás Herrera|Ji-woo Park|Abdul Rahman|Greta Lindqvist|Paolo Bianchi|Inés Castaño|Dwayne Carter|Leila Haidari|Marek Dvořák|Rosalind Achebe|Finn O'Shea|Noor Jahan|Tevita Fonua|Eva van den Berg|Stéphane Roux".split(
    "|"
)
HOSTS = "posteo.net gmx.at t-online.de btinternet.com rediffmail.com naver.com terra.com.br wanadoo.fr seznam.cz example.co.uk example.edu ops.tools rivera-hall.com wells.net murphy.org lab.uni-bonn.de mail.gov.in staff.nhs.uk kpn.nl abc.xyz".split()
#: As Faker's locales write them, and as people type them.
LOCALES: dict[str, tuple[str, ...]] = {
    "de_DE": ("+49(0)~#########", "+49(0)~### ######", "+49 151 ########", "+49 ~## ~####-##"),
    "fr_FR": ("+33 (0)~ ## ## ## ##", "+33 ~ ## ## ## ##", "+33 ~########"),
    "it_IT": ("+39 3## #######", "+39 02 ########", "+39 347#######"),
    "es_ES": ("+34 ^## ### ###", "+34 ^########", "+34^########"),
    "nl_NL": ("+31(0)~## ######", "+31(0)6########", "+31~########"),
    "sv_SE": ("+46 (0)8 ### ### ##", "+46 (0)~## ### ##", "+46(0)7########"),
    "en_GB": ("+44(0)117 496 0###", "+44 117 4960 ###", "+44(0)20 7946 0###", "+44 (0)7700 900###"),
    "en_AU": ("+61.3.8###.####", "+61 8 7### ####", "+61-4##-###-###"),
    "en_IN": ("+919#########", "+91 (0) 98########", "+91-98########"),
    "ja_JP": ("+81 90 #### ####", "+81 (0)3 ~### ####"),
    "pt_BR": ("+55 (011) ~###-####", "+55 21 9#### ####", "+55 11 ~### ####"),
    "others": ("+852 ^### ####", "+64 21 ### ####", "+66 8# ### ####", "+84 9# ### ## ##", "+62 812-####-####", "+380 67 ### ## ##", "+40 7## ### ###", "+36 30 ### ####", "+20 10 #### ####", "+966 5# ### ####", "+54 9 11 ####-####", "+57 3## ### ####", "+56 9 #### ####", "+63 9## ### ####"),
}  # fmt: skip
HOME: dict[str, tuple[str, ...]] = {
    "de_DE": ("(0~###) ######", "0~## ######", "0~##-#######"), "fr_FR": ("0~ ## ## ## ##", "0~########"), "it_IT": ("02 ########", "347 ### ####"),
    "es_ES": ("9## ### ###", "6## ### ###"), "nl_NL": ("0~## ######", "(0~##) ######"), "en_GB": ("(0117) 496 0###", "0117 496 0###", "07700 900###"),
    "sv_SE": ("08-### ## ##", "0~## ### ##"),
}  # fmt: skip
COMMON_FORMS = ("({}) {}-{}", "{}-{}-{}", "{}.{}.{}", "+1-{}-{}-{}", "+1{}{}{}", "{}{}{}", "({}){}-{}", "001-{}-{}-{}")
FORMS = (
    *COMMON_FORMS * 3, "({}) {} {}", "{} - {} - {}", "{}-{} {}", "+1 {}-{}-{}", "+1({}){}-{}", "1{}{}{}", "1.{}.{}.{}",
)  # fmt: skip


def mail(r: Random, _: str = "") -> Piece:
    """An address of mail."""
    name = "".join(contact.ascii_of(part) + "." for part in r.choice(NAMES).split())[:-1]
    local = r.choice(
        (
            name,
            name.replace(".", ""),
            name.replace(".", "_") + digits(r, 1),
            name[:6] + str(r.randrange(50, 99)),
            f"{name}+news",
            f"info{digits(r, 2)}",
            "first-last.x",
        )
    )
    return Piece(f"{local.strip('.')}@{r.choice(HOSTS)}", "contact.email", "plain", Status.VALUE)


def nanp(r: Random, how: str = "") -> Piece:
    """A number of North America; ``marked``: also bare digits, since a word or a column says what they are."""
    parts = (*contact.nanp_parts(r)[:2], digits(r, 4))
    form = r.choice([f for f in FORMS if how or ("}{" not in f or f.startswith(("+", "(")))])
    text = form.format(*parts)
    kind = "nanp " + form.replace("{}", "n")
    if r.random() < 0.12 and "}{" not in form:
        tail = r.choice(("x###", "x#####", " x##", " ext. ####", " extension ###", ", ext ###"))
        return Piece(text + patterned(r, tail), "contact.phone", f"{kind} ext", Status.VALUE, ((0, len(text)),))
    return Piece(text, "contact.phone", kind, Status.VALUE)


def world(r: Random, how: str = "") -> Piece:
    """A number with its country's code."""
    locale = how or r.choice(list(LOCALES))
    return Piece(patterned(r, r.choice(LOCALES[locale])), "contact.phone", f"abroad {locale}", Status.VALUE)


def home(r: Random, how: str = "") -> Piece:
    """A number as its country writes it, after a word."""
    locale = how or r.choice(list(HOME))
    return Piece(patterned(r, r.choice(HOME[locale])), "contact.phone", f"home {locale}", Status.VALUE)


def ssn(r: Random, how: str = "") -> Piece:
    """A Social Security number, mostly dashed; ``marked``: one in four without separators, one in ten with spaces."""
    chance = r.random()
    form = "plain" if how and chance < 0.25 else "spaced" if how and chance < 0.35 else "dashed"
    return identity.ssn(r, form)


def card(r: Random, how: str = "") -> Piece:
    """A card: Faker's mix without separators, or the common networks in fours; ``bare``: nothing that needs a word."""
    if how == "bare":
        return finance.card(r, r.choice(("spaced", "dashed")))
    return finance.card(
        r, r.choice(("faker", "faker", "spaced", "dashed", "plain", "unionpay plain", "mastercard2 spaced"))
    )


def access_key(r: Random, _: str = "") -> Piece:
    """Half of them with any capitals and digits, as most who make data do."""
    return credentials.access_key_id(r, r.choice(("any", "base 32")))


def basic(r: Random, _: str = "") -> Piece:
    """A filler: basic authentication, user and password in base 64."""
    return Piece(base64.b64encode(f"svc:{chars(r, ALNUM, 16)}".encode()).decode())


#: Kinds of decoys that the other family does not have.
DECOYS: dict[str, tuple[str, Callable[[Random], str]]] = {
    "abn": ("contact.phone", lambda r: f"ABN {patterned(r, '## ### ### ###')}"),
    "siret": ("payment.card", lambda r: f"SIRET {patterned(r, '### ### ### #####')}"),
    "cnpj": ("contact.phone", lambda r: f"CNPJ {patterned(r, '##.###.###/0001-##')}"),
    "medicare": ("contact.phone", lambda r: f"Medicare {patterned(r, '^### ##### #')}"),
    "tfn": ("us.ssn", lambda r: f"TFN {patterned(r, '### ### ###')}"),
    "personnummer": ("us.ssn", lambda r: f"personnummer {patterned(r, '8#0~1#-####')}"),
    "tax id of germany": ("contact.phone", lambda r: f"IdNr. {patterned(r, '~# ### ### ###')}"),
    "bsn": ("us.ssn", lambda r: f"BSN {digits(r, 9)}"),
    "iccid": ("payment.card", lambda r: f"ICCID 8949{digits(r, 15)}"),
    "loyalty number": ("payment.card", lambda r: f"miles & more {patterned(r, '9922 #### #### ###')}"),
    "conference id": ("contact.phone", lambda r: f"meeting {patterned(r, '### #### ####')} passcode {digits(r, 6)}"),
    "hts code": ("contact.phone", lambda r: f"HTS {patterned(r, '####.##.####')}"),
    "nsn": ("us.ssn", lambda r: f"NSN {patterned(r, '####-##-###-####')}"),
    "cusip": ("us.ssn", lambda r: f"CUSIP {patterned(r, '######')}{patterned(r, '%#')}{digits(r, 1)}"),
    "asset tag": ("us.ssn", lambda r: f"asset {patterned(r, '%%%')}-{digits(r, 3)}-{digits(r, 2)}-{digits(r, 4)}"),
    "case of court": ("us.ssn", lambda r: f"case {patterned(r, '##-###-####')}-CV"),
    "nanoseconds": ("payment.card", lambda r: f"{r.randrange(15 * 10**17, 18 * 10**17)}"),
    "snowflake": ("payment.card", lambda r: f"id:{r.randrange(10**18, 2 * 10**18)}"),
    "object id": ("", lambda r: chars(r, "0123456789abcdef", 24)),
    "base64 of forty": ("aws.secret_access_key", lambda r: f"nonce={chars(r, ALNUM, 39)}="),
    "key of forty": ("aws.secret_access_key", lambda r: f"etag: {chars(r, ALNUM + '/+', 40)}"),
    "akia in lower": ("aws.access_key_id", lambda r: f"akia{chars(r, ALNUM.lower(), 16)}"),
    "jwt header alone": ("token.jwt", lambda r: f"eyJhbGciOiJIUzI1NiJ9.{chars(r, ALNUM, 8)}"),
    "mention": ("contact.email", lambda r: f"@{chars(r, 'abcdefgh', 6)}.{chars(r, 'xyz', 4)}"),
    "package": ("contact.email", lambda r: f"{chars(r, 'abcdefgh', 6)}@{r.randrange(9)}.{r.randrange(9)}.{r.randrange(9)}-beta.{r.randrange(9)}"),
    "retina image": ("contact.email", lambda r: f"hero@{r.randrange(2, 4)}x.{r.choice(('png', 'jpg', 'webp', 'svg'))}"),
}  # fmt: skip


def decoy(r: Random, how: str = "") -> Piece:
    """A decoy of this family as often as one of the other, or the kind asked for."""
    if how or r.random() < 0.5:
        return lookalikes.decoy(r, how)
    kind = r.choice(list(DECOYS))
    rule, make = DECOYS[kind]
    return Piece(make(r), rule, kind, Status.DECOY)


FIELDS: dict[str, Maker] = fields.FIELDS | {
    "decoy": decoy,
    "ssn": ssn, "card": card, "email": mail, "phone": nanp, "abroad": world, "home": home, "akid": access_key,
    "name": fields.among(NAMES), "basic": basic,
    "firm": fields.among("Brightwater Bank|Helvetia Tools AG|Sol y Mar S.L.|Kestrel Freight|Dr. Sturm & Partner|Lumen Labs".split("|")),
    "product": fields.among("garden hoses|a subscription|a refurbished laptop|catering|the deposit|spare parts".split("|")),
    "town": fields.among("Tampa Bonn Lyon Cádiz Utrecht Malmö Bristol Nagoya Recife Pune".split()),
    "lot": lambda r, _: Piece(f"{chars(r, UPPER, 2)}{digits(r, 7)}"),
}  # fmt: skip
