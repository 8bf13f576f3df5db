"""What an S3 error means for one object: the outcome that the ledger records for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from scanner_tasks.aws.faults import RoleRefused, error_code, http_status, is_credentials, is_denied
from scanner_tasks.core.errors import (
    ObjectArchived,
    ObjectChanged,
    ObjectDenied,
    ObjectError,
    ObjectGone,
    Unavailable,
)
from scanner_tasks.core.model import Outcome

if TYPE_CHECKING:
    from scanner_tasks.core.model import ObjectRef

_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "NoSuchBucket", "NotFound", "MethodNotAllowed"})
#: "… is not authorized to perform: kms:Decrypt on resource …"
_PERMISSION = re.compile(r"\b((?:s3|kms):[A-Za-z]{1,40})\b")
#: Told by InvalidObjectState, so that an owner knows which restore it takes.
_TIERS = re.compile(r"[A-Z_]{1,40}")


def object_error(error: BaseException, ref: ObjectRef | None = None) -> ObjectError | Unavailable:  # noqa: PLR0911
    """The error of ours for a read that failed for good; Unavailable when our own credentials are at fault.

    | S3 says | becomes |
    |---|---|
    | 404, NoSuchKey, a delete marker | ObjectGone |
    | 412, or 416 on a resumed read | ObjectChanged |
    | 403 AccessDenied | ObjectDenied, naming s3:GetObject, s3:GetObjectVersion or kms:Decrypt |
    | STS refuses the job's role | ObjectDenied, naming sts:AssumeRole |
    | KMS key disabled or gone | ObjectDenied |
    | InvalidObjectState | ObjectArchived, naming class and tier |
    | wants the caller's own key (SSE-C) | ObjectError, failed(encrypted) |
    | anything else, or no answer at all | ObjectError, failed(unavailable) |
    """
    code, status = error_code(error), http_status(error)
    told = error.response.get("Error", {}) if isinstance(error, ClientError) else {}
    message = str(told.get("Message", ""))
    if isinstance(error, RoleRefused):
        return ObjectDenied(str(error))
    if is_credentials(error):
        return Unavailable(f"Could not read from S3: the credentials are missing, expired or wrong ({code}).")
    if code == "InvalidObjectState":
        return _archived(str(told.get("StorageClass", "")), str(told.get("AccessTier", "")))
    if code.startswith("KMS."):
        return ObjectDenied(f"The object's KMS key cannot be used ({code}): enable it, or restore it.")
    if is_denied(error):
        return _denied(message, has_version=ref is not None and ref.version_id is not None)
    if code in _GONE or status in {404, 405}:
        return ObjectGone("The object was deleted after it was listed.")
    if status in {412, 416}:
        return ObjectChanged("The object was overwritten after it was listed.")
    if code == "InvalidRequest" and "Server Side Encryption" in message:
        encrypted = ObjectError("The object is encrypted with a key that only its owner has (SSE-C).")
        encrypted.outcome = Outcome.FAILED_ENCRYPTED
        return encrypted
    return ObjectError(f"S3 did not give the object, also after several tries ({code or status}).")


def tags_error(error: BaseException, ref: ObjectRef) -> ObjectError | Unavailable:
    """The same for a request for the object's tags: ObjectDenied names s3:GetObjectTagging or its form for versions."""
    if error_code(error) == "NotImplemented":
        return ObjectError("The store has no tags of objects (directory buckets have none): begin a job without them.")
    if is_denied(error) and not isinstance(error, RoleRefused):
        permission = "s3:GetObjectVersionTagging" if ref.version_id else "s3:GetObjectTagging"
        return ObjectDenied(
            f"S3 refused to tell the object's tags: the role needs {permission} here"
            " (without s3:ListBucket, S3 answers so for a deleted object too)."
        )
    return object_error(error, ref)


def _denied(message: str, *, has_version: bool) -> ObjectDenied:
    named = _PERMISSION.search(message)
    if "kms" in message.lower():
        permission = named[1] if named and named[1].startswith("kms:") else "kms:Decrypt"
        return ObjectDenied(f"S3 refused the read: the role needs {permission} on the object's key.")
    if has_version:
        return ObjectDenied("S3 refused the read: the role needs s3:GetObjectVersion here.")
    if named and named[1] != "s3:GetObject":
        return ObjectDenied(f"S3 refused the read: the role needs {named[1]} here.")
    return ObjectDenied(
        "S3 refused the read: the role needs s3:GetObject here"
        " (without s3:ListBucket, S3 answers so for a deleted object too)."
    )


def _archived(storage_class: str, tier: str) -> ObjectArchived:
    names = [name for name in (storage_class, tier) if _TIERS.fullmatch(name)]
    where = f" ({', '.join(names)})" if names else ""
    return ObjectArchived(f"The object is archived{where}: restore it before it is scanned.")
