"""Secrets that people name: the value beside ``password``, ``api_key`` or in a URL, told from code and placeholders."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    Verdict = tuple[int, bool] | None

_QUOTES: Final = b"\"'`"
_LEAST_PASSWORD: Final = 6
_LEAST_KEY: Final = 16
_MOST_PASSWORD: Final = 100
# What stands where a secret would: templates, references, masks.
_NO_VALUE: Final = re.compile(
    rb"(?i)^(?:[$#%@&]?[({<\[]|\$[a-z_(]|%[a-z_]+%|__|<|&|\*|@|![A-Za-z]+$)|[*\xe2]{3}|x{4}|\.{3}|\$\{|\{\{|\{%|%\(|%s|#\{|<%"
    rb"|(?:^|[^a-z])(?:env|environ|getenv|getpass|vault|secrets?|config|settings|process|params?|args|self|this|kwargs"
    rb"|request|options?|data|var|local|props|credentials|context|ctx|module|input|user|cfg|conf|os|op)[.\[(:]"
)
_PLACEHOLDER: Final = re.compile(
    rb"(?i)example|placeholder|change[_\-.]?(?:me|it|this)|your|redacted|dummy|insert|replace|fixme|todo|foobar|sample"
    rb"|^(?:(?:my|the|some|any|an?|new|old|test|fake|user|db|admin|root|default|super|top|pass(?:word|wd|phrase|code)?"
    rb"|pwd|secret|token|key|credential|login|value|string|str|text|hash|salt|field|input|null|none|nil|true|false"
    rb"|undefined|required|optional|empty|unset|masked|hidden|secure|encrypted|file|bytes|int|bool|object|function|char"
    rb"|varchar|basic|bearer|prompt|api|access|client|here)s?[_\-. ]?){1,5}\d{0,4}[.!?]?$"
)
_CALL: Final = re.compile(rb"[A-Za-z_\]]\(|\)\.|=>|->|::|==|!=|\|\||\(\)|\\[dwsbx]|\[\^|\.\*")
_PATH: Final = re.compile(rb"^(?:~?\.{0,2}/|[A-Za-z]:\\|https?:|file:|arn:|s3:|ssm:|projects/)")
_NAMES: Final = re.compile(rb"^[A-Za-z_]+(?:[ _\-./:][A-Za-z_]+)*[.:,;?!]?$")
_COMMON: Final = frozenset(b"tiger pass 1234 12345 123456 port admin root test guest".split())
_BRACKETS: Final = re.compile(rb"[()\[\]{}\"'`;]")
_UUID: Final = re.compile(rb"(?i)^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
# Tokens that have a rule of their own; paths, URLs and hashes that carry their algorithm's name.
_OWN_RULE: Final = re.compile(
    rb"^(?:gh[pousr]_|github_pat_|gl[a-z]{2,5}-|xox[a-z]|xapp-|[srp]k_(?:live|test)_|AIza|ya29\.|GOCSPX|eyJ|A[KS]IA[A-Z2-7]"
    rb"|sk-|SG\.|npm_|pypi-|hf_|dop_v1|hvs\.|dp\.|shp|sq0|lin_api|NRAK|glsa_|PMAK|figd_|sha(?:1|256|384|512)[-:]|md5[-:]|http)"
    rb"|^.{3}[78]Q~|^[0-9A-Za-z+/]{86}==$"
)
_RUNS: Final = re.compile(rb"[A-Z]+|[a-z]+|[0-9]+")
_DIGITS: Final = re.compile(rb"[0-9]")
_LETTERS: Final = re.compile(rb"[A-Za-z]")
_TRAILING: Final = b",;)]}&|"
_AWS_NAME: Final = re.compile(rb"(?i)aws.{0,24}$", re.DOTALL)
# Tokens that page through results, or that every form carries.
_NO_SECRET_NAME: Final = re.compile(
    rb"(?i)(?:csrf|xsrf|next|page|paging|pagination|continuation|sync|cursor|cache|etag|nonce|public|publishable|sort"
    rb"|idempotency|primary|foreign|partition|row|lookup|translation|i18n|site|recaptcha)[a-z_\-]{0,12}(?:token|key)"
    rb"(?:[\"'][ ]value[ ]?=[ ]?|[\"'\]]{0,3}[ \t]{0,8}[:=>]{1,2}[ \t]{0,8})[\\\"'`]{0,3}$"
)
_RUN: Final = re.compile(rb"(.)\1{4}")
_URL_QUERY: Final = re.compile(rb"[?&][A-Za-z0-9_.\-]{0,60}=$")


def password(value: bytes, left: bytes, right: bytes) -> Verdict:
    """The part of the value that is a password, or None for a placeholder, a reference, code or a word.

    Examples:
        >>> password(b"hunter2!x,", b"password: ", b""), password(b"os.environ['X1']", b"password=", b"")
        ((9, False), None)
        >>> password(b"changeme1", b'"password": "', b'"'), password(b"password_field", b'password="', b'"')
        (None, None)
    """
    quote = left[-1:] if left[-1:] and left[-1:] in _QUOTES else b""
    if quote and right[:1] not in {quote, b"\\", b" "}:
        return None
    if quote and left[-2:-1] == b"\\":
        value = value.removesuffix(b"\\")
    if not quote:
        if _URL_QUERY.search(left):
            value = re.split(rb"[&#]", value, maxsplit=1)[0]
        value = value.rstrip(_TRAILING).rstrip(b".\\")
    if not _LEAST_PASSWORD <= len(value) <= _MOST_PASSWORD or is_placeholder(value) or _is_code(value):
        return None
    return (len(value), False) if _is_strong(value, is_quoted=bool(quote)) else None


def _is_code(value: bytes) -> bool:
    return bool(_CALL.search(value) or _PATH.match(value) or _OWN_RULE.match(value))


def _is_strong(value: bytes, *, is_quoted: bool) -> bool:
    """Letters and, beside them, digits or marks that are more than the glue of words."""
    if not _LETTERS.search(value):
        return False
    if not _DIGITS.search(value) and (value.isalpha() or _NAMES.match(value)):
        return False
    return is_quoted or not _BRACKETS.search(value)


def assigned_key(value: bytes, left: bytes, _right: bytes) -> Verdict:
    """A key or token as chance makes it: digits and letters well mixed; no name, path, UUID, version or placeholder.

    Examples:
        >>> assigned_key(b"4f9a1c7e20b83d65af10", b"api_key=", b"")
        (20, False)
        >>> assigned_key(b"my-secret-name-v1", b"secret: ", b"") is None
        True
    """
    value = value.rstrip(b".")
    if len(value) < _LEAST_KEY or is_placeholder(value) or _OWN_RULE.match(value) or _UUID.match(value):
        return None
    if (
        _NO_SECRET_NAME.search(left)
        or _PATH.match(value)
        or _AWS_NAME.search(left)
        or _RUN.search(value)
        or value.count(b"/") > len(value) // 12
    ):
        return None
    digits = len(_DIGITS.findall(value))
    runs = len(_RUNS.findall(value))
    if digits < 3 or not _LETTERS.search(value) or runs < max(6, len(value) // 4):  # noqa: PLR2004
        return None
    return (len(value), False) if len(set(value)) >= 10 else None  # noqa: PLR2004


def url_credentials(value: bytes, _left: bytes, _right: bytes) -> Verdict:
    """``scheme://user:password@host`` whose password is none of the usual placeholders.

    Examples:
        >>> url_credentials(b"postgres://app:s3cr3t-9Xq@db.example.com", b"", b"")
        (40, False)
        >>> url_credentials(b"postgres://user:password@localhost", b"", b"") is None
        True
    """
    userinfo, _, _host = value.partition(b"://")[2].rpartition(b"@")
    user, _, secret = userinfo.partition(b":")
    if len(secret) < 4 or secret == user or is_placeholder(secret) or _RUN.search(secret):  # noqa: PLR2004
        return None
    if secret.lower() in _COMMON:
        return None
    return len(value), False


def is_placeholder(value: bytes) -> bool:
    """True for what stands where a secret would: ``changeme``, ``<your-key>``, ``${VAR}``, ``xxxx``.

    Examples:
        >>> [is_placeholder(v) for v in (b"changeme", b"<your-key>", b"${VAR}", b"xxxx", b"s3cr3t-9Xq")]
        [True, True, True, True, False]
    """
    return bool(_NO_VALUE.search(value) or _PLACEHOLDER.search(value))


#: Name in a rule's field ``validator`` → function.
CHECKS: Final[dict[str, Callable[[bytes, bytes, bytes], Verdict]]] = {
    "assigned_key": assigned_key,
    "password": password,
    "url_credentials": url_credentials,
}
