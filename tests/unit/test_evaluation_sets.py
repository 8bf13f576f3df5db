"""The labelled sets say the truth: places, check digits, chance. The checks here share nothing with the makers."""

import base64
import binascii
import json
import re
from random import Random

import pytest

from benchmarks.detection import (
    code,
    documents,
    evaluate,
    fourth_files,
    fourth_texts,
    heldout_code,
    heldout_documents,
    heldout_logs,
    heldout_sentences,
    heldout_structured,
    logs,
    lookalikes,
    negatives,
    sentences,
    sets,
    structured,
    structured_more,
    third_files,
    third_texts,
)
from benchmarks.detection.labels import Labelled, Mark, Piece, Status, Writer
from benchmarks.detection.scoring import Score, add

COUNT = 60
EVERY = [(family, name) for family, makers in sets.FAMILIES.items() for name in makers]
#: Luhn's sum of a digit in an even place.
DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn_holds(number: str) -> bool:
    return sum(DOUBLED[int(c)] if at % 2 else int(c) for at, c in enumerate(reversed(number))) % 10 == 0


def iban_holds(text: str) -> bool:
    rest = 0
    for c in text[4:] + text[:4]:
        rest = (rest * (10 if c.isdigit() else 100) + int(c, 36)) % 97
    return rest == 1


def ssn_possible(number: str) -> bool:
    return re.fullmatch(r"(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}", number) is not None


def github_holds(token: str) -> bool:
    if not (match := re.fullmatch(r"gh[pousr]_(\w{30})(\w{6})", token)):
        return re.fullmatch(r"github_pat_\w{82}", token) is not None
    check = 0
    for c in match[2]:
        check = check * 62 + "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".index(c)
    return check == binascii.crc32(match[1].encode())


def jwt_holds(token: str) -> bool:
    head, body, signature = token.split(".")
    parts = [json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in (head, body)]
    return "alg" in parts[0] and isinstance(parts[1], dict) and len(signature) > 40


def pem_holds(text: str) -> bool:
    for glue in ('\\n" +\n    "', "\\n'.\n'", "\\n", "\n# "):
        text = text.replace(glue, "\n")
    if all(line.startswith("+") for line in text.splitlines()[1:]):
        text = text.replace("\n+", "\n")
    body = re.sub(r"-----[A-Z ]+-----|^\S+: .*$", "", text, flags=re.MULTILINE)
    der = base64.b64decode("".join(body.split()), validate=True)
    if der.startswith(b"openssh-key-v1\0"):
        return True
    size, at = der[1], 2
    if size & 0x80:
        at += size & 0x7F
        size = int.from_bytes(der[2:at], "big")
    return der[0] == 0x30 and len(der) == at + size


def digits_of(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


CHECKS = {
    "us.ssn": lambda text: ssn_possible(digits_of(text)),
    "payment.card": lambda text: luhn_holds(digits_of(text)),
    "bank.iban": lambda text: iban_holds("".join(c for c in text if c.isalnum()).upper()),
    "github.token": github_holds,
    "token.jwt": jwt_holds,
    "crypto.private_key": pem_holds,
    "aws.access_key_id": lambda text: re.fullmatch(r"A[KS]IA[A-Z0-9]{16}", text) is not None,
    "aws.secret_access_key": lambda text: re.fullmatch(r"[A-Za-z0-9/+]{40}", text) is not None,
    "bank.aba_routing": lambda text: sum(int(c) * w for c, w in zip(text, [3, 7, 1] * 3, strict=True)) % 10 == 0,
    "contact.email": lambda text: re.fullmatch(r"[^@\s]+@[\w-]+(\.[\w-]+)+", text) is not None,
    "contact.phone": lambda text: 7 <= len(digits_of(text)) <= 20,
}


@pytest.mark.parametrize(("family", "name"), EVERY)
def test_each_mark_stands_where_it_says(family: str, name: str):
    for labelled in sets.texts(sets.FAMILIES[family], name, 3, COUNT):
        end = 0
        for mark in labelled.marks:
            assert labelled.text[mark.start : mark.end] == mark.value
            assert mark.start >= end
            end = mark.end
            for start, other in mark.ways:
                assert mark.start <= start < other <= mark.end


@pytest.mark.parametrize(("family", "name"), EVERY)
def test_each_value_passes_the_check_of_its_issuer(family: str, name: str):
    for labelled in sets.texts(sets.FAMILIES[family], name, 4, COUNT):
        for mark in labelled.marks:
            if mark.status is Status.VALUE and mark.kind.startswith("base64"):
                raw = mark.value.translate(str.maketrans("-_", "+/")).rstrip("=")
                assert base64.b64decode(raw + "=" * (-len(raw) % 4), validate=True).decode()
            elif mark.status is Status.VALUE and mark.rule in CHECKS:
                assert CHECKS[mark.rule](mark.value), mark


@pytest.mark.parametrize(("family", "name"), EVERY)
def test_a_set_is_the_same_at_every_run(family: str, name: str):
    first, second = (list(sets.texts(sets.FAMILIES[family], name, 5, 20)) for _ in range(2))
    assert first == second
    assert first[:7] == list(sets.texts(sets.FAMILIES[family], name, 5, 7))
    assert first != list(sets.texts(sets.FAMILIES[family], name, 6, 20))


@pytest.mark.parametrize(("family", "name"), EVERY)
def test_no_field_is_left_in_a_text(family: str, name: str):
    assert not [t.text for t in sets.texts(sets.FAMILIES[family], name, 7, COUNT) if "«" in t.text]


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        ("card with wrong check digit", lambda text: luhn_holds(digits_of(text))),
        ("iban with wrong check digits", iban_holds),
        ("impossible ssn", lambda text: ssn_possible(digits_of(text))),
    ],
)
def test_a_decoy_fails_the_check_that_its_kind_names(kind, check):
    for seed in range(300):
        assert not check(lookalikes.decoy(Random(seed), kind).text)


def piece(text: str, status: Status = Status.VALUE, **more) -> Piece:
    return Piece(text, "us.ssn", "kind", status, **more)


def written(*pieces: Piece) -> Labelled:
    writer = Writer(Random(0), {})
    for one in pieces:
        writer.piece(one).put(" ")
    return writer.done("t")


def found(start: int, end: int, rule: str = "us.ssn") -> dict[str, object]:
    return {"rule": rule, "start": start, "end": end}


def scored(labelled: Labelled, *findings: dict[str, object]) -> Score:
    score = Score()
    add(score, labelled, list(findings))
    return score


def test_other_ends_are_no_hit_but_an_overlap():
    tally = scored(written(piece("12345")), found(0, 4)).rules["us.ssn"]
    assert (tally.exact, tally.overlapping, tally.off, tally.alarms) == (0, 1, 1, 0)


def test_another_span_that_is_as_right_is_a_hit():
    tally = scored(written(piece("12345", ways=((0, 3),))), found(0, 3)).rules["us.ssn"]
    assert (tally.exact, tally.off, tally.alarms) == (1, 0, 0)


def test_a_finding_on_a_decoy_is_an_alarm_of_its_kind():
    score = scored(written(piece("12345", Status.DECOY)), found(0, 5))
    assert score.alarms == {("us.ssn", "kind"): 1}
    assert score.rules["us.ssn"].precision == 0


def test_a_graded_place_is_neither_hit_nor_alarm():
    score = scored(written(piece("12345", Status.GRADED)), found(0, 5))
    assert score.rules == {}
    assert score.graded_found == {("us.ssn", "kind"): 1}


def test_a_second_finding_of_the_same_value_is_off():
    tally = scored(written(piece("12345")), found(0, 5), found(0, 4)).rules["us.ssn"]
    assert (tally.exact, tally.off) == (1, 1)


def test_a_finding_of_another_rule_on_a_value_is_an_alarm_that_names_it():
    score = scored(written(piece("12345")), found(0, 5, "contact.phone"))
    assert score.alarms == {("contact.phone", "is us.ssn"): 1}
    assert score.missed == {("us.ssn", "kind"): 1}


def test_marks_hide_their_value():
    assert "12345" not in repr(Mark("us.ssn", 0, 5, "kind", Status.VALUE, "12345"))


def test_exported_labels_stand_in_the_text_beside_them(tmp_path):
    file = tmp_path / "sets.jsonl"
    evaluate.main(["--export", str(file), "--set", "code", "--texts", "5", "--seed", "8"])
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    expected = list(sets.texts(sets.DEVELOPMENT, "code", 8, 5))
    assert [line["text"] for line in lines] == [labelled.text for labelled in expected]
    for line, labelled in zip(lines, expected, strict=True):
        assert [line["text"][m["start"] : m["end"]] for m in line["labels"]] == [m.value for m in labelled.marks]


def test_the_families_share_no_template():
    pairs = [
        ({text for _, text in sentences.TEMPLATES}, set(heldout_sentences.TEMPLATES)),
        (set(documents.DOCUMENTS.values()), set(heldout_documents.DOCUMENTS.values())),
        (
            {*structured.DOCUMENTS.values(), *structured_more.DOCUMENTS.values()},
            set(heldout_structured.DOCUMENTS.values()),
        ),
        (set(code.SNIPPETS.values()), set(heldout_code.SNIPPETS.values())),
        (set(logs.TEMPLATES), set(heldout_logs.TEMPLATES)),
    ]
    pairs += [
        (set(third_texts.SENTENCES), set(fourth_texts.SENTENCES)),
        (set(third_texts.DOCUMENTS), set(fourth_texts.DOCUMENTS)),
        (set(third_files.STRUCTURED), set(fourth_files.STRUCTURED)),
    ]
    for development, held_out in pairs:
        assert not development & held_out


def test_made_look_alikes_are_the_same_at_every_run():
    for make in (negatives.histories, negatives.locks, negatives.telemetry, negatives.numbers):
        assert next(make(1)) == next(make(1)) != next(make(2))
