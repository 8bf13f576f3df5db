"""Tables: csv, tab, pipe, fixed width, Markdown; headers of many names, or none. Development family."""

# ruff: noqa: E501, PLR2004
from __future__ import annotations

from random import Random

from benchmarks.detection.fields import FIELDS
from benchmarks.detection.labels import Labelled, Maker, Piece, Status, Writer

#: Columns: field, and the names that such a column has in the wild.
COLUMNS: dict[str, tuple[str, ...]] = {
    "ssn": ("ssn", "SSN", "social_security_number", "SocialSecurityNumber", "ss_num", "soc_sec_no", "Social Security #", "emp_ssn", "SSN_TIN", "taxpayer_ssn"),
    "ssn:plain": ("ssn", "SSN", "social_security_number", "ssn9", "socialSecurityNo", "applicant ssn"),
    "card:plain": ("card_number", "cc", "CreditCard", "pan", "cardNo", "card", "credit_card_number", "CC Number", "payment_card", "acct_card"),
    "card:spaced": ("Card Number", "card", "credit card", "cc_num"),
    "card:faker": ("credit_card_number", "ccn", "cc_number", "creditcard"),
    "email": ("email", "e-mail", "Email Address", "mail", "contact_email", "user", "login", "EMAIL_ADDR"),
    "phone:dashed": ("phone", "Phone Number", "tel", "mobile", "cell_phone", "contact", "phone1"),
    "phone:plain": ("phone", "phone_number", "mobile_no", "telephone", "cell", "home_phone"),
    "phone:parens": ("Phone", "Work Phone", "fax"),
    "abroad": ("phone", "mobile", "Telefon", "tel", "contact_no", "msisdn"),
    "iban": ("iban", "IBAN", "account", "bank_account", "beneficiary_iban", "Konto", "acct_iban"),
    "ip": ("ip", "ip_address", "client_ip", "last_login_ip"),
    "aba": ("routing_number", "aba", "ABA Routing"),
    "akid": ("Access key ID", "aws_key", "access_key_id"),
    "awssecret": ("Secret access key", "aws_secret_access_key"),
    "dob:iso": ("dob", "date_of_birth", "birth_date"),
    "jwt": ("token", "session_jwt"),
    "itin": ("itin", "ITIN"),
    "ein": ("ein", "employer_ein", "FEIN"),
    "passport": ("passport_no", "passport_number"),
}  # fmt: skip
#: Without a header these still speak for themselves.
SELF_EVIDENT = {"email", "abroad", "iban", "jwt", "akid", "card:spaced", "ssn", "phone:dashed", "phone:parens"}
#: Columns that hold nothing: names, and the field.
NOTHING = (
    ("id", "n:5"), ("customer_id", "n:9"), ("order_id", "n:10"), ("name", "name"), ("first_name", "name:first"),
    ("city", "town"), ("created_at", "day"), ("updated", "decoy:date and time"), ("amount", "n:4"), ("balance", "decoy:decimal"),
    ("uuid", "uuid"), ("sha", "decoy:sha1"), ("order_no", "decoy:order number"), ("ts", "decoy:epoch milliseconds"),
    ("version", "decoy:version"), ("lat_lon", "decoy:coordinates"), ("account_no", "n:12"), ("tracking", "decoy:parcel"),
    ("invoice", "decoy:order of nine"), ("zip", "n:5"), ("sku", "pat:%%-####-###"), ("transaction_id", "n:16"),
    ("isbn13", "pat:978##########"), ("reading", "decoy:exponent"), ("upc", "n:12"), ("seq", "decoy:sequence"),
)  # fmt: skip


def cell(w: Writer, field: str, how: str, *, headed: bool) -> None:
    """One cell, quoted as the format does."""
    name, _, argument = field.partition(":")
    piece = w.make(name, argument)
    if piece.status is Status.VALUE and not headed and field not in SELF_EVIDENT:
        piece = Piece(piece.text, piece.rule, f"{piece.kind} no header", Status.GRADED, piece.ways)
    if how == ",":
        quote = '"' if "," in piece.text or '"' in piece.text else ""
        w.put(quote).piece(piece).put(quote)
    else:
        w.piece(piece)


def table(
    r: Random, columns: dict[str, tuple[str, ...]], nothing: tuple[tuple[str, str], ...], fields: dict[str, Maker]
) -> Labelled:
    """A table of these columns in any of the formats."""
    w = Writer(r, fields)
    how = r.choice((",", ",", ",", "\t", "|", ";", "quoted", "fixed", "markdown"))
    headed = r.random() < 0.8
    chosen: list[tuple[str, str]] = [(f, r.choice(columns[f])) for f in r.sample(list(columns), r.randrange(1, 5))]
    chosen += [(f, name) for name, f in r.sample(nothing, r.randrange(1, 6))]
    r.shuffle(chosen)
    rows = r.choice((1, 2, 3, 5, 8, 8, 12, 12, 20, 20, 40, 120))
    end = r.choice(("\n", "\n", "\r\n"))
    open_, glue, close = {
        "quoted": ('"', '","', '"'), "fixed": ("", "  ", ""), "markdown": ("| ", " | ", " |"),
    }.get(how, ("", how, ""))  # fmt: skip
    if r.random() < 0.15:
        w.put(r.choice(("\ufeff", "# exported by the nightly job" + end, "Report of the day" + end + end)))
    if headed:
        names = [n.ljust(24) if how == "fixed" else n for _, n in chosen]
        w.put(open_ + glue.join(names) + close + end)
        if how == "markdown":
            w.put("|" + "---|" * len(names) + end)
    for _ in range(rows):
        w.put(open_)
        for at, (field, _name) in enumerate(chosen):
            w.put(glue if at else "")
            before = len(w.done("").text)
            cell(w, field, how, headed=headed)
            if how == "fixed":
                w.put(" " * max(0, 24 - (len(w.done("").text) - before)))
        w.put(close + end)
    return w.done(f"tables/{'headed' if headed else 'bare'} {({chr(9): 'tab'}).get(how, how)}")


def text(r: Random) -> Labelled:
    """One table."""
    return table(r, COLUMNS, NOTHING, FIELDS)
