"""Secrets: checksums of tokens, contents of JWT and PEM, and passwords told from code and placeholders."""

from __future__ import annotations

import base64
import json
import random

import pytest

from scanner_tasks.core.model import Location, Segment
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect import passwords, tokens, wallets
from scanner_tasks.detect.engine import Detector
from scanner_tasks.detect.ruleset import Ruleset
from scanner_tasks.rules import load_builtin

RULES = {rule.id: rule for rule in load_builtin().rules}
CHANCE = random.Random(7)
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BODY = "".join(CHANCE.choice(BASE62) for _ in range(30))


def found(rule_id, text):
    detector = Detector(Ruleset((RULES[rule_id],)), Fingerprinter(b"a key for the tests", "t"), 100)
    detection = detector.begin()
    detection.feed(Segment(data=text.encode(), start=Location(line=1, column=1, offset=0), continues=False))
    return [o.masked for f in detection.finish() for o in f.occurrences]


@pytest.mark.parametrize(
    ("rule_id", "prefix"), [("github.token", p) for p in ("ghp_", "gho_", "ghs_")] + [("npm.token", "npm_")]
)
def test_a_token_whose_checksum_fits_stands_alone_and_one_that_does_not_needs_a_keyword(rule_id, prefix):
    good = prefix + BODY + tokens.crc32_base62(BODY.encode()).decode()
    wrong = good[:-1] + ("0" if good[-1] != "0" else "1")
    assert found(rule_id, f"see {good} there") == ["‹40 chars›"]
    assert found(rule_id, f"see {wrong} there") == []
    assert found(rule_id, f"token: {wrong}") == ["‹40 chars›"]


def part(content):
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("header", "payload", "count"),
    [
        ({"alg": "HS256"}, {"sub": "1234567"}, 1),
        ({"typ": "JWT", "alg": "none"}, {"sub": "1234567"}, 1),
        ({"typ": "JWT"}, {"sub": "1234567"}, 0),
        ({"alg": 7, "typ": "JWT"}, {"sub": "1234567"}, 0),
    ],
)
def test_a_jwt_names_its_algorithm(header, payload, count):
    assert len(found("token.jwt", f"Bearer {part(header)}.{part(payload)}.c2lnbmF0dXJl")) == count


def test_a_jwt_of_brackets_without_end_is_refused():
    deep = base64.urlsafe_b64encode(b'{"a":' * 300).decode()
    assert tokens.jwt(f"{part({'alg': 'x'})}.{deep}.c2ln".encode(), b"", b"") is None


def pem(kind, der, *, eol="\n", indent=""):
    text = base64.b64encode(der).decode()
    lines = [text[n : n + 64] for n in range(0, len(text), 64)]
    frame = f"{kind} PRIVATE KEY".strip()
    return eol.join(indent + line for line in [f"-----BEGIN {frame}-----", *lines, f"-----END {frame}-----"])


PKCS8 = b"\x30\x82\x04\xbd\x02\x01\x00\x30" + CHANCE.randbytes(1200)
RSA = b"\x30\x82\x09\x2a\x02\x01\x00\x02" + CHANCE.randbytes(2342)
EC = b"\x30\x77\x02\x01\x01\x04\x20" + CHANCE.randbytes(114)


@pytest.mark.parametrize(
    "text",
    [
        pem("", PKCS8),
        pem("RSA", RSA),
        pem("EC", EC),
        pem("OPENSSH", b"openssh-key-v1\0" + CHANCE.randbytes(380)),
        pem("ENCRYPTED", CHANCE.randbytes(1200)),
        pem("RSA", RSA, eol="\r\n"),
        pem("RSA", RSA, eol="\\n"),
        pem("RSA", RSA, indent=" " * 8),
        pem("RSA", RSA, eol='\\n" +\n    "'),
        pem("RSA", RSA).replace(
            "KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123456789ABCDEF\n\n", 1
        ),
        pem("RSA", RSA)[:900],
    ],
)
def test_a_private_key_is_one_finding_however_it_is_written(text):
    assert len(found("crypto.private_key", f"x {text}\ny")) == 1


def test_two_keys_in_a_row_are_two():
    assert len(found("crypto.private_key", pem("EC", EC) + "\n" + pem("RSA", RSA))) == 2


@pytest.mark.parametrize(
    "text",
    [
        pem("", b""),
        pem("", b"x" * 200),
        "-----BEGIN PRIVATE KEY-----\n" + "this is no key but a sentence of words " * 4 + "\n-----END PRIVATE KEY-----",
        pem("", PKCS8).replace("PRIVATE", "PUBLIC"),
        "if line == '-----BEGIN RSA PRIVATE KEY-----': start()",
    ],
)
def test_a_frame_without_a_key_is_none(text):
    assert found("crypto.private_key", text) == []


SECRETS = ["h8Kd02ksl3", "Tr4v3l-9xQ", "correct-horse-7", "pa$$w0rd!77", "S3cure!pass", "aB3$kk.x9", "zx9mm!qq"]
PATTERNS = [
    "password={}",
    "DB_PASSWORD={}",
    "export DB_PASSWORD='{}'",
    '{{"password": "{}"}}',
    "{{'passwd': '{}'}}",
    '{{\\"password\\":\\"{}\\"}}',
    "password: {}",
    "  password: '{}'",
    "<password>{}</password>",
    'password = "{}"',
    "dbPassword := `{}`",
    ":password => '{}'",
    "spring.datasource.password={}",
    "mysql -u root --password {}",
    "ENV PGPASSWORD={}",
    'const password: string = "{}";',
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_password_is_seen_in_every_notation(pattern):
    for secret in SECRETS:
        text = pattern.format(secret)
        assert found("generic.password", text) == [f"‹{len(secret)} chars›"], text


@pytest.mark.parametrize(
    "value",
    [
        "changeme",
        "<password>",
        "${PASSWORD}",
        "$PASSWORD",
        "{{ password }}",
        "%(password)s",
        "********",
        "xxxxxxxx",
        "password",
        "password123",
        "my_password",
        "your-password-1",
        "None",
        "null",
        "self.password",
        "os.environ['X1']",
        "get_pw(1)",
        "/run/secrets/pw1",
        "https://example.org/1",
        "string",
        "not-a-secret",
        "!vault",
    ],
)
def test_placeholders_references_and_words_are_no_passwords(value):
    assert passwords.password(value.encode(), b"password=", b"") is None
    assert found("generic.password", f"password={value}") == []
    assert found("generic.password", f'"password": "{value}"') == []


KEYS = ["4f9a1c7e20b83d65af10", "Zk3LmQ9xT2vB7nR4wY8s", "9dK2-mQ8z_Lx4Vn7Tb1Ws6Ry", "0f8fad5bd9cb469fa16570867728950e"]


@pytest.mark.parametrize("name", ["api_key", "API_SECRET", "accessToken", "client-secret", "SECRET_KEY", "x-api-key"])
@pytest.mark.parametrize("pattern", ["{}={}", "{}: {}", '"{}": "{}"', "{} = '{}'", "?{}={}&x=1", "<{}>{}</x>"])
def test_a_key_is_seen_under_every_name(name, pattern):
    for key in KEYS:
        text = pattern.format(name, key)
        assert found("generic.api_key", text) == [f"‹{len(key)} chars›"], text


@pytest.mark.parametrize(
    "value",
    [
        "my-secret-name-v1",
        "YOUR_API_KEY_HERE_123",
        "123e4567-e89b-12d3-a456-426614174000",
        "projects/1/secrets/abc12",
        "aaaaaaaaaaaaaaaaaaaa",
        "12345678901234567890",
        "customer_order_line_2",
        "sha256:0f8fad5bd9cb469fa16570867728950e",
    ],
)
def test_names_and_placeholders_are_no_keys(value):
    assert passwords.assigned_key(value.encode(), b"api_key=", b"") is None


@pytest.mark.parametrize("secret", ["password", "pass", "<password>", "${PW}", "****", "tiger", "xxxxx", "app"])
def test_a_url_with_a_placeholder_for_its_password_is_no_leak(secret):
    assert found("database.connection_string", f"postgres://app:{secret}@db.example.com/app") == []
    assert len(found("database.connection_string", "postgres://app:h8Kd02ksl3@db.example.com/app")) == 1


def test_keccak_is_that_of_ethereum():
    assert wallets.keccak256(b"abc").hex() == "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"


def test_an_address_in_one_case_needs_no_checksum():
    assert wallets.ethereum_address(b"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")
    assert not wallets.ethereum_address(b"0x" + b"0" * 40)
