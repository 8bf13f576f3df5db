"""Held out: values that hide and decoys that shout. Whoever writes rules does not read this file."""

# ruff: noqa: E501, PLR2004
from __future__ import annotations

from random import Random

from benchmarks.detection import adversarial
from benchmarks.detection.heldout_fields import FIELDS
from benchmarks.detection.labels import Labelled, Writer

GLUED = (
    "SSN:«ssn»", "ssn=«ssn:plain»", "soc:«ssn»", "SSN(«ssn»)", "{ssn:«ssn:plain»}", "{'ssn': '«ssn»'}", "ssn is«ssn»", "SocialSecurityNumber>«ssn:plain»<", "employee_ssn|«ssn:plain»|", "#ssn#«ssn»#", "SSN\r\n«ssn»", "***«ssn»***", "ssn;«ssn:plain»;", '"«ssn»"', "«ssn»/«ssn»",
    "cc=«card:plain»&cvv=1", "{pan:«card:plain»}", "card_number→«card:spaced»", "Card:«card:dashed»;", '"«card:spaced»"', "<pan>«card:plain»</pan>", "PAN\r\n«card:plain»", "Visa«card:visa16 plain»", "card no.«card:mastercard spaced»!", "«card:dashed»,«card:dashed»", "M|«card:amex spaced»|X", "card%20«card:visa16 plain»%20",
    "«iban:compact»;", "IBAN=«iban:compact»&", "<IBAN>«iban:compact»</IBAN>", '"iban":"«iban:spaced»"', "iban→«iban:compact»", "«iban:spaced»\n«iban:spaced»", "Konto:«iban:DE compact».", "[«iban:compact»]", "IBAN:«iban:lower»",
    "«akid»:«awssecret:url»@s3", "AKID=«akid»", "{«akid»}", '"«akid»"', "(«akid»)", "«akid»,«akid»", "aws:«akid»;", "x-amz-credential=«akid»%2F20240612%2Feu-west-1", "Credential=«akid»/20240612/us-east-1/iam/aws4_request, SignedHeaders=host", "<AccessKeyId>«akid»</AccessKeyId>", "AWS_ACCESS_KEY_ID\\n«akid»".replace("\\n", "\n"),
    "secretKey:'«awssecret»' // aws", 'aws_secret_access_key="«awssecret»";', "AWS_SECRET_ACCESS_KEY='«awssecret»'", "--aws-secret-access-key «awssecret»", "--aws-secret-key=«awssecret»", "AwsSecretAccessKey: «awssecret»,", "SecretAccessKey => «awssecret»", "aws.secretAccessKey=«awssecret»", "AWS_SECRET_ACCESS_KEY: !env «awssecret»", "aws_secret_access_key =\n    '«awssecret»'", "aws secret access key «awssecret»", '{"aws":{"secret":"«awssecret»"}}',
    "«github»", "gh:«github»", "//«github»:x-oauth@github.com", "GITHUB_TOKEN=«github»&", "[«github»]", '"«github:fine»"', "<«github»>", "token «github».",
    "«slack»", "xoxp:«slack:xoxp»", '{"t":"«slack»"}', "SLACK_TOKEN=«slack»\\n", "'«slack»',", "<«slack»>",
    "?jwt=«jwt»", "{«jwt»}", "'«jwt»'", "token:«jwt»,", "Bearer%20«jwt»", "auth=«jwt»; HttpOnly",
    "«pem»", "key = '''«pem»'''", "'«pem:escaped»'", "«pem:crlf»\r\n", "ssl_key: >\n        «pem:indented»", "<key>«pem»</key>", "«pem:encrypted»",
    "to:«email»;", "{«email»}", "«email»/«email»", "E:«email»", "“«email»”", "mailto%3A«email»".replace("mailto%3A", "mailto:"), "«email»?", "x=«email»#",
    "+«pat:1^0^^6^####»".replace("+«pat:1^0^^6^####»", "T:«phone:E.164»"), "tel:«phone:+1 dashed»;ext=5", "P:«phone:parens»F:«phone:parens»", "☎«abroad»", "«abroad»,«abroad»", "phone\n«phone:plain»", '"«phone:parens tight»"', "#«phone:dashed»#", "phone(«phone:dashed»)",
)  # fmt: skip


def one(r: Random, w: Writer) -> str:
    """A line; its kind."""
    chance = r.random()
    if chance < 0.12:
        word, piece = r.choice(adversarial.ODD)(r)
        w.put(word.upper()).piece(piece)
        return f"odd {piece.rule}"
    if chance < 0.6:
        at = r.randrange(len(GLUED))
        w.fill(GLUED[at])
        return f"glued-{at}"
    piece = w.make("decoy")
    w.put(r.choice(("", "n=", "val: ", "<td>", "\t", "see "))).piece(piece)
    return "decoy"


def text(r: Random) -> Labelled:
    """A few lines, each of its own."""
    w, names = Writer(r, FIELDS), []
    for _ in range(r.randrange(1, 6)):
        names.append(one(r, w))
        w.put(r.choice(("\n\n\n", "\n\n* * *\n\n", "\n" + "#" * 50 + "\n")))
    return w.done("adversarial/" + "+".join(names))
