"""ListObjectVersions as FakeS3 answers it: versions and delete markers by key, of each the newest first."""

from __future__ import annotations

from itertools import islice
from urllib.parse import quote_plus

from tests.aws.fake_s3.contents import Bucket, Stored


def page(name: str, bucket: Bucket, query: dict[str, str]) -> bytes:
    """The page behind key-marker and version-id-marker; a delete marker is told as one, and has a place of its own."""
    assert query.get("encoding-type") == "url", "XML cannot hold every key"
    prefix, most = query.get("prefix", ""), int(query.get("max-keys", "1000"))
    key_marker, version_marker = query.get("key-marker", ""), query.get("version-id-marker")
    assert version_marker is None or (version_marker and key_marker), "S3 takes no version without its key"
    behind = _behind(bucket, prefix, key_marker, version_marker)
    some = list(islice(behind, most + 1))
    told = "".join(_told(*entry) for entry in some[:most])
    following = ""
    if len(some) > most:
        key, version_id, *_ = some[most - 1]
        following = (
            f"<NextKeyMarker>{_encoded(key)}</NextKeyMarker><NextVersionIdMarker>{version_id}</NextVersionIdMarker>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{name}</Name><Prefix>{_encoded(prefix)}</Prefix><KeyMarker>{_encoded(key_marker)}</KeyMarker>"
        f"<VersionIdMarker>{version_marker or ''}</VersionIdMarker>{following}<MaxKeys>{most}</MaxKeys>"
        f"<EncodingType>url</EncodingType><IsTruncated>{str(len(some) > most).lower()}</IsTruncated>{told}"
        "</ListVersionsResult>"
    ).encode()


def _behind(bucket: Bucket, prefix: str, key_marker: str, version_marker: str | None):
    for key in sorted(bucket.objects, key=str.encode):
        if not key.startswith(prefix) or key.encode() < key_marker.encode():
            continue
        if key == key_marker and version_marker is None and key_marker:
            continue
        is_behind = key != key_marker or version_marker is None
        stored = bucket.objects[key]
        for n in range(len(stored) - 1, -1, -1):
            version_id = stored[n].version_id if stored[n] else f"marker{n}"
            if is_behind:
                yield key, version_id, n == len(stored) - 1, stored[n]
            is_behind = is_behind or version_id == version_marker


def _told(key: str, version_id: str, is_latest: bool, stored: Stored | None) -> str:
    kind = "DeleteMarker" if stored is None else "Version"
    about = (
        f"<ETag>&quot;{stored.etag}&quot;</ETag><Size>{len(stored.content)}</Size>"
        f"<StorageClass>{stored.storage_class}</StorageClass>"
        if stored
        else ""
    )
    return (
        f"<{kind}><Key>{_encoded(key)}</Key><VersionId>{version_id}</VersionId>"
        f"<IsLatest>{str(is_latest).lower()}</IsLatest><LastModified>2026-01-02T03:04:05.000Z</LastModified>{about}"
        f"<Owner><ID>1</ID><DisplayName>Key</DisplayName></Owner></{kind}>"
    )


def _encoded(key: str) -> str:
    return quote_plus(key, safe="/")
