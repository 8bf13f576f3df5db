"""The rights document: whom it means, and what is wrong with one."""

from __future__ import annotations

import json

import pytest

from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.rights_rules import read_rights

ADA = "arn:aws:sts::111122223333:assumed-role/security/ada"
ROLE = "arn:aws:iam::111122223333:role/security"
TOKEN = "s3scan_a-token-of-the-tests"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("[]", "rights"),
        ("{", "not JSON"),
        ({"grants": {}}, "rights.grants"),
        ({"grants": [], "admins": []}, "nothing else"),
        ({"grants": [{"principals": ["*"], "role": "root"}]}, r"grants\[0\].role"),
        ({"grants": [{"principals": [], "role": "admin"}]}, r"grants\[0\].principals"),
        ({"grants": [{"principals": ["ada"], "role": "admin"}]}, r"grants\[0\].principals"),
        ({"grants": [{"principals": ["*"], "role": "admin", "buckets": []}]}, r"grants\[0\].buckets"),
        ({"grants": [{"principals": ["*"], "role": "admin", "buckets": ["a/b"]}]}, r"grants\[0\].buckets"),
        ({"grants": [], "tokens": {"ci": TOKEN}}, "rights.tokens"),
    ],
)
def test_wrong_rights_document_says_what_is_wrong_and_quotes_no_token(document: object, words: str) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(InvalidInput, match=words) as error:
        read_rights(text)
    assert TOKEN not in str(error.value)


@pytest.mark.parametrize(
    ("principal", "caller", "is_meant"),
    [
        (ROLE, ADA, True),
        ("arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/security", ADA, True),
        ("arn:aws:iam::*:role/sec*", ADA, True),
        ("arn:aws:sts::111122223333:assumed-role/security/ada", ADA, True),
        ("arn:aws:sts::111122223333:assumed-role/security/*", ADA, True),
        ("arn:aws:iam::444455556666:role/security", ADA, False),
        ("arn:aws:iam::111122223333:role/ada", ADA, False),
        ("arn:aws:iam::111122223333:role/*ada", ADA, False),
        ("arn:aws:sts::111122223333:assumed-role/other/*", ADA, False),
        ("arn:aws:iam::111122223333:user/ada", "arn:aws:iam::111122223333:user/ada", True),
        ("arn:aws:iam::111122223333:user/*", "arn:aws:iam::111122223333:user/team/ada", False),
        ("token:ci-*", "token:ci-1", True),
        ("token:ci-*", "token:other", False),
        ("*", ADA, True),
    ],
)
def test_principal_means_whom_it_says(principal: str, caller: str, is_meant: bool) -> None:
    rights = read_rights(json.dumps({"grants": [{"principals": [principal], "role": "viewer"}]}))
    assert bool(rights.caller(caller).grants) is is_meant
