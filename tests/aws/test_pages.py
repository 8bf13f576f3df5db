"""A page of ListObjectsV2 is read exactly, whatever keys it holds and however the store lays out its XML."""

from __future__ import annotations

import re
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner_tasks.aws.lean import pages
from scanner_tasks.aws.lean.pages import decode_keys, page
from scanner_tasks.core.errors import Unavailable
from scanner_tasks.core.model import ObjectRef
from scanner_tasks.core.ports import Page

from .test_objects_contract import ODD_KEYS

keys = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20), max_size=8)


def xml(entries: list[str], *, space: str = "", encoded: bool = True, more: str = "") -> bytes:
    listed = "".join(f"<Contents>{space}{entry}{space}</Contents>{space}" for entry in entries)
    encoding = "<EncodingType>url</EncodingType>" if encoded else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"{space}<Name>b</Name>{space}{encoding}{space}{more}{space}{listed}</ListBucketResult>\n"
    ).encode()


def entry(key: str, *, space: str = "") -> str:
    parts = (
        f"<Key>{key}</Key>",
        "<LastModified>2026-01-02T03:04:05.000Z</LastModified>",
        "<ETag>&quot;9dd4&quot;</ETag>",
        "<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>",
        "<Size>17</Size>",
        "<Owner><ID>Key</ID></Owner>",
        "<StorageClass>GLACIER</StorageClass>",
    )
    return space.join(parts)


@pytest.mark.parametrize("space", ["", "\n    "])
@given(wanted=keys)
def test_every_key_comes_back_exactly_in_order(space: str, wanted: list[str]) -> None:
    for encode in (quote_plus, quote):
        found, _ = page("b", xml([entry(encode(key), space=space) for key in wanted], space=space))
        assert [ref.key for ref in found.objects] == wanted


@pytest.mark.parametrize("space", ["", "\n    "])
def test_odd_keys_and_all_that_stands_beside_them(space: str) -> None:
    found, token = page(
        "b", xml([entry(quote_plus(key, safe="/"), space=space) for key in [*ODD_KEYS, "Key", "Contents"]], space=space)
    )
    assert [ref.key for ref in found.objects] == [*ODD_KEYS, "Key", "Contents"]
    told = {(ref.bucket, ref.size_bytes, ref.etag, ref.storage_class, ref.modified_at) for ref in found.objects}
    assert told == {("b", 17, "9dd4", "GLACIER", "2026-01-02T03:04:05.000Z")}
    assert (found.is_last, token) == (True, "")


def test_percent_signs_in_lower_case_are_decoded() -> None:
    assert list(decode_keys(["a%0ab", "%c3%a9"])) == ["a\nb", "é"]


@pytest.mark.parametrize("space", ["", "\n    "])
def test_store_that_does_not_encode_is_read_as_it_writes(space: str) -> None:
    wanted = ["a b", " lead", "trail ", "p%2Fq", "a+b", "<tag>&amp;", "é\U0001f600", "two\nlines", "Key", " "]
    body = xml([entry(escape(key), space=space) for key in wanted], space=space, encoded=False)
    assert [ref.key for ref in page("b", body)[0].objects] == wanted


def test_what_a_store_leaves_out_has_its_default() -> None:
    found, _ = page("b", xml(["<Key>k</Key><Size>3</Size>", "<Key>l</Key><ETag></ETag><Size>0</Size>"]))
    assert found.objects == (
        ObjectRef(bucket="b", key="k", size_bytes=3, etag=""),
        ObjectRef(bucket="b", key="l", size_bytes=0, etag=""),
    )


def test_page_that_is_not_the_last_says_where_to_go_on() -> None:
    more = "<IsTruncated>true</IsTruncated><NextContinuationToken>1/a+b=</NextContinuationToken>"
    found, token = page("b", xml([], more=more))
    assert (found.objects, found.is_last, token) == ((), False, "1/a+b=")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>no</html>",
        b"not xml",
        xml([entry("k")])[:-30],
        xml(["<Size>3</Size>"]),
        xml(["<Key>k</Key><Size>three</Size>"]),
        xml(["<Key>k</Key>"]),
        xml([entry("%FF")]),
        xml([entry("raw\nline")]),
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + xml([entry("&a;")]),
    ],
)
def test_what_is_no_listing_is_unavailable_never_an_empty_page(body: bytes) -> None:
    with pytest.raises(Unavailable, match="not S3's XML"):
        page("b", body)


def alike(key: str, *, size: str = "17", more: str = "", after: str = "", etag: str = "&quot;9dd4&quot;") -> str:
    """As S3 writes it."""
    return (
        f"<Key>{key}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>{etag}</ETag>{more}"
        f"<Size>{size}</Size><StorageClass>GLACIER</StorageClass>{after}"
    )


CHECKSUM = "<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>"
RESTORED = (
    "<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress>"
    "<RestoreExpiryDate>2026-12-21T00:00:00.000Z</RestoreExpiryDate></RestoreStatus>"
)
RESTORING = "<RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>"


def by_expat(body: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[Page, str]:
    with monkeypatch.context() as without:
        without.setattr(pages, "_alike", lambda *_: None)
        return page("b", body)


@given(wanted=keys, data=st.data())
def test_page_of_objects_written_alike_is_read_as_expat_reads_it(wanted: list[str], data: st.DataObject) -> None:
    safe = data.draw(st.sampled_from(["", "/", "/=+,;:@!$'()*"]))
    entries = [
        alike(
            quote_plus(key, safe=safe.replace("+", "")),
            size=data.draw(st.sampled_from(["0", "17", "5497558138880"])),
            more=data.draw(st.sampled_from(["", CHECKSUM])),
            after=data.draw(st.sampled_from(["", RESTORED, RESTORING])),
            etag=data.draw(st.sampled_from(["&quot;9dd4-2&quot;", "&quot;9dd4&quot;"])),
        )
        for key in wanted
    ]
    more = "<IsTruncated>true</IsTruncated><NextContinuationToken>1/a+b=</NextContinuationToken>"
    body = xml(entries, more=more)
    with pytest.MonkeyPatch.context() as patch:
        assert page("b", body) == by_expat(body, patch)
    assert [ref.key for ref in page("b", body)[0].objects] == wanted
    assert (pages._alike("b", body) is not None) is bool(wanted)


@pytest.mark.parametrize(
    "odd",
    [
        alike("a&amp;b"),
        alike("k", etag="W/&quot;1&quot;"),
        alike("k", after="<Owner><ID>x</ID></Owner>"),
        alike("k", after="<!-- <Contents> -->"),
        alike("<![CDATA[k]]>"),
        alike(" k"),
        alike("k", etag="9dd4"),
        alike("k", etag='"9dd4"'),
        alike("a").replace("<Size>", "\n<Size>"),
        "<Size>3</Size><Key>k</Key>",
        alike("k").replace("<Key>k</Key>", "<Key>k</Key><Key>l</Key>"),
    ],
)
def test_what_is_written_otherwise_is_left_to_expat(odd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = xml([alike("a"), odd, alike("z")])
    assert pages._alike("b", body) is None
    assert page("b", body) == by_expat(body, monkeypatch)


def test_objects_that_are_whole_in_a_page_that_is_not_are_none() -> None:
    whole = xml([alike("a"), alike("b")])
    for body in (
        whole[:-30],
        whole.replace(b"</ListBucketResult>", b""),
        whole.replace(b"<Name>", b"<!DOCTYPE x><Name>"),
    ):
        with pytest.raises(Unavailable, match="not S3's XML"):
            page("b", body)


@given(wanted=keys, space=st.sampled_from(["+", "%20"]), lower=st.booleans())
def test_keys_are_decoded_whatever_is_encoded(wanted: list[str], space: str, lower: bool) -> None:
    encoded = [quote_plus(key).replace("+", space) for key in wanted]
    assert decode_keys([re.sub("%..", lambda m: m[0].lower(), e) for e in encoded] if lower else encoded) == wanted
