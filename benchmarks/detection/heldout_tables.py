"""Held out: tables. Whoever writes rules does not read this file."""

# ruff: noqa: E501
from __future__ import annotations

from random import Random

from benchmarks.detection import tables
from benchmarks.detection.heldout_fields import FIELDS
from benchmarks.detection.labels import Labelled

COLUMNS: dict[str, tuple[str, ...]] = {
    "ssn": ("SSN", "social", "Employee SSN", "member_ssn", "ssn_number", "SocSec", "borrower_ssn", "Social Security"),
    "ssn:plain": ("ssn", "SSN", "ssn_nbr", "SOCIAL_SECURITY", "socialSecurityNumber", "PATIENT_SSN", "cust_ssn"),
    "card:plain": ("card_num", "creditCardNumber", "cc_no", "PAN", "CARD_NBR", "debit_card", "ccnumber"),
    "card:faker plain": ("cc", "credit_card", "CreditCardNo", "card number"),
    "card:dashed": ("card", "Credit Card Number", "cardnumber"),
    "email": ("E-Mail", "email_address", "contactEmail", "username", "billing_email", "from", "Courriel"),
    "phone": ("phone", "PhoneNumber", "Daytime Phone", "contact_phone", "cell", "Tel.", "primary_phone"),
    "phone:dashed": ("phone2", "fax_number", "emergency_contact"),
    "phone:plain": ("PHONE_NO", "mobilePhone", "phone_nbr", "callerid", "Cell Phone", "work_phone"),
    "abroad": ("Telefonnummer", "phone_intl", "mobile_number", "Téléphone", "phone", "numero_telefono"),
    "iban": ("IBAN", "iban_code", "BankAccountIBAN", "to_account", "counterparty", "Kontonummer"),
    "ip": ("ip", "remote_addr", "IPAddress"),
    "aba": ("ABA", "routing_no", "rtn"),
    "akid": ("AccessKeyId", "aws_access_key_id", "key"),
    "awssecret": ("SecretAccessKey", "aws_secret", "Secret access key"),
    "jwt": ("jwt", "id_token"),
    "itin": ("ITIN",),
    "ein": ("EIN", "Employer Identification Number"),
}  # fmt: skip
NOTHING = (
    ("rowid", "n:7"), ("acct", "n:10"), ("ref_no", "n:9"), ("full_name", "name"), ("last_name", "name:last"), ("town", "town"),
    ("date", "day"), ("loaded_at", "decoy:date and time"), ("price", "amount"), ("score", "decoy:decimal"), ("guid", "uuid"),
    ("md5", "decoy:md5"), ("po_number", "decoy:order number"), ("epoch", "decoy:epoch seconds"), ("epoch_us", "decoy:epoch microseconds"),
    ("build", "decoy:build number"), ("location", "decoy:coordinates"), ("policy", "n:11"), ("shipment", "decoy:usps parcel"),
    ("zipcode", "n:5"), ("item", "pat:###-####-%%"), ("auth_id", "n:16"), ("isbn", "decoy:isbn"), ("sensor", "decoy:exponent"),
    ("barcode", "n:13"), ("batch", "lot"), ("device_serial", "n:15"), ("points", "n:6"), ("hash", "hex:40"), ("npi_or_id", "n:10"),
)  # fmt: skip


def text(r: Random) -> Labelled:
    """One table."""
    return tables.table(r, COLUMNS, NOTHING, FIELDS)
