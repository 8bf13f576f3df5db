"""Fourth family: tables as programs print them: pandas, psql, MySQL's client, LaTeX, spreadsheets, JSON lines."""

# ruff: noqa: E501, PLR2004
from __future__ import annotations

import json
from random import Random

from benchmarks.detection.fourth_fields import FIELDS
from benchmarks.detection.labels import Labelled, Piece, Status, Writer

COLUMNS: dict[str, tuple[str, ...]] = {
    "ssn": ("ssn", "SSN", "Social Security Number", "social_security_no"),
    "ssn:plain": ("ssn", "SSN", "socialSecurityNumber", "social_security", "ss_number"),
    "card": ("credit_card_number", "card_number", "CreditCardNumber", "cc_number", "Card No."),
    "card:visa16": ("card", "visa", "Card Number"),
    "card:grouped": ("Credit Card", "card"),
    "phone": ("phone_number", "phone", "Phone 1", "Telephone", "Contact Number", "work_phone"),
    "abroad": ("phone", "mobile", "Phone"),
    "iban": ("iban", "IBAN", "bank_account"),
    "iban:spaced": ("IBAN", "Konto (IBAN)"),
    "email": ("email", "Email", "mail", "username"),
    "akid": ("access_key_id", "Access key ID"),
    "awssecret": ("aws_secret_access_key", "Secret access key", "secret_access_key"),
    "ip": ("ip", "ipv4", "last_ip"),
    "dob:%Y-%m-%d": ("birthdate", "dob", "date_of_birth"),
    "github": ("token", "github_pat"),
    "aba": ("aba", "routing_number"),
}  # fmt: skip
NOTHING = (
    ("index", "n:5"), ("name", "name"), ("job", "job"), ("company", "firm"), ("city", "town"), ("zip", "zip"), ("created_at", "when"),
    ("uuid", "uuid"), ("order_id", "n:10"), ("amount", "amount"), ("sha1", "hex:40"), ("user_id", "n:9"), ("epoch_ms", "n:13"), ("tracking_no", "n:12"),
    ("lat", "pat:4#.######"), ("txn", "n:16"), ("plate", "plate"), ("username", "user"), ("ratio", "pat:0.################"), ("upc", "n:12"),
)  # fmt: skip
SELF_EVIDENT = {"ssn", "card:grouped", "abroad", "iban", "iban:spaced", "email", "akid", "ip", "github"}
FORMS = ("csv", "csv", "csv quoted", "tsv", "pandas", "psql", "mysql", "latex", "jsonl", "dict", "semicolon", "report")


def table(r: Random) -> Labelled:
    """One table of any of these forms."""
    w = Writer(r, FIELDS)
    how = r.choice(FORMS)
    headed = how in {"psql", "mysql", "pandas", "jsonl", "dict", "report"} or r.random() < 0.8
    chosen = [(field, r.choice(COLUMNS[field])) for field in r.sample(list(COLUMNS), r.randrange(1, 5))]
    chosen += [(field, name) for name, field in r.sample(NOTHING, r.randrange(1, 5))]
    r.shuffle(chosen)
    rows = [
        [w.make(*field.partition(":")[::2]) for field, _ in chosen] for _ in range(r.choice((1, 3, 5, 10, 10, 25, 60)))
    ]
    if not headed:
        rows = [[_graded(piece, field) for piece, (field, _) in zip(row, chosen, strict=True)] for row in rows]
    _write(w, how, [name for _, name in chosen] if headed else [], rows)
    return w.done(f"tables/{'headed' if headed else 'bare'} {how}")


def _graded(piece: Piece, field: str) -> Piece:
    if piece.status is Status.VALUE and field not in SELF_EVIDENT:
        return Piece(piece.text, piece.rule, f"{piece.kind} no header", Status.GRADED, piece.ways)
    return piece


def _write(w: Writer, how: str, names: list[str], rows: list[list[Piece]]) -> None:
    if how in {"jsonl", "dict"}:
        for row in rows:
            w.put("{")
            for at, (name, piece) in enumerate(zip(names, row, strict=True)):
                quote = '"' if how == "jsonl" else "'"
                key = json.dumps(name) if how == "jsonl" else repr(name)
                w.put(", " if at else "").put(f"{key}: {quote}").piece(piece).put(quote)
            w.put("}\n")
        return
    widths = [
        max(len(cells[at]) for cells in [*([names] if names else []), *([p.text for p in row] for row in rows)])
        for at in range(len(rows[0]))
    ]
    head = {"mysql": "+" + "+".join("-" * (width + 2) for width in widths) + "+\n"}.get(how, "")
    w.put(head)
    if names:
        _line(w, how, [Piece(name) for name in names], widths, -1)
        w.put(head)
        w.put("+".join("-" * (width + 2) for width in widths) + "\n" if how == "psql" else "")
    for number, row in enumerate(rows):
        _line(w, how, row, widths, number)
    w.put(head)
    w.put(f"({len(rows)} rows)\n" if how == "psql" else "")


def _line(w: Writer, how: str, row: list[Piece], widths: list[int], number: int) -> None:
    open_, glue, close = {
        "csv": ("", ",", "\n"), "csv quoted": ('"', '","', '"\r\n'), "tsv": ("", "\t", "\n"), "semicolon": ("", ";", "\n"),
        "latex": ("", " & ", " \\\\\n"), "psql": (" ", " | ", "\n"), "mysql": ("| ", " | ", " |\n"), "report": ("", "   ", "\n"),
        "pandas": (str(number).ljust(4) if number >= 0 else "    ", "  ", "\n"),
    }[how]  # fmt: skip
    w.put(open_)
    for at, (piece, width) in enumerate(zip(row, widths, strict=True)):
        w.put(glue if at else "")
        pad = " " * (width - len(piece.text)) if how in {"psql", "mysql", "report", "pandas"} else ""
        quote = '"' if how == "csv" and "," in piece.text else ""
        if how == "pandas":
            w.put(pad).piece(piece)
        else:
            w.put(quote).piece(piece).put(quote).put(pad)
    w.put(close)
