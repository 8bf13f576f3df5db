"""IAM tokens: the real signer and the fake make the same kind, and none is used when it is about to expire."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from scanner_tasks.aws.database_tokens import TOKEN_VALID_S, DatabaseTokens, Signer, rds_signer
from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.database import database_engine
from scanner_tasks.fakes import FakeSigner
from scanner_tasks.settings import Settings

ABOUT = {"host": "db.example.internal", "port": 5433, "user": "s3scan+app"}


@pytest.fixture(params=["rds", "fake"])
def sign(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Signer:
    if request.param == "fake":
        return FakeSigner()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "made-up")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up-too")
    return rds_signer("us-east-1")


def test_token_names_server_and_user_and_lives_fifteen_minutes(sign: Signer) -> None:
    token = urlsplit("https://" + sign(**ABOUT))
    assert (token.hostname, token.port, token.path) == (ABOUT["host"], ABOUT["port"], "/")
    query = parse_qs(token.query)
    assert (query["Action"], query["DBUser"]) == (["connect"], [ABOUT["user"]])
    assert query["X-Amz-Expires"] == [str(int(TOKEN_VALID_S))]
    assert len(query["X-Amz-Signature"][0]) == 64


def test_token_is_signed_anew_long_before_it_expires() -> None:
    now, sign = [1000.0], FakeSigner()
    tokens = DatabaseTokens(sign, **ABOUT, clock=lambda: now[0])
    first = tokens()
    for age_s in (1, 300, 599):
        now[0] = 1000.0 + age_s
        assert tokens() == first
    now[0] = 1600.0
    assert tokens() == sign.tokens[1] != first
    assert "X-Amz" not in repr(tokens)


def test_tokens_are_sent_only_to_a_server_whose_name_is_checked() -> None:
    with pytest.raises(InvalidInput, match="S3SCAN_DATABASE_CA_FILE"):
        database_engine(Settings(database_iam=True))
    database_engine(Settings(database_iam=True, database_ca_file="ca.pem")).dispose()
