"""Third family: fields. Its author stands for somebody who tests data-loss prevention with what customers really hold.

Values follow the issuers' specifications as in the other families; notations, proportions, neighbours and decoys differ,
and some values stand inside base 64, where the whole run is the place that is expected.
"""

# ruff: noqa: E501, PLC3002, PLR2004, RUF001, SIM905
from __future__ import annotations

import base64
from collections.abc import Callable
from random import Random

from benchmarks.detection import contact, credentials, fields, finance, identity, lookalikes
from benchmarks.detection.chance import ALNUM, BASE64, HEX, LOWER, UPPER, chars, digits, luhn, patterned
from benchmarks.detection.labels import Maker, Piece, Status

NAMES = "Deborah Lindholm|Craig Mbeki|Yolanda Ruiz|Hamza Siddiqui|Agnieszka Wrona|Kenji Mori|Tuula Virtanen|Bram de Wit|Chiara Fontana|Otto Brandstätter|Nguyễn Thị Mai|Paweł Zając|Gwen Llewellyn|Isabela Prado|Ravi Subramaniam|Anouk Perrin".split("|")  # fmt: skip
HOSTS = "fastmail.com zoho.in bluewin.ch telia.com virgilio.it hotmail.co.jp hey.com laposte.net uol.com.br onet.pl students.mq.edu.au co.somerset.nj.us mail.house.gov acme-corp.travel thüringen.example sub.domain.with.many.parts.example.org 1and1.example x.co".replace("thüringen.example ", "").split()  # fmt: skip
ABROAD = (
    "+44 7911 ######", "+44-20-7### ####", "+44 (20) 7### ####", "+49 1## #######", "+49 (0) 40 / ## ## ## ##", "+49-89-######-0", "+33.1.##.##.##.##", "+33 (0)6-##-##-##-##",
    "+39 (0)2 #### ####", "+39-06-####.####", "+34 91 ### ## ##", "+31 (0)20 - ### ## ##", "+31-6-########", "+32 4## ## ## ##", "+41 (0)44 ### ## ##", "+43 (1) ### ## ##",
    "+46-8-### ## ##", "+47 ## ## ## ##", "+48 (22) ### ## ##", "+351 9## ### ###", "+353 (1) ### ####", "+358-9-### ####", "+420 ### ### ###", "+52 (55) #### ####",
    "+55 (11) 9 ####-####", "+61 (2) 9### ####", "+61 4## ### ###", "+64 9-### ####", "+65 #### ####", "+81 (3) ####-####", "+82-10-####-####", "+86-10-####-####",
    "+91 (22) #### ####", "+91-##### #####", "+971-50-###-####", "+972 (3) ###-####", "00 44 20 7### ####", "0049 (0)30 ########", "00353 1 ### ####", "011 44 20 7### ####",
)  # fmt: skip
FORMS = (
    *("({}) {}-{}", "{}-{}-{}", "{}.{}.{}", "+1 ({}) {}-{}", "+1-{}-{}-{}", "1-{}-{}-{}") * 3,
    "+1 {}.{}.{}", "+1 {} {}-{}", "({}) {}.{}", "({})-{}-{}", "{}–{}–{}", "1 ({}) {}-{}", "+1 ({})-{}-{}", "1.{}.{}.{}", "({}){}-{}",
)  # fmt: skip


def mail(r: Random, _: str = "") -> Piece:
    """An address of mail."""
    parts = [contact.ascii_of(part) for part in r.choice(NAMES).replace("ę", "e").split()]
    parts = [part for part in parts if part]
    local = r.choice(
        (
            "-".join(parts),
            ".".join(parts) + digits(r, 3),
            parts[0][0] + "." + parts[-1],
            f"{parts[0]}.{parts[-1]}+{chars(r, LOWER, 5)}",
            f"{parts[-1]}_{digits(r, 4)}",
            f"no.{digits(r, 2)}.reply",
            f"{digits(r, 2)}{parts[0]}",
        )
    )
    text = f"{local}@{r.choice(HOSTS)}"
    if r.random() < 0.08:
        text = text.title()
    return Piece(text, "contact.email", "plain", Status.VALUE)


def nanp(r: Random, how: str = "") -> Piece:
    """A number of North America; ``marked``: bare digits among the notations, since a word or a column names it."""
    parts = (*contact.nanp_parts(r)[:2], digits(r, 4))
    if how and r.random() < 0.2:
        return Piece("".join(parts), "contact.phone", "nanp bare", Status.VALUE)
    form = r.choice(FORMS)
    text, kind = form.format(*parts), "nanp " + form.replace("{}", "n")
    if r.random() < 0.1:
        tail = r.choice((" x####", " ext ###", ", ext. ###", " Ext: ###", " #####"[:1] + "x##", " (ext. ###)"))
        core = len(text)
        text += patterned(r, tail)
        return Piece(
            text, "contact.phone", kind + " ext", Status.VALUE, ((0, core), (0, len(text) - text.endswith(")")))
        )
    return Piece(text, "contact.phone", kind, Status.VALUE)


def world(r: Random, how: str = "") -> Piece:
    """A number with its country's code; of one country where a code is given."""
    form = r.choice([f for f in ABROAD if f.startswith(how)] or ABROAD)
    return Piece(patterned(r, form.replace("#", "^", 1)), "contact.phone", "abroad " + form[:4], Status.VALUE)


def home(r: Random, how: str = "") -> Piece:
    """A number as its country writes it, behind a word that names it."""
    return contact.home_phone(r, how)


def ssn(r: Random, how: str = "") -> Piece:
    """A Social Security number: dashed, or ``marked`` in any of the usual notations."""
    form = r.choice(("plain", "plain", "dashed", "dashed", "spaced")) if how == "marked" else how or "dashed"
    return identity.ssn(r, form)


def card(r: Random, how: str = "") -> Piece:
    """A card of the mix that payment processors see."""
    if how:
        return finance.card(r, how)
    network = r.choice(
        (
            "visa16",
            "visa16",
            "mastercard",
            "mastercard",
            "mastercard2",
            "amex",
            "amex",
            "discover",
            "unionpay",
            "diners",
            "jcb16",
        )
    )
    return finance.card(r, f"{network} {r.choice(('plain', 'plain', 'spaced', 'dashed'))}")


def encoded(r: Random, how: str) -> Piece:
    """Something in base 64 that holds a value; the run is its place. ``how``: a kind of ``ENCODED``."""
    rule, make = ENCODED[how or r.choice(list(ENCODED))]
    raw = make(r).encode()
    text = (base64.urlsafe_b64encode if r.random() < 0.2 else base64.b64encode)(raw).decode()
    if r.random() < 0.15:
        text = text.rstrip("=")
    return Piece(text, rule, "base64 " + (how or "any"), Status.VALUE)


#: Kind: the rule that the content holds a value of, and the content.
ENCODED: dict[str, tuple[str, Callable[[Random], str]]] = {
    "akid": ("aws.access_key_id", lambda r: credentials.access_key_id(r).text),
    "credentials": ("aws.access_key_id", lambda r: f"[default]\naws_access_key_id = {credentials.access_key_id(r).text}\nregion = eu-west-1\n"),
    "secret": ("aws.secret_access_key", lambda r: f"AWS_SECRET_ACCESS_KEY={credentials.secret_access_key(r).text}\n"),
    "github": ("github.token", lambda r: f"token: {credentials.github_token(r).text}\n"),
    "slack": ("slack.token", lambda r: credentials.slack_token(r).text),
    "jwt": ("token.jwt", lambda r: f"Bearer {credentials.jwt(r).text}"),
    "db": ("database.connection_string", lambda r: credentials.connection(r).text),
    "ssn": ("us.ssn", lambda r: f'{{"name":"{r.choice(NAMES)}","ssn":"{identity.ssn(r).text}"}}'),
    "card": ("payment.card", lambda r: f'{{"pan":"{finance.card(r, "plain").text}","exp":"12/29"}}'),
    "iban": ("bank.iban", lambda r: f"<iban>{finance.iban(r, 'compact').text}</iban>"),
    "email": ("contact.email", lambda r: f"user={mail(r).text}&plan=pro"),
}  # fmt: skip


def blob(r: Random, how: str = "") -> Piece:
    """A filler: base 64 of chance, or of harmless text."""
    if r.random() < 0.5:
        return Piece(base64.b64encode(r.randbytes(int(how or 48))).decode())
    return Piece(
        base64.b64encode(f"level=info msg=started pid={digits(r, 4)} workers={digits(r, 2)}".encode()).decode()
    )


#: Kinds of decoys that neither of the other families has: the rule tempted, and the maker.
DECOYS: dict[str, tuple[str, Callable[[Random], str]]] = {
    "lab sample": ("us.ssn", lambda r: f"specimen {patterned(r, '###-##-####')}-{patterned(r, '%')}"),
    "gs1 serial": ("payment.card", lambda r: f"(00)0{digits(r, 17)}"),
    "ticket of airline": ("payment.card", lambda r: f"e-ticket 220-{digits(r, 10)}"),
    "container": ("us.ssn", lambda r: f"{chars(r, UPPER, 3)}U {digits(r, 6)}-{digits(r, 1)}"),
    "doi": ("contact.phone", lambda r: f"doi:10.{digits(r, 4)}/{digits(r, 3)}-{digits(r, 3)}-{digits(r, 4)}"),
    "cas number": ("us.ssn", lambda r: f"CAS {r.randrange(50, 9999)}-{digits(r, 2)}-{digits(r, 1)}"),
    "arxiv": ("contact.phone", lambda r: f"arXiv:{r.randrange(10, 25)}{r.randrange(1, 13):02}.{digits(r, 5)}v2"),
    "ndc": ("contact.phone", lambda r: f"NDC {digits(r, 5)}-{digits(r, 4)}-{digits(r, 2)}"),
    "time range": ("contact.phone", lambda r: f"{r.randrange(10, 23)}:{r.randrange(10, 59)}-{r.randrange(10, 23)}:{r.randrange(10, 59)} 2025"),
    "score": ("us.ssn", lambda r: f"{r.randrange(10, 99)}-{r.randrange(10, 99)}, {r.randrange(10, 99)}-{r.randrange(10, 99)}"),
    "money": ("contact.phone", lambda r: f"$ {digits(r, 3)},{digits(r, 3)},{digits(r, 3)}.{digits(r, 2)}"),
    "thin money": ("contact.phone", lambda r: f"{r.randrange(1, 9)} {digits(r, 3)} {digits(r, 3)} {digits(r, 3)} kr"),
    "trace of w3c": ("payment.card", lambda r: f"00-{chars(r, HEX, 32)}-{chars(r, HEX, 16)}-01"),
    "ulid": ("", lambda r: "01" + chars(r, "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24)),
    "git blame": ("aws.secret_access_key", lambda r: f"{chars(r, HEX, 40)} {r.randrange(1, 400)} {r.randrange(1, 400)} 3"),
    "nix hash": ("aws.secret_access_key", lambda r: f"/nix/store/{chars(r, '0123456789abcdfghijklmnpqrsvwxyz', 32)}-openssl-3.0.{digits(r, 1)}"),
    "go sum": ("aws.secret_access_key", lambda r: f"h1:{base64.b64encode(r.randbytes(32)).decode()}"),
    "sri": ("aws.secret_access_key", lambda r: f"sha256-{base64.b64encode(r.randbytes(32)).decode()}"),
    "ssh fingerprint": ("aws.secret_access_key", lambda r: f"SHA256:{chars(r, BASE64, 43)}"),
    "asn": ("contact.phone", lambda r: f"AS{digits(r, 5)} {digits(r, 3)}.{digits(r, 3)}.0.0/16"),
    "oid": ("contact.phone", lambda r: f"1.3.6.1.4.1.{digits(r, 5)}.{digits(r, 3)}.{digits(r, 3)}.{digits(r, 4)}"),
    "part with card length": ("payment.card", lambda r: f"S/N 5{digits(r, 15)}{chars(r, UPPER, 1)}"),
    "esim": ("payment.card", lambda r: f"EID {digits(r, 32)}"),
    "invoice of fifteen": ("payment.card", lambda r: f"invoice 37{digits(r, 13)}"),
    "credit line": ("payment.card", lambda r: f"credit limit {r.randrange(4, 9)}{digits(r, 3)} {digits(r, 4)}"),
    "handle": ("contact.email", lambda r: f"@{chars(r, LOWER, 5)}@{chars(r, LOWER, 6)}.social"),
    "scp": ("contact.email", lambda r: f"rsync -a root@10.{digits(r, 1)}.{digits(r, 1)}.{digits(r, 1)}:/srv/ ."),
    "decorator": ("contact.email", lambda r: f"@{chars(r, LOWER, 6)}.route('/x')"),
    "npm scope": ("contact.email", lambda r: f"node_modules/@{chars(r, LOWER, 4)}/{chars(r, LOWER, 6)}@^{digits(r, 1)}.0.0"),
    "imei pair": ("payment.card", lambda r: f"IMEI1 {(lambda b: b + luhn(b))('86' + digits(r, 12))}"),
    "masked card": ("payment.card", lambda r: f"card {r.choice(('4', '5'))}{digits(r, 5)}******{digits(r, 4)}"),
    "masked ssn": ("us.ssn", lambda r: f"SSN {r.choice(('***-**-', 'XXX-XX-', 'xxx-xx-'))}{digits(r, 4)}"),
    "key reference": ("aws.secret_access_key", lambda r: f"aws_secret_access_key = var.{chars(r, LOWER, 8)}_secret_key"),
    "key arn": ("aws.secret_access_key", lambda r: f"arn:aws:secretsmanager:eu-west-1:{digits(r, 12)}:secret:{chars(r, LOWER, 8)}-{chars(r, ALNUM, 6)}"),
}  # fmt: skip


def decoy(r: Random, how: str = "") -> Piece:
    """A decoy of this family, sometimes one of the first."""
    if how in lookalikes.KINDS or (not how and r.random() < 0.25):
        return lookalikes.decoy(r, how)
    kind = how or r.choice(list(DECOYS))
    rule, make = DECOYS[kind]
    return Piece(make(r), rule, kind, Status.DECOY)


FIELDS: dict[str, Maker] = fields.FIELDS | {
    "decoy": decoy, "ssn": ssn, "card": card, "email": mail, "phone": nanp, "abroad": world, "home": home,
    "akid": lambda r, _: credentials.access_key_id(r, r.choice(("any", "base 32", "base 32"))),
    "b64": encoded, "blob": blob, "name": fields.among(NAMES),
    "firm": fields.among("Harbour Dental|Rechenwerk GmbH|Tallgrass Credit Union|Studio Mirò|Ostsee Reederei|Blue Mesa Clinic".split("|")),
    "product": fields.among("a drill|the premium tier|tyres|physiotherapy|a gift box|hosting".split("|")),
    "town": fields.among("Duluth Kiel Rennes Gijón Haarlem Bergen Dundee Sapporo Natal Nashik".split()),
}  # fmt: skip
