"""What kind of content a key's name promises: for selections and estimates, before a byte is read.

Scanning never trusts a name (extract/kind.py looks at the content); choosing what to scan has nothing else.
"""

from __future__ import annotations

from typing import Final

#: Suffixes that only wrap another one: ``a.csv.gz`` is a table.
COMPRESSIONS: Final = frozenset({"gz", "gzip", "bz2", "xz", "zst", "zstd", "lz4", "lzma", "snappy", "z"})

_OF_KIND: Final = {
    "text": "txt text log md rst out err trace nfo asc vtt srt",
    "table": "csv tsv psv tab xls xlsx xlsm xlsb ods parquet avro orc arrow feather dbf",
    "structured": "json jsonl ndjson geojson xml yaml yml toml ini cfg conf properties env html htm xhtml svg plist",
    "document": "pdf doc docx docm dot dotx odt rtf ppt pptx pptm odp tex epub pages key numbers ps",
    "mail": "eml msg mbox pst ics vcf",
    "database": "sqlite sqlite3 db sql dump mdb accdb bak",
    "code": "py js ts jsx tsx java c h cc cpp hpp cs go rs rb php pl sh bash ps1 bat scala kt swift r lua tf tfvars"
    " ipynb gradle groovy css scss vue dockerfile",
    "archive": "zip tar tgz tbz tbz2 txz 7z rar jar war ear apk cpio iso cab deb rpm",
    "image": "png jpg jpeg gif bmp tif tiff webp heic ico psd raw",
    "media": "mp3 wav flac ogg m4a aac mp4 mov avi mkv webm wmv mpg mpeg",
    "key": "pem crt cer p12 pfx jks keystore ppk gpg pgp asc pub kdbx ovpn",
    "program": "exe dll so dylib bin class o a pyc wasm msi dmg img vmdk vhd qcow2 whl",
}
_KINDS: Final = {extension: kind for kind, names in _OF_KIND.items() for extension in names.split()}
#: Every kind; what no suffix tells is "other".
KINDS: Final = (*_OF_KIND, "other")


def extensions_of(key: str) -> tuple[str, ...]:
    """The key's last suffix in lower case, and that with the one before it when it is a compression; () without one.

    Examples:
        >>> extensions_of("a/b.CSV"), extensions_of("a/b.csv.gz"), extensions_of("a.d/README"), extensions_of("a/.env")
        (('csv',), ('gz', 'csv.gz'), (), ('env',))
    """
    parts = key.rpartition("/")[2].lower().rsplit(".", 2)
    if len(parts) == 1:
        return ()
    if parts[-1] in COMPRESSIONS and len(parts) > 2:  # noqa: PLR2004 (a name and two suffixes)
        return parts[-1], f"{parts[-2]}.{parts[-1]}"
    return (parts[-1],)


def kind_of(key: str) -> str:
    """The kind of content that the key's suffix promises: one of KINDS.

    Examples:
        >>> kind_of("a/b.csv.gz"), kind_of("x.PDF"), kind_of("backup.gz"), kind_of("LICENSE")
        ('table', 'document', 'archive', 'other')
    """
    told = extensions_of(key)
    if not told:
        return "other"
    inner = told[-1].partition(".")[0] if len(told) > 1 else told[0]
    return _KINDS.get(inner) or ("archive" if told[0] in COMPRESSIONS else "other")
