"""What only looks like a value, by kind. Each decoy names the rule that it tempts."""

# ruff: noqa: E501, PLC3002
from __future__ import annotations

import base64
from collections.abc import Callable
from random import Random

from benchmarks.detection import credentials, finance, identity
from benchmarks.detection.chance import ALNUM, BASE64, HEX, LOWER, UPPER, chars, digits, luhn, patterned
from benchmarks.detection.labels import Piece, Status


def uuid(r: Random) -> str:
    """A UUID of version 4."""
    h = chars(r, HEX, 32)
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{r.choice('89ab')}{h[17:20]}-{h[20:]}"


def digit_uuid(r: Random) -> str:
    """A UUID whose groups are digits only: the nastiest for numbers."""
    return f"{digits(r, 8)}-{digits(r, 4)}-4{digits(r, 3)}-9{digits(r, 3)}-{digits(r, 12)}"


def wrong_luhn(r: Random) -> str:
    """A card with another last digit."""
    number = finance.card_digits(r, r.choice(finance.COMMON))
    number = number[:-1] + str((int(number[-1]) + r.randrange(1, 10)) % 10)
    return finance.card_grouped(number, r.choice(("", " ", "-")))


def wrong_ssn(r: Random) -> str:
    """Three groups that the SSA never issues: 000, 666, 9xx without an ITIN's group, 00, 0000."""
    a, g, s = identity.ssn_digits(r)[:3], f"{r.randrange(1, 100):02}", f"{r.randrange(1, 10000):04}"
    return r.choice(
        (f"000-{g}-{s}", f"666-{g}-{s}", f"9{a[1:]}-{r.choice((12, 30, 44, 93))}-{s}", f"{a}-00-{s}", f"{a}-{g}-0000")
    )


def wrong_iban(r: Random) -> str:
    """An IBAN with other check digits."""
    text = finance.iban_compact(r, r.choice(list(finance.IBANS)))
    other = f"{(int(text[2:4]) + r.randrange(1, 60)) % 97 + 2:02}"
    return text[:2] + (other if other != text[2:4] else "00") + text[4:]


def wrong_jwt(r: Random) -> str:
    """Three parts that are no header: not JSON, or no alg; or two parts only."""
    good = credentials.jwt(r).text.split(".")
    noise = base64.urlsafe_b64encode(r.randbytes(30)).decode().rstrip("=")
    return r.choice(
        (
            f"eyJ{noise}.{good[1]}.{good[2]}",
            f"{good[0]}.{good[1][:20]}…",
            f"{credentials.segment({'typ': 'JWT'})}.{good[1]}.{good[2]}",
        )
    )


def wrong_github(r: Random) -> str:
    """Too short, too long, or a placeholder."""
    return r.choice(("ghp_", "gho_")) + r.choice(
        (chars(r, ALNUM, 20), chars(r, ALNUM, 50), "x" * 36, "0" * 36, "<your-token-here>")
    )


def wrong_slack(r: Random) -> str:
    """Placeholders and near misses."""
    return r.choice(
        (
            "xoxb-your-token-here",
            "xoxb-" + "0" * 12 + "-" + "x" * 24,
            f"xoxb-{digits(r, 3)}",
            "xoxp-...",
            "xox-" + digits(r, 12),
            "xoxb-<bot>-<token>",
        )
    )


def no_key(r: Random) -> str:
    """Armour round something that is no private key."""
    blob = base64.b64encode(r.randbytes(96)).decode()
    return r.choice(
        (
            f"-----BEGIN PUBLIC KEY-----\n{blob}\n-----END PUBLIC KEY-----",
            f"-----BEGIN CERTIFICATE-----\n{blob}\n-----END CERTIFICATE-----",
            "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\n<your key here>\n-----END PRIVATE KEY-----",
            f"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ{blob}",
        )
    )


def akia_like(r: Random) -> str:
    """Wrong length, wrong case, inside something longer, or AWS's own example."""
    return r.choice(
        (
            "AKIA" + chars(r, UPPER, 15), "AKIA" + chars(r, UPPER, 17), "akia" + chars(r, LOWER, 16), "AKIAIOSFODNN7EXAMPLE",
            chars(r, BASE64[:62], 30) + "AKIA" + chars(r, ALNUM, 40), "AKIAXXXXXXXXXXXXXXXX", "AKIA" + "0" * 16, "ASIA" + "_PACIFIC_NORTH_EAST",
        )
    )  # fmt: skip


def secret_like(r: Random) -> str:
    """Forty characters that are no secret: digests, paths, names, AWS's own example."""
    return r.choice(
        (
            chars(r, HEX, 40), f"sha1-{base64.b64encode(r.randbytes(20)).decode()}", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "arn/aws/secretsmanager/eu/west/1/secret0", "x" * 40, chars(r, LOWER, 40), f"sha512-{base64.b64encode(r.randbytes(64)).decode()}",
        )
    )  # fmt: skip


def not_mail(r: Random) -> str:
    """At signs that are no mail."""
    a, b = chars(r, LOWER, 6), chars(r, LOWER, 5)
    return r.choice(
        (
            f"icon@{r.randrange(2, 4)}x.png", f"{a}@{r.randrange(20)}.{r.randrange(9)}.{r.randrange(9)}", f"git@github.com:{a}/{b}.git", f"@{a}/{b}",
            f"{a}@localhost", f"{a}@{b}", f"@{a}.{b}", f"{a} @ {b}.com", f"{a}@.com", "logo@1.5x.jpeg", f"{a}@{b}..com", f"${{{a}}}@{b}",
        )
    )  # fmt: skip


#: Kind: the rule tempted, and the maker.
KINDS: dict[str, tuple[str, Callable[[Random], str]]] = {
    "uuid": ("", uuid),
    "uuid of digits": ("contact.phone", digit_uuid),
    "md5": ("", lambda r: chars(r, HEX, 32)),
    "sha1": ("aws.secret_access_key", lambda r: chars(r, HEX, 40)),
    "sha256": ("", lambda r: chars(r, HEX, 64)),
    "version": ("network.ipv4", lambda r: f"v{r.randrange(30)}.{r.randrange(99)}.{r.randrange(9999)}"),
    "build number": ("contact.phone", lambda r: f"{r.randrange(2, 20)}.{r.randrange(100, 999)}.{r.randrange(100, 999)}.{r.randrange(1000, 9999)}"),
    "epoch seconds": ("contact.phone", lambda r: f"{r.randrange(12 * 10**8, 2 * 10**9)}"),
    "epoch milliseconds": ("payment.card", lambda r: f"{r.randrange(12 * 10**11, 2 * 10**12)}"),
    "epoch microseconds": ("payment.card", lambda r: f"{r.randrange(12 * 10**14, 2 * 10**15)}"),
    "date and time": ("contact.phone", lambda r: f"2024-{r.randrange(1, 13):02}-{r.randrange(1, 29):02} {r.randrange(24):02}:{r.randrange(60):02}:{r.randrange(60):02}.{digits(r, 6)}"),
    "compact time": ("payment.card", lambda r: f"2024{r.randrange(1, 13):02}{r.randrange(1, 29):02}{r.randrange(24):02}{r.randrange(60):02}{r.randrange(60):02}"),
    "decimal": ("payment.card", lambda r: f"{r.randrange(9)}.{digits(r, r.choice((9, 10, 15, 16, 17)))}"),
    "coordinates": ("contact.phone", lambda r: f"{r.randrange(10, 90)}.{digits(r, 6)},-{r.randrange(10, 170)}.{digits(r, 6)}"),
    "exponent": ("payment.card", lambda r: f"{r.randrange(1, 9)}.{digits(r, 15)}e-{r.randrange(10, 30)}"),
    "longer run": ("payment.card", lambda r: digits(r, 5) + finance.card_digits(r, "visa16") + digits(r, 6)),
    "longer run with ssn": ("us.ssn", lambda r: f"{digits(r, 3)}-{SSN(r)}-{digits(r, 2)}"),
    "order number": ("us.ssn", lambda r: f"{r.choice(('ORD-', 'INV-', 'PO-', 'SKU-', 'RMA-', 'CASE-', 'TKT-'))}{SSN(r)}"),
    "order of nine": ("us.ssn", lambda r: f"order {digits(r, 9)}"),
    "order of ten": ("contact.phone", lambda r: f"order #{digits(r, 10)}"),
    "part number": ("contact.phone", lambda r: f"P/N {digits(r, 3)}-{digits(r, 4)}-{digits(r, 3)}"),
    "amazon order": ("contact.phone", lambda r: f"{r.randrange(100, 120)}-{digits(r, 7)}-{digits(r, 7)}"),
    "isbn": ("contact.phone", lambda r: f"ISBN 978-{r.randrange(10)}-{digits(r, 3)}-{digits(r, 5)}-{r.randrange(10)}"),
    "ean": ("payment.card", lambda r: f"EAN 40{digits(r, 11)}"),
    "parcel": ("payment.card", lambda r: f"1Z{patterned(r, '&&&&&&')}{digits(r, 10)}"),
    "usps parcel": ("payment.card", lambda r: f"94{digits(r, 20)}"),
    "card with wrong check digit": ("payment.card", wrong_luhn),
    "no network": ("payment.card", lambda r: (lambda b: b + luhn(b))(r.choice(("1", "7", "8", "9")) + digits(r, 14))),
    "impossible ssn": ("us.ssn", wrong_ssn),
    "published ssn": ("us.ssn", lambda r: (lambda t: f"{t[:3]}-{t[3:5]}-{t[5:]}")(r.choice(identity.PUBLISHED_SSN[:3]))),
    "published card": ("payment.card", lambda r: r.choice(("4111111111111111", "4242 4242 4242 4242", "5555-5555-5555-4444", "378282246310005", "6011111111111117", "4012888888881881"))),
    "ssn of wrong grouping": ("us.ssn", lambda r: r.choice((patterned(r, "##-###-####"), patterned(r, "####-##-###"), patterned(r, "###-###-###"), patterned(r, "###-##-#####")))),
    "date": ("us.ssn", lambda r: f"{r.randrange(1, 13):02}-{r.randrange(1, 29):02}-{r.randrange(1990, 2030)}"),
    "iban with wrong check digits": ("bank.iban", wrong_iban),
    "iban inside a word": ("bank.iban", lambda r: f"{patterned(r, '%%&&')}{finance.iban_compact(r, 'DE')}{patterned(r, '%&%&')}"),
    "phone with impossible area": ("contact.phone", lambda r: patterned(r, r.choice(("0##-###-####", "1##-###-####", "(0##) 1##-####", "###-0##-####")))),
    "fraction": ("contact.phone", lambda r: f"{digits(r, 3)}/{digits(r, 3)}/{digits(r, 4)}"),
    "range of pages": ("contact.phone", lambda r: f"pp. {r.randrange(200, 999)}-{r.randrange(200, 999)}, {r.randrange(1000, 9999)}"),
    "hex run": ("payment.card", lambda r: f"0x{digits(r, 16)}"),
    "sequence": ("contact.phone", lambda r: " ".join(digits(r, 3) for _ in range(6)) + f" {digits(r, 4)}"),
    "access key near miss": ("aws.access_key_id", akia_like),
    "secret look-alike": ("aws.secret_access_key", secret_like),
    "jwt near miss": ("token.jwt", wrong_jwt),
    "github near miss": ("github.token", wrong_github),
    "slack near miss": ("slack.token", wrong_slack),
    "no private key": ("crypto.private_key", no_key),
    "no mail": ("contact.email", not_mail),
    "nhs number": ("contact.phone", lambda r: f"NHS number {patterned(r, '4## ### ####')}"),
    "canadian sin": ("us.ssn", lambda r: f"SIN {patterned(r, '^## ### ###')}"),
    "aadhaar": ("payment.card", lambda r: f"Aadhaar {patterned(r, '^### #### ####')}"),
    "siren": ("us.ssn", lambda r: f"SIREN {patterned(r, '### ### ###')}"),
    "ahv": ("contact.phone", lambda r: f"AHV {patterned(r, '756.####.####.##')}"),
    "cpf": ("us.ssn", lambda r: f"CPF {patterned(r, '###.###.###-##')}"),
    "imei": ("payment.card", lambda r: f"IMEI {(lambda b: b + luhn(b))('35' + digits(r, 12))}"),
    "gift card": ("payment.card", lambda r: f"gift card {patterned(r, '8### #### #### ####')}"),
    "sort code": ("us.ssn", lambda r: f"sort code {patterned(r, '##-##-##')} account {digits(r, 8)}"),
    "mac address": ("", lambda r: ":".join(chars(r, HEX, 2) for _ in range(6))),
    "ipv6": ("network.ipv4", lambda r: "2001:db8:" + ":".join(chars(r, HEX, 4) for _ in range(4)) + "::1"),
    "placeholder": ("generic.password", lambda r: r.choice(("changeme", "<password>", "${DB_PASSWORD}", "{{ secret }}", "********", "your-api-key-here", "os.environ['KEY']", "process.env.TOKEN", "REDACTED", "None", "null", "%(password)s", "xxxxxxxx"))),
}  # fmt: skip


def SSN(r: Random) -> str:  # noqa: N802
    """A number of three groups as an SSN."""
    return identity.ssn(r).text


def decoy(r: Random, how: str = "") -> Piece:
    """A decoy of the kind ``how``, of a rule (``of us.ssn``), or any."""
    kinds = (
        [k for k, (rule, _) in KINDS.items() if rule == how[3:]]
        if how.startswith("of ")
        else [how]
        if how
        else list(KINDS)
    )
    kind = r.choice(kinds)
    rule, make = KINDS[kind]
    return Piece(make(r), rule, kind, Status.DECOY)
