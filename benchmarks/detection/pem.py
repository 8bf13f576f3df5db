"""Private keys that parse: DER by hand, with numbers that are no primes and open nothing."""

from __future__ import annotations

import base64
from random import Random

from benchmarks.detection.labels import Piece, Status

RSA_OID = bytes.fromhex("06092a864886f70d0101010500")  # rsaEncryption, NULL
P256_OID = bytes.fromhex("06082a8648ce3d030107")
EC_OID = bytes.fromhex("06072a8648ce3d0201")
PBES2 = bytes.fromhex("06092a864886f70d01050d")
ED25519 = bytes.fromhex("06032b6570")


def tlv(tag: int, body: bytes) -> bytes:
    """DER: a tag, the length, the body."""
    size = len(body)
    if size < 0x80:  # noqa: PLR2004
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def integer(value: int) -> bytes:
    """DER INTEGER."""
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def rsa(r: Random, bits: int) -> bytes:
    """RSAPrivateKey of PKCS #1."""
    n, d = (r.getrandbits(bits) | 1 << (bits - 1) | 1 for _ in range(2))
    rest = [r.getrandbits(bits // 2) | 1 << (bits // 2 - 1) | 1 for _ in range(5)]
    return tlv(0x30, b"".join(map(integer, [0, n, 65537, d, *rest])))


def ec(r: Random) -> bytes:
    """ECPrivateKey of RFC 5915 on P-256."""
    public = tlv(0xA1, tlv(3, b"\0\4" + r.randbytes(64)))
    return tlv(0x30, integer(1) + tlv(4, r.randbytes(32)) + tlv(0xA0, P256_OID) + public)


def openssh(r: Random) -> bytes:
    """An unencrypted Ed25519 key in OpenSSH's own format."""

    def text(body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + body

    public, check = r.randbytes(32), r.randbytes(4)
    inner = check + check + text(b"ssh-ed25519") + text(public) + text(r.randbytes(32) + public) + text(b"me@host")
    inner += bytes(range(1, 1 + -len(inner) % 8))
    outer = text(text(b"ssh-ed25519") + text(public)) + text(inner)
    return b"openssh-key-v1\0" + text(b"none") + text(b"none") + text(b"") + (1).to_bytes(4, "big") + outer


def body_of(r: Random, kind: str) -> tuple[str, bytes]:  # noqa: PLR0911
    """The label between BEGIN and PRIVATE KEY, and the DER."""
    if kind == "rsa":
        return "RSA ", rsa(r, r.choice((1024, 2048)))
    if kind == "ec":
        return "EC ", ec(r)
    if kind == "openssh":
        return "OPENSSH ", openssh(r)
    if kind == "dsa":
        return "DSA ", tlv(0x30, b"".join(integer(r.getrandbits(bits) | 1) for bits in (1, 1024, 160, 1024, 1024, 160)))
    if kind == "ed25519":
        return "", tlv(0x30, integer(0) + tlv(0x30, ED25519) + tlv(4, tlv(4, r.randbytes(32))))
    if kind == "pkcs8 ec":
        return "", tlv(0x30, integer(0) + tlv(0x30, EC_OID + P256_OID) + tlv(4, ec(r)))
    return "", tlv(0x30, integer(0) + tlv(0x30, RSA_OID) + tlv(4, rsa(r, 2048)))


KINDS = ("rsa", "rsa", "ec", "dsa", "openssh", "ed25519", "pkcs8 ec", "pkcs8 rsa")


def lines_of(r: Random, kind: str, width: int = 64) -> list[str]:
    """The key's lines, from BEGIN to END."""
    return armour(*body_of(r, kind), width)


#: What stands between a key's lines.
GLUE = {
    "escaped": "\\n",
    "indented": "\n        ", "crlf": "\r\n", "one line": " ", "quoted": '\\n" +\n    "', "diff": "\n+",
    "commented": "\n# ", "php": "\\n'.\n'",
}  # fmt: skip


def armour(label: str, der: bytes, width: int = 64) -> list[str]:
    """DER in base 64 between BEGIN and END."""
    body = base64.b64encode(der).decode()
    inner = [body[at : at + width] for at in range(0, len(body), width)]
    return [f"-----BEGIN {label}PRIVATE KEY-----", *inner, f"-----END {label}PRIVATE KEY-----"]


def private_key(r: Random, how: str = "") -> Piece:
    """A key; ``how`` tells its form, lines by default.

    Others: encrypted (PKCS #1), pbes2 (PKCS #8), noise (a body that does not parse), cut (no END), or what stands
    between its lines (GLUE).
    """
    kind, form = r.choice(KINDS), how or "lines"
    if form == "encrypted":
        lines = lines_of(r, "rsa")
        dek = r.randbytes(16).hex().upper()
        lines[1:1] = ["Proc-Type: 4,ENCRYPTED", f"DEK-Info: AES-128-CBC,{dek}", ""]
    elif form == "pbes2":
        lines = armour("ENCRYPTED ", tlv(0x30, tlv(0x30, PBES2 + r.randbytes(60)) + tlv(4, r.randbytes(1232))))
    else:
        lines = lines_of(r, kind, 70 if kind == "openssh" else 64)
    glue = GLUE.get(form, "\n")
    # A stranger's body, and a key whose end is cut off: people disagree.
    status = Status.GRADED if form in {"noise", "cut"} else Status.VALUE
    if form == "noise":
        lines = armour("RSA ", r.randbytes(1190))
    text = glue.join(lines[: len(lines) // 2] if form == "cut" else lines)
    return Piece(text, "crypto.private_key", f"{kind} {form}", status)
