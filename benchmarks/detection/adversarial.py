"""Values written so that they slip by, and decoys so that they raise an alarm. Development family."""

# ruff: noqa: E501, PLR2004
from __future__ import annotations

from collections.abc import Callable
from random import Random

from benchmarks.detection import finance, identity, lookalikes
from benchmarks.detection.contact import nanp_parts
from benchmarks.detection.fields import FIELDS
from benchmarks.detection.labels import Labelled, Piece, Status, Writer

DASHES = {
    "non-breaking hyphen": "\u2011",
    "hyphen": "\u2010",
    "en dash": "\u2013",
    "minus": "\u2212",
    "em dash": "\u2014",
}
SPACES = {"no-break space": "\u00a0", "thin space": "\u2009", "narrow no-break": "\u202f", "figure space": "\u2007"}
WIDE = {"zero-width space": "-\u200b", "soft hyphen": "\u00ad", "word joiner": "\u2060-"}
OTHERS = {"dot": ".", "two spaces": "  ", "slash": "/", "spaced dash": " - ", "underscore": "_"}


#: Readers disagree whether such a thing is still the value.
GRADED = {*WIDE, "full-width digits", "underscore", "in threes", "iban dotted"}


def status_of(kind: str) -> Status:
    """Value, or graded where the notation is one that hardly anybody writes."""
    return Status.GRADED if kind in GRADED else Status.VALUE


def odd_ssn(r: Random) -> tuple[str, Piece]:
    """A word, and an SSN with odd separators."""
    kind, sep = r.choice([*DASHES.items(), *SPACES.items(), *OTHERS.items(), *WIDE.items(), ("full-width digits", "-")])
    n = identity.ssn_digits(r)
    if kind == "full-width digits":
        n = "".join(chr(ord(c) - ord("0") + 0xFF10) for c in n)
    return r.choice(("SSN: ", "social security number ", "ssn=")), Piece(
        sep.join((n[:3], n[3:5], n[5:])), "us.ssn", kind, status_of(kind)
    )


def odd_card(r: Random) -> tuple[str, Piece]:
    """A word, and a card with odd separators or groups."""
    kind, sep = r.choice([*DASHES.items(), *SPACES.items(), ("dot", "."), ("two spaces", "  "), ("spaced dash", " - ")])
    number = finance.card_digits(r, r.choice(finance.COMMON))
    if r.random() < 0.25:
        kind, cut = "other groups", r.randrange(5, 9)
        text = f"{number[:cut]} {number[cut:]}"
    else:
        text = finance.card_grouped(number, sep)
    return r.choice(("card number: ", "credit card ", "pan=", "Visa ")), Piece(
        text, "payment.card", kind, status_of(kind)
    )


def odd_iban(r: Random) -> tuple[str, Piece]:
    """A word, and an IBAN with odd separators or in small letters."""
    text = finance.iban_compact(r, r.choice(list(finance.IBANS)))
    kind, sep = r.choice(
        [("no-break space", "\u00a0"), ("dashed", "-"), ("lower", ""), ("in threes", " "), ("iban dotted", ".")]
    )
    if kind == "lower":
        text = text.lower()
    elif kind == "in threes":
        text = sep.join(text[at : at + 3] for at in range(0, len(text), 3))
    else:
        text = finance.in_fours(text, sep)
    return "IBAN: ", Piece(text, "bank.iban", kind, status_of(kind))


def odd_phone(r: Random) -> tuple[str, Piece]:
    """A word, and a telephone number with odd separators."""
    kind, sep = r.choice([*DASHES.items(), *SPACES.items(), ("spaced dash", " - "), ("dot", "."), ("two spaces", "  ")])
    return r.choice(("phone: ", "call ", "Tel ")), Piece(
        sep.join(nanp_parts(r)), "contact.phone", kind, status_of(kind)
    )


ODD: tuple[Callable[[Random], tuple[str, Piece]], ...] = (odd_ssn, odd_card, odd_iban, odd_phone)
#: Values glued to something; what is glued says what they are, or nothing can be mistaken.
GLUED = (
    "SSN«ssn»", "ssn:«ssn:plain»;", "(«ssn»)", "[SSN «ssn»]", "«ssn».", "'«ssn»'", "ssn=«ssn»&x=1", "SSN:«ssn»DOB:1970", "_ssn_«ssn»_",
    "«ssn»,«ssn»,«ssn»", "ssn\n\n«ssn:plain»", "SSN\t«ssn:plain»", "<b>SSN:</b> «ssn»", "social%20security=«ssn»", "ssn→«ssn»", "社会保障号«ssn»",
    "card=«card:plain»;exp", "card#«card:plain»", "CC:«card:spaced»EXP:0«n:1»/2«n:1»", "«card:plain»|«expiry»|«cvv»", "%B«card:visa16 plain»^DOE/JOHN^2«n:1»0«n:1»",
    ";«card:visa16 plain»=2«n:1»01101«n:10»?", "card:«card:amex plain».", "(«card:spaced»)", "**«card:dashed»**", "卡号«card:plain»",
    "IBAN«iban:compact»", "iban:«iban:compact»/BIC", "«iban:compact»,«iban:compact»", "/«iban:compact»", "(«iban:spaced»)", "IBAN «iban:spaced», BIC «bic»",
    "AWS_ACCESS_KEY_ID=«akid»;", "key«w:=|:»«akid»", "'«akid»'", "https://«akid»:x@host", "AccessKeyId%3D«akid»", "id:«akid»,secret:…", "«akid»\\n", "«akid»/20240612/us-east-1/s3/aws4_request", "AWSAccessKeyId=«akid»&Expires=17«n:8»&Signature=x",
    "AWS_SECRET_ACCESS_KEY=«awssecret»", "aws_secret_access_key:«awssecret»", 'secretAccessKey="«awssecret»"', "aws_secret_access_key => '«awssecret»'", "<SecretAccessKey>«awssecret»</SecretAccessKey>", "aws_secret_access_key\n«awssecret»", "AWS secret: `«awssecret»`", '"AWS_SECRET_ACCESS_KEY","«awssecret»"', "-e AWS_SECRET_ACCESS_KEY=«awssecret» img", "secret_access_key\t=\t«awssecret»", "AWSSecretKey=«awssecret»;Region=eu", "aws.secretKey = «awssecret»", '\\"aws_secret_access_key\\": \\"«awssecret»\\"',
    "token=«github»", "https://«github»@github.com/a/b", "«github»\\n", "GH_TOKEN:«github»,", "x-oauth-basic:«github»", "'«github»'", "`«github»`", "«github:fine»",
    "token=«slack»", "SLACK=«slack»;", '"«slack»"', "url?token=«slack»&pretty=1", "Bearer «slack»", "(«slack»)",
    "jwt=«jwt»;", "Bearer «jwt»", '"id_token":"«jwt»"', "#access_token=«jwt»&token_type=bearer", "«jwt»\n", "JWT:«jwt»", "(«jwt»)",
    "key: |\n  «pem»", '"«pem:escaped»\\n"', "«pem:crlf»", '"""«pem»"""', 'PRIVATE_KEY="«pem»"', "«pem:encrypted»", "        «pem:indented»\n", "echo '«pem»' > k.pem",
    "email:«email»,", "<«email»>", "mailto:«email»?subject=x", "«email»;«email»", "'«email»'", "user=«email»&x", "邮箱«email»", "«email:odd»", "(«email»).", "[«email»](mailto:«email»)",
    "tel:«phone:E.164»", "ph#«phone:dashed»", "(«phone:dashed»)", "«phone:dashed»/«phone:dashed»", "phone=«phone:plain»&", "T:«abroad»", "电话«abroad:CN»", "Call«phone:parens»now", "«phone:ext»", "«phone:+1 dotted»,«phone:1 parens»",
)  # fmt: skip
#: Words that promise a value, and a decoy follows: the rule it tempts must not believe the word alone.
PROMISES = {
    "us.ssn": ("SSN: ", "social security number ", "ssn=", ""),
    "payment.card": ("card number: ", "credit card ", "cc=", "", ""),
    "contact.phone": ("", "", "ref ", "value "),
    "bank.iban": ("IBAN: ", "iban=", ""),
    "aws.access_key_id": ("aws_access_key_id=", "", "key: "),
    "aws.secret_access_key": ("sha: ", "commit ", "digest=", "integrity: ", ""),
    "token.jwt": ("Bearer ", "jwt=", ""),
    "github.token": ("token=", ""),
    "slack.token": ("token=", "SLACK_TOKEN="),
    "crypto.private_key": ("", "key:\n"),
    "contact.email": ("", "from ", "email: "),
}
#: Decoys that are values with another word: promised as what they look like, people would believe them.
UNPROMISED = {
    "order number",
    "order of nine",
    "longer run with ssn",
    "amazon order",
    "date",
    "ean",
    "usps parcel",
    "parcel",
    "part number",
}


def one(r: Random, w: Writer) -> str:
    """A line with a value or a decoy; its kind."""
    chance = r.random()
    if chance < 0.15:
        word, piece = r.choice(ODD)(r)
        w.put(word).piece(piece)
        return f"odd {piece.rule}"
    if chance < 0.55:
        at = r.randrange(len(GLUED))
        w.fill(GLUED[at])
        return f"glued-{at}"
    piece = lookalikes.decoy(r)
    word = "" if piece.kind in UNPROMISED else r.choice(PROMISES.get(piece.rule, ("", "id=", "value: ")))
    w.put(word).piece(piece)
    return "decoy"


def text(r: Random) -> Labelled:
    """A few lines, each of its own; blank lines keep their words apart."""
    w, names = Writer(r, FIELDS), []
    for _ in range(r.randrange(1, 6)):
        names.append(one(r, w))
        w.put(r.choice(("\n\n", "\n\n-\n\n", "\n" + "=" * 40 + "\n")))
    return w.done("adversarial/" + "+".join(names))
