"""What an S3 error means for one object: the outcome that the ledger records for it."""

from __future__ import annotations

from botocore.exceptions import ClientError

from scanner_tasks.aws.faults import error_code, http_status, is_credentials, is_denied
from scanner_tasks.core.errors import (
    ObjectArchived,
    ObjectChanged,
    ObjectDenied,
    ObjectError,
    ObjectGone,
    Unavailable,
)
from scanner_tasks.core.model import Outcome

_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "NoSuchBucket", "NotFound", "MethodNotAllowed"})


def object_error(error: BaseException) -> ObjectError | Unavailable:  # noqa: PLR0911 (a return for each row)
    """The error of ours for a read that failed for good; Unavailable when our own credentials are at fault.

    | S3 says | becomes |
    |---|---|
    | 404, NoSuchKey, a delete marker | ObjectGone |
    | 412, or 416 on a resumed read | ObjectChanged |
    | 403 AccessDenied | ObjectDenied, naming s3:GetObject or kms:Decrypt |
    | KMS key disabled or gone | ObjectDenied |
    | InvalidObjectState | ObjectArchived |
    | wants the caller's own key (SSE-C) | ObjectError, failed(encrypted) |
    | anything else, or no answer at all | ObjectError, failed(unavailable) |
    """
    code, status = error_code(error), http_status(error)
    message = str(error.response.get("Error", {}).get("Message", "")) if isinstance(error, ClientError) else ""
    if is_credentials(error):
        return Unavailable(f"Could not read from S3: the credentials are missing, expired or wrong ({code}).")
    if code == "InvalidObjectState":
        return ObjectArchived("The object is archived: restore it before it is scanned.")
    if code.startswith("KMS."):
        return ObjectDenied(f"The object's KMS key cannot be used ({code}): enable it, or restore it.")
    if is_denied(error):
        return _denied(message)
    if code in _GONE or status in {404, 405}:
        return ObjectGone("The object was deleted after it was listed.")
    if status in {412, 416}:
        return ObjectChanged("The object was overwritten after it was listed.")
    if code == "InvalidRequest" and "Server Side Encryption" in message:
        encrypted = ObjectError("The object is encrypted with a key that only its owner has (SSE-C).")
        encrypted.outcome = Outcome.FAILED_ENCRYPTED
        return encrypted
    return ObjectError(f"S3 did not give the object, also after several tries ({code or status}).")


def _denied(message: str) -> ObjectDenied:
    if "kms" in message.lower():
        return ObjectDenied("S3 refused the read: the role needs kms:Decrypt on the object's key.")
    return ObjectDenied(
        "S3 refused the read: the role needs s3:GetObject here"
        " (without s3:ListBucket, S3 answers so for a deleted object too)."
    )
