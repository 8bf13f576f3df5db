"""Keys, tokens and passwords in the forms that their vendors publish. All are made up; none opens anything."""

# ruff: noqa: PLR2004
from __future__ import annotations

import base64
import json
import zlib
from random import Random

from benchmarks.detection.chance import ALNUM, BASE64, DIGITS, HEX, LOWER, UPPER, URLSAFE, chars, digits
from benchmarks.detection.labels import Piece, Status

BASE32 = UPPER + "234567"
BASE62 = DIGITS + UPPER + ALNUM[:26]
WORDS = "Autumn Falcon Winter Dragon Purple Tiger Sunny Rocket Monkey Coffee River Thunder Silver Hockey Berlin".split()  # noqa: SIM905


def value(text: str, rule: str, kind: str = "plain") -> Piece:
    """An expected piece."""
    return Piece(text, rule, kind, Status.VALUE)


def access_key_id(r: Random, how: str = "") -> Piece:
    """AKIA or ASIA and 16 of base 32; data sets that replace characters use all capitals and digits (``any``)."""
    kind = how or ("any" if r.random() < 0.15 else "base 32")
    prefix = r.choice(("AKIA", "AKIA", "AKIA", "ASIA"))
    return value(
        prefix + chars(r, UPPER + DIGITS if kind == "any" else BASE32, 16), "aws.access_key_id", f"{prefix} {kind}"
    )


def secret_access_key(r: Random, how: str = "") -> Piece:
    """Forty of base 64, all kinds of characters among them; ``url`` has none that a URL would escape."""
    while True:
        text = chars(r, ALNUM if how == "url" else BASE64, 40)
        if any(c.isdigit() for c in text) and any(c.isupper() for c in text) and any(c.islower() for c in text):
            return value(text, "aws.secret_access_key", "with / or +" if set(text) & set("/+") else "alphanumeric")


def session_token(r: Random, _: str = "") -> Piece:
    """A token of STS: base 64 with the prefixes that are seen."""
    body = r.choice(("IQoJb3JpZ2luX2Vj", "FwoGZXIvYXdzE", "FQoGZXIvYXdzE")) + chars(
        r, BASE64, r.choice((340, 500, 700))
    )
    return value(body + "=" * (-len(body) % 4 % 3), "aws.session_token", body[:4])


def segment(content: object) -> str:
    """A part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).decode().rstrip("=")


def jwt(r: Random, how: str = "") -> Piece:
    """A signed token of RFC 7519; ``unsigned`` is alg none with an empty signature (graded)."""
    alg = "none" if how == "unsigned" else r.choice(("HS256", "HS512", "RS256", "ES256", "PS384", "EdDSA"))
    head: dict[str, str] = {"alg": alg}
    if r.random() < 0.8:
        head = r.choice(
            ({"alg": alg, "typ": "JWT"}, {"typ": "JWT", "alg": alg}, {"kid": chars(r, HEX, 16), "alg": alg})
        )
    body: dict[str, object] = {"sub": digits(r, 10), "iat": r.randrange(15 * 10**8, 19 * 10**8)}
    if r.random() < 0.6:
        body = {"iss": "https://id.example.com/", **body, "scope": "read write", "name": chars(r, LOWER, 8)}
    if alg == "none":
        return Piece(f"{segment(head)}.{segment(body)}.", "token.jwt", "unsigned", Status.GRADED)
    size = {"HS256": 43, "HS512": 86, "RS256": 342, "ES256": 86, "PS384": 342, "EdDSA": 86}[alg]
    return value(f"{segment(head)}.{segment(body)}.{chars(r, URLSAFE, size)}", "token.jwt", alg)


def github_check(body: str) -> str:
    """Six characters of base 62: CRC-32 of the thirty before."""
    check, text = zlib.crc32(body.encode()), ""
    for _ in range(6):
        check, rest = divmod(check, 62)
        text = BASE62[rest] + text
    return text


def github_token(r: Random, how: str = "") -> Piece:
    """A token with its check digits; ``random`` has none, as data sets that replace characters (graded)."""
    prefix = r.choice(("ghp_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"))
    body = chars(r, ALNUM, 30)
    if how == "random":
        return Piece(prefix + chars(r, ALNUM, 36), "github.token", "check digits wrong", Status.GRADED)
    if how == "fine":
        return value(f"github_pat_{chars(r, ALNUM, 22)}_{chars(r, ALNUM, 59)}", "github.token", "fine-grained")
    return value(prefix + body + github_check(body), "github.token", prefix)


def slack_token(r: Random, how: str = "") -> Piece:
    """Bot, user, app and configuration tokens."""
    forms = {
        "xoxb": f"xoxb-{digits(r, r.choice((11, 12, 13)))}-{digits(r, r.choice((12, 13)))}-{chars(r, ALNUM, 24)}",
        "xoxp": f"xoxp-{digits(r, 12)}-{digits(r, 12)}-{digits(r, 13)}-{chars(r, HEX, 32)}",
        "xoxp old": f"xoxp-{digits(r, 11)}-{digits(r, 11)}-{digits(r, 12)}-{chars(r, HEX, 32)}",
        "xapp": f"xapp-1-A{chars(r, UPPER + DIGITS, 10)}-{digits(r, 13)}-{chars(r, HEX, 64)}",
        "xoxe": f"xoxe-1-{chars(r, ALNUM, 146)}",
        "xoxe.xoxp": f"xoxe.xoxp-1-{chars(r, ALNUM, 163)}",
        "xoxb old": f"xoxb-{digits(r, 12)}-{chars(r, ALNUM, 24)}",
    }
    kind = how or r.choice(["xoxb", "xoxb", *forms])
    return value(forms[kind], "slack.token", kind)


def slack_webhook(r: Random, _: str = "") -> Piece:
    """An incoming webhook."""
    ids = f"T{chars(r, UPPER + DIGITS, 10)}/B{chars(r, UPPER + DIGITS, 10)}/{chars(r, ALNUM, 24)}"
    return value(f"https://hooks.slack.com/services/{ids}", "slack.webhook")


def simple(r: Random, how: str) -> Piece:
    """Tokens that a prefix tells; ``how`` is the rule."""
    forms = {
        "gitlab.token": "glpat-" + chars(r, URLSAFE[:62], 20),
        "stripe.key": r.choice(("sk_live_", "rk_live_")) + chars(r, ALNUM, r.choice((24, 99))),
        "google.api_key": "AIza" + "Sy" + chars(r, URLSAFE, 32) + chars(r, ALNUM, 1),
        "npm.token": npm(r),
        "pypi.token": "pypi-AgEIcHlwaS5vcmc" + chars(r, URLSAFE, 156) + "A",
        "sendgrid.key": f"SG.{chars(r, URLSAFE[:62], 22)}.{chars(r, URLSAFE[:62], 43)}",
        "openai.key": f"sk-proj-{chars(r, ALNUM, 74)}T3BlbkFJ{chars(r, ALNUM, 74)}"
        if r.random() < 0.6
        else f"sk-{chars(r, ALNUM, 20)}T3BlbkFJ{chars(r, ALNUM, 20)}",
        "anthropic.key": f"sk-ant-api03-{chars(r, ALNUM, 93)}AA",
        "huggingface.token": "hf_" + chars(r, ALNUM[:52], 34),
        "twilio.key": "SK" + chars(r, HEX, 32),
        "azure.storage_key": chars(r, BASE64, 86) + "==",
        "azure.client_secret": chars(r, ALNUM, 3) + "8Q~" + chars(r, ALNUM, 34),
    }
    return value(forms[how], how, "prefix")


def npm(r: Random) -> str:
    """Npm's tokens end in check digits as GitHub's do."""
    body = chars(r, ALNUM, 30)
    return f"npm_{body}{github_check(body)}"


def password(r: Random, how: str = "") -> Piece:
    """A password as people and as programs make them; ``plain`` has no character that needs quotes."""
    kind = r.choice(("words", "random", "leet"))
    tail = r.choice(("!", "#", "@", "$")) if how != "plain" else ""
    text = {
        "words": f"{r.choice(WORDS)}{r.choice(WORDS)}{r.randrange(10, 9999)}{tail}",
        "random": chars(r, ALNUM + ("" if how == "plain" else "!@#%^*-_"), r.choice((12, 16, 20, 24))),
        "leet": f"{r.choice(WORDS).replace('o', '0').replace('e', '3')}{chars(r, LOWER, 3)}{digits(r, 2)}{tail or 'Z'}",
    }[kind]
    return value(text, "generic.password", kind)


def api_key(r: Random, how: str = "") -> Piece:
    """A key of some vendor: hexadecimal or letters and digits."""
    kind = how or r.choice(("hex", "alnum", "dashed"))
    text = {
        "hex": chars(r, HEX, 32),
        "alnum": chars(r, ALNUM, r.choice((32, 40))),
        "dashed": "-".join(chars(r, ALNUM, 12) for _ in range(3)),
    }[kind]
    return value(text, "generic.api_key", kind)


def connection(r: Random, _: str = "") -> Piece:
    """A connection string with a password in it."""
    user, secret, host = r.choice(("app", "svc_orders", "admin")), chars(r, ALNUM, 14), f"db{r.randrange(9)}.internal"
    scheme, port = r.choice(
        (("postgres", 5432), ("postgresql", 5432), ("mysql", 3306), ("mongodb+srv", 0), ("redis", 6379), ("amqp", 5672))
    )
    text = f"{scheme}://{user}:{secret}@{host}{f':{port}' if port else ''}/prod"
    return Piece(text, "database.connection_string", scheme, Status.VALUE, loose=True)
