"""What binary formats begin with, and what reads each."""

from __future__ import annotations

from typing import Literal, TypeAlias

#: What reads it: ``extract.readers``. "unread" is known, and no reader for it; of "packed" and "sealed", which are
#: known to be compressed or encrypted, the printable runs are read, and that is told; "binary" is everything else.
Form: TypeAlias = Literal[
    "text", "gzip", "zlib", "bzip2", "xz", "lzma", "lz4", "lz4_legacy", "hadoop_lz4", "zstd", "snappy", "java_snappy",
    "hadoop_snappy", "raw_snappy", "zip", "tar", "pdf", "rtf", "ole", "png", "jpeg", "parquet", "orc", "arrow", "avro",
    "sqlite", "pgdump", "mail", "mbox", "markup", "beside", "program", "sealed", "packed", "unread", "binary",
]  # fmt: skip

#: Offset, magic, form, name, and whether no text can begin so.
MAGICS: tuple[tuple[int, bytes, Form, str, bool], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "png", "PNG image", True),
    (0, b"\xff\xd8\xff", "jpeg", "JPEG image", True),
    (0, b"GIF8", "binary", "GIF image", False),
    (0, b"II*\0", "binary", "TIFF image", True),
    (0, b"MM\0*", "binary", "TIFF image", True),
    (0, b"RIFF", "binary", "RIFF media", False),
    (0, b"OggS", "binary", "Ogg media", False),
    (0, b"fLaC", "binary", "FLAC audio", False),
    (0, b"ID3", "binary", "MP3 audio", False),
    (4, b"ftyp", "binary", "MP4 media", False),
    (0, b"%PDF-", "pdf", "PDF document", True),
    (0, b"{\\rtf", "rtf", "RTF document", True),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole", "old Office document", True),
    (0, b"PK\x03\x04", "zip", "zip archive", True),
    (0, b"PK\x05\x06", "zip", "zip archive", True),
    (0, b"PK\x07\x08PK\x03\x04", "zip", "zip archive", True),
    (0, b"7z\xbc\xaf\x27\x1c", "unread", "7z archive", True),
    (0, b"Rar!\x1a\x07", "unread", "RAR archive", True),
    (0, b"BZh", "bzip2", "bzip2 data", False),
    (0, b"\xfd7zXZ\0", "xz", "xz data", True),
    (0, b"\x28\xb5\x2f\xfd", "zstd", "zstd data", True),
    (0, b"\x04\x22\x4d\x18", "lz4", "lz4 data", True),
    (0, b"\x02\x21\x4c\x18", "lz4_legacy", "lz4 data of the legacy format", True),
    (0, b"\xff\x06\0\0sNaPpY", "snappy", "snappy data", True),
    (0, b"\x1f\x9d", "unread", "compress data", True),
    (0, b"PAR1", "parquet", "Parquet table", False),
    (0, b"PARE", "parquet", "Parquet table", False),
    (0, b"ORC", "orc", "ORC table", False),
    (0, b"Obj\x01", "avro", "Avro table", True),
    (0, b"ARROW1\0\0", "arrow", "Arrow table", True),
    (0, b"SQLite format 3\0", "sqlite", "SQLite database", True),
    (0, b"\x7fELF", "program", "program", True),
    (0, b"MZ", "program", "program", False),
    (0, b"\xca\xfe\xba\xbe", "binary", "program", True),
    (0, b"\0asm", "binary", "WebAssembly program", True),
    # Compressed or encrypted, and not opened: their printable runs are read, and the outcome says so.
    (0, b"MSCF\0\0\0\0", "packed", "cabinet", True),
    (0, b"\xed\xab\xee\xdb", "packed", "RPM package", True),
    (0, b"!<arch>\ndebian-binary", "packed", "Debian package", True),
    (0, b"LZIP", "packed", "lzip data", False),
    (0, b"\x89LZO\0\r\n\x1a\n", "packed", "lzop data", True),
    (0, b"LRZI", "packed", "lrzip data", False),
    (0, b"MSWIM\0\0\0", "packed", "Windows image", True),
    (0, b"hsqs", "packed", "SquashFS image", False),
    (0, b"!BDN", "packed", "Outlook data file", False),
    (0, b"REDIS0", "packed", "Redis snapshot", False),
    (0, b"PACK\0\0\0", "packed", "Git pack", True),
    (0, b"PGDMP", "pgdump", "PostgreSQL dump", False),
    (0, b"MSSQLBAK", "packed", "compressed backup of SQL Server", False),
    (0, b"SEQ\x06", "packed", "Hadoop sequence file", True),
    (0, b"\x89HDF\r\n\x1a\n", "packed", "HDF5 file", True),
    (0, b"MATLAB 5.0 MAT-file", "packed", "MATLAB file", False),
    (0, b"Salted__", "sealed", "OpenSSL", False),
    (0, b"age-encryption.org/v1\n", "sealed", "age", False),
    (0, b"-----BEGIN AGE ENCRYPTED FILE-----", "sealed", "age", True),
    (0, b"-----BEGIN PGP MESSAGE-----", "sealed", "PGP", True),
    (0, b"$ANSIBLE_VAULT;", "sealed", "Ansible Vault", True),
    (0, b"\x03\xd9\xa2\x9a", "sealed", "KeePass database", True),
    (0, b"LUKS\xba\xbe", "sealed", "LUKS volume", True),
    (0, b"\x82SNAPPY\0", "java_snappy", "snappy data", True),
)
