"""Connections as the settings ask for them, to a real Postgres behind TLS, with passwords on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scanner_tasks.aws.database_tokens import DatabaseTokens
from scanner_tasks.core.errors import Unavailable
from scanner_tasks.database import database_engine
from scanner_tasks.fakes import FakeSigner
from scanner_tasks.local.postgres import LocalPostgres
from scanner_tasks.settings import Settings
from scanner_tasks.store.engine import execute, make_engine, transaction

from .tls import TlsProxy

ROLE = "s3scan_app"


@dataclass
class Secured:
    server: LocalPostgres
    proxy: TlsProxy
    ca_file: str
    other_ca_file: str

    def url(self, host: str = "localhost") -> str:
        return f"postgresql+psycopg2://{ROLE}@{host}:{self.proxy.port}/postgres"

    def set_password(self, password: str) -> None:
        engine = make_engine(self.server.url(), pool_size=1)
        with engine.begin() as connection:
            execute(connection, f"alter role {ROLE} password '{password}'")
        engine.dispose()


def certificate(folder: Path, name: str, subject: str, *extra: str) -> Path:
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={subject}"]
    command += ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem"), *extra]
    subprocess.run(command, check=True, capture_output=True)
    return folder / f"{name}.pem"


@pytest.fixture(scope="module")
def secured(scratch: Path) -> Iterator[Secured]:
    """A server whose certificate names localhost alone, with a role that needs a password."""
    folder = scratch / "secured"
    server = LocalPostgres(folder)
    server.start()
    server.stop()
    (folder / "data" / "pg_hba.conf").write_text(
        f"host all {ROLE} 127.0.0.1/32 password\nhost all postgres 127.0.0.1/32 trust\n"
    )
    server.start()
    own = certificate(folder, "server", "localhost", "-addext", "subjectAltName=DNS:localhost")
    proxy = TlsProxy(own, own.with_suffix(".key"), server.port)
    other = certificate(folder, "other", "localhost", "-addext", "subjectAltName=DNS:localhost")
    engine = make_engine(server.url(), pool_size=1)
    with engine.begin() as connection:
        execute(connection, f"create role {ROLE} login")
    engine.dispose()
    yield Secured(server, proxy, str(own), str(other))
    proxy.stop()
    server.stop()


def test_server_is_believed_only_by_its_certificate_and_name(secured: Secured) -> None:
    secured.set_password("made-up")

    def who(host: str, ca_file: str) -> str:
        url = secured.url(host).replace(ROLE, f"{ROLE}:made-up")
        engine = database_engine(Settings(database_url=url, database_ca_file=ca_file), pool_size=1)
        try:
            with transaction(engine) as connection:
                return execute(connection, "select current_user").scalar_one()
        finally:
            engine.dispose()

    before = secured.proxy.sessions
    assert who("localhost", secured.ca_file) == ROLE
    assert secured.proxy.sessions == before + 1
    for host, ca_file in (("127.0.0.1", secured.ca_file), ("localhost", secured.other_ca_file)):
        with pytest.raises(Unavailable) as refused:
            who(host, ca_file)
        assert "made-up" not in str(refused.value)
    # To a server without TLS nothing is said.
    plain = f"postgresql+psycopg2://{ROLE}:made-up@localhost:{secured.server.port}/postgres"
    engine = database_engine(Settings(database_url=plain, database_ca_file=secured.ca_file), pool_size=1)
    with pytest.raises(Unavailable), transaction(engine):
        pass


def test_every_new_connection_signs_in_with_a_token_of_its_time(secured: Secured) -> None:
    now, sign = [0.0], FakeSigner()
    tokens = DatabaseTokens(sign, host="localhost", port=secured.proxy.port, user=ROLE, clock=lambda: now[0])
    engine = make_engine(secured.url(), pool_size=1, ca_file=secured.ca_file, password=tokens)

    def connect() -> int:
        with transaction(engine) as connection:
            return execute(connection, "select pg_backend_pid()").scalar_one()

    secured.set_password(tokens())
    first = connect()
    now[0] = 700.0
    assert connect() == first, "a connection lives on when its token has expired"
    # What the server takes now is a token of this time, as with RDS after 15 minutes.
    secured.set_password(tokens())
    engine.dispose()
    assert connect() != first
    assert len(sign.tokens) == 2
    # A token that the server does not take (any more) is no outage that heals by itself, but it is told as one.
    secured.set_password("another")
    engine.dispose()
    with pytest.raises(Unavailable):
        connect()


def test_pool_is_as_the_settings_say(database_url: str) -> None:
    ours = Settings(
        database_url=database_url,
        database_pool_size=3,
        database_pool_pre_ping=False,
        database_pool_recycle_s=7.0,
    )
    engine = database_engine(ours)
    pool = engine.pool
    assert (pool.size(), pool._pre_ping, pool._recycle) == (3, False, 7.0)
    assert database_engine(ours, pool_size=1).pool.size() == 1
