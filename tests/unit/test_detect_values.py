"""What is a value and what only looks like one: each case is a text and the masked values found in it, in order."""

from __future__ import annotations

import pytest

from scanner_tasks.core.model import Location, Segment
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect import cards
from scanner_tasks.detect.engine import Detector
from scanner_tasks.rules import load_builtin

DETECTOR = Detector(load_builtin(), Fingerprinter(b"a key for the tests", "t"), 100, test_values=True)
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
HEX = "9e107d9d372bb6826bd81d3542a419d6"


def found(rule_id, text):
    detection = DETECTOR.begin()
    detection.feed(Segment(data=text.encode(), start=Location(line=1, column=1, offset=0), continues=False))
    return [o.masked for f in detection.finish() if f.rule_id == rule_id for o in f.occurrences]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("4111 1111 1111 1111", ["**** **** **** 1111"]),
        ("1234 4111 1111 1111 1111", ["**** **** **** 1111"]),
        ("4100 4111 1111 1111 1111", ["**** **** **** 1111"]),
        ("12345 4111111111111111 67890", ["************1111"]),
        ("1234567890123456 4111111111111111", ["************1111"]),
        ("4111111111111111,4242424242424242", ["************1111", "************4242"]),
        ("4111111111111111 4242424242424242", ["************1111", "************4242"]),
        ("4111 1111 1111 1111 4242 4242 4242 4242", ["**** **** **** 1111", "**** **** **** 4242"]),
        ("4111 1111 1111 1111\n4242 4242 4242 4242", ["**** **** **** 1111", "**** **** **** 4242"]),
        ("4111 1111 1111 1111 123", ["**** **** **** 1111"]),
        ("4111 1111 1111 1111 12/28 123", ["**** **** **** 1111"]),
        ("4111111111111111|12|28|123", ["************1111"]),
        ("4111\u00a01111\u00a01111\u00a01111", ["****\u00a0****\u00a0****\u00a01111"]),
        ("3782-822463-10005", ["****-******-*0005"]),
        ("6205500000000000004", ["***************0004"]),
        ("card=4111111111111111&x", ["************1111"]),
        ("card:4111111111111111", ["************1111"]),
        ("'4111111111111111'", ["************1111"]),
        ("card number 4111111111111111.", ["************1111"]),
        (r'{"t":"a\n4111111111111111\n"}', ["************1111"]),
        ("n=%224111111111111111%22", ["************1111"]),
        ("カード4111111111111111です", ["************1111"]),
        ("maestro 501800000009", ["********0009"]),
        ("501800000009", []),
        (f"{HEX[:8]}4111111111111111{HEX[:8]}", []),
        ("4111111111111111" * 2, []),
        ("41111111-1111-1111-1111-111111111111", []),
        ("1.4111111111111111e5", []),
        ("$4111111111111111", []),
        ("2024-05-01 12:30:45.411111 1714550000000", []),
        ("order_id: 4111111111111111", []),
        ("imei: 4111111111111111", []),
        ("4111 1111 11111111", []),
    ],
)
def test_cards(text, masked):
    assert found("payment.card", text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("536-22-8726", ["***-**-8726"]),
        ("536-22-8726,536-22-8727", ["***-**-8726", "***-**-8727"]),
        ("536-22-8726 536-22-8727", ["***-**-8726", "***-**-8727"]),
        ("1001,536-22-8726,7", ["***-**-8726"]),
        ("ssn=536-22-8726;", ["***-**-8726"]),
        ("SSN536-22-8726", ["***-**-8726"]),
        ("ssn_536-22-8726", ["***-**-8726"]),
        ("SSN-536-22-8726", ["***-**-8726"]),
        ("employee_ssn: 536228726", ["*****8726"]),
        ('{"ssn": "536228726", "routing_no": "121000358"}', ["*****8726"]),
        ("social security no. 536 22 8726", ["*** ** 8726"]),
        ("ssn: 123456789012", []),
        ("ssn: 0.536228726", []),
        ("the lesson: 536228726", []),
        ("2019-536-22-8726", []),
        ("+536-22-8726", []),
        ("case no. 536-22-8726", []),
        ("name,ssn,phone\n536-22-8726,x", ["***-**-8726"]),
        ("order,536-22-8726", ["***-**-8726"]),
        ("/orders/536-22-8726", []),
        ("$536-22-8726", []),
        ("899-22-8726", ["***-**-8726"]),
        ("111-11-1111", []),
        (f"ssn {HEX}", []),
    ],
)
def test_social_security_numbers(text, masked):
    assert found("us.ssn", text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("call (415)555-2671 now", ["(***)***-2671"]),
        ("((415) 555-2671)", ["(***) ***-2671"]),
        ("(415-555-2671)", ["***-***-2671"]),
        ("415-555-2671,415-555-2672", ["***-***-2671", "***-***-2672"]),
        ("+1 (415) 555-2671 ext. 12", ["+* (***) ***-**71 ***. 12"]),
        ("+14155552671", ["+*******2671"]),
        ("0044 7700 900123", ["**** **** **0123"]),
        ("00 12 34 56 78 90", []),
        ("voucher 4539 0044 1234 6838 void, phone", []),
        ("tel:+442079460958", ["+********0958"]),
        ("+33 1 23 45 67 89", ["+** * ** ** 67 89"]),
        ("mobile_number: 4155552671", ["******2671"]),
        ("phone: 14155552671", ["*******2671"]),
        ("4155552671", []),
        ("phone 1714550000", []),
        ("192.168.100.200:8080", []),
        ("415-155-2671", []),
        ("115-555-2671", []),
        ("911-555-2671", []),
        ("1415-555-26711", []),
        ("0.415.555.2671", []),
        ("415 555 2671 88 99", []),
        ("2024-05-01T12:00:00+02:00", []),
        ("@@ -1234,12 +1234,14 @@", []),
        ("Jane <j@example.com> 1714550000 +0200", []),
        ("sha512-+123456789abc", []),
        ("SKU 415-555-2671", []),
        ("+10000000000", []),
        ("BT +2728+08939 Asia/Thimphu", []),
        ("+14155552671x5", ["+********671*5"]),
        ("+1 4155552671", ["+* ******2671"]),
        ("(+44) 20 7946 0958", ["(+**) ** **** 0958"]),
        ("+1-415-555-2671x123", ["+*-***-***-***1*123"]),
    ],
)
def test_phones(text, masked):
    assert found("contact.phone", text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("jane@example.com", ["j***@example.com"]),
        ("mail:jane@example.com,joe@example.org", ["j***@example.com", "j**@example.org"]),
        ("see...jane@example.com...", ["j***@example.com"]),
        ("jane@example.com\njoe@example.org\n", ["j***@example.com", "j**@example.org"]),
        ("https://example.com,jane@example.com", ["j***@example.com"]),
        ("连接jane@example.com。", ["j***@example.com"]),
        ("_jane@example.com_", ["j***@example.com"]),
        (r"a\njane@example.com\n", ["j***@example.com"]),
        ("to=jane%40x jane@example.com%0Ajoe@example.com", ["j***@example.com", "j**@example.com"]),
        ("x" * 65 + "@example.com", []),
        ("x" * 64 + "@example.com", ["x" + "*" * 63 + "@example.com"]),
        ("icon@3x.webp", []),
        ("@types/node@20.1.0", []),
        ("https://user:pass@host.example.com/", []),
        ("ssh git@github.com:o/r.git", []),
        ("a@b.com@c.com", []),
        ("jane@example..com", []),
        ("package@1.2.3-rc.one", []),
    ],
)
def test_addresses(text, masked):
    assert found("contact.email", text) == masked


@pytest.mark.parametrize(
    "text",
    [
        f"AWS_SECRET_ACCESS_KEY={SECRET}",
        f'AWS_SECRET_ACCESS_KEY="{SECRET}"',
        f"export AWS_SECRET_ACCESS_KEY={SECRET};",
        f'{{"aws_secret_access_key": "{SECRET}"}}',
        f"aws_secret_access_key = {SECRET}\n",
        f"secretAccessKey: '{SECRET}',",
        f"AWSSecretKey: {SECRET}",
        f"AKIAIOSFODNN7EXAMPLE,{SECRET}",
        f"secret_key={SECRET}&region=us-east-1",
        "aws_secret={}".format(SECRET.replace("/", "\\/")),
        f"aws_secret%3D{SECRET}",
        f'"{{\\"secretAccessKey\\":\\"{SECRET}\\"}}"',
    ],
)
def test_secret_access_keys_are_found_in_every_notation(text):
    assert found("aws.secret_access_key", text)[0] in {"‹40 chars›", "‹42 chars›"}


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        f"secret={SECRET}a",
        f"secret={SECRET}=",
        f"secret=/{SECRET}",
        "secret=0123456789abcdef0123456789abcdef01234567",
        "secret=" + "A" * 20 + "b1" * 10,
        "integrity secret sha512-" + "Ab3+" * 22 + "==",
        "secretary " + "." * 100 + SECRET,
    ],
)
def test_what_is_no_secret_access_key(text):
    assert found("aws.secret_access_key", text) == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("AKIAIOSFODNN7EXAMPLE", 1),
        ("key_AKIAIOSFODNN7EXAMPLE_old", 1),
        ("AKIAIOSFODNN7EXAMPLE AKIAIOSFODNN7EXAMPLE", 2),
        (r"\tAKIAIOSFODNN7EXAMPLE\n", 1),
        ("AKIAIOSFODNN7EXAMPLEAKIAIOSFODNN7EXAMPLE", 0),
        ("BAKIAIOSFODNN7EXAMPL", 0),
        ("AKIAIOSFODNN7example", 0),
        ("AROAIOSFODNN7EXAMPLE", 0),
    ],
)
def test_access_key_ids(text, count):
    assert len(found("aws.access_key_id", text)) == count


@pytest.mark.parametrize(
    "number",
    [
        "4111111111111111",
        "4012888888881881",
        "4222222222222",
        "5555555555554444",
        "5105105105105100",
        "2223003122003222",
        "378282246310005",
        "371449635398431",
        "6011111111111117",
        "6011000990139424",
        "3530111333300000",
        "3566002020360505",
        "30569309025904",
        "38520000023237",
        "6200000000000005",
        "6759649826438453",
    ],
)
def test_published_test_cards_are_cards_and_their_neighbours_are_not(number):
    assert cards.card_prefix(number.encode()) == (len(number), len(number) != 13)
    for last in set("0123456789") - {number[-1]}:
        assert cards.card_prefix((number[:-1] + last).encode()) is None


def test_a_table_of_random_numbers_has_no_cards():
    row = "8812 9034 4111 1111 1111 1111 9021 7731\n"
    assert found("payment.card", row * 50) == []
