"""S3 on a loopback port, as far as reading goes, with faults on demand.

It keeps keys exactly, checks every signature (``sigv4.py``), and knows Range, If-Match, versions, requester pays,
public buckets, tags of objects, Regions with their redirects, archived classes and denials. Emulators have no faults,
and answer some hundred requests a second.
"""

from __future__ import annotations

import socketserver
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import parse_qsl, quote_plus, unquote
from xml.sax.saxutils import escape

from tests.aws.fake_s3 import sigv4, versions
from tests.aws.fake_s3.contents import Bucket, Entry, GeneratedBucket, Stored
from tests.aws.fake_s3.faults import Cut, Drip, Fault, Late, Refuse, Stall
from tests.aws.fake_s3.layouts import Layout

#: What clients send by default (made up).
KEYS: dict[str, tuple[str, str | None]] = {"test": ("test", None)}
_AWS = ".amazonaws.com"
#: ``quote_plus`` with "/" left alone, for ASCII, in C.
_URL = {n: quote_plus(chr(n), safe="/") for n in range(128)}


@dataclass(frozen=True)
class Request:
    method: str
    #: As it stood in the request line.
    target: str
    #: By lower-case name.
    headers: dict[str, str]
    connection: int
    #: Seconds of the server's clock when it came.
    at: float

    @property
    def range(self) -> str | None:
        return self.headers.get("range")

    @property
    def if_match(self) -> str | None:
        return self.headers.get("if-match")


class FakeS3:
    """A running server; ``stop`` ends it.

    Args:
        region: of buckets that name none, and of hosts without one.
        tls: serves HTTPS with this context instead.
    """

    def __init__(self, *, region: str = "us-east-1", tls: ssl.SSLContext | None = None) -> None:
        self.region = region
        self._stopping = threading.Event()
        self.reset()
        server = self

        class Handler(socketserver.StreamRequestHandler):
            timeout = 20
            disable_nagle_algorithm = True
            wbufsize = 1 << 16

            def setup(self):
                if tls:
                    self.request = tls.wrap_socket(self.request, server_side=True)
                super().setup()

            def handle(self):
                connection = id(self)
                while request := _read(self.rfile, connection, server.clock()):
                    if not _Answer(server, request, self.wfile).give():
                        return
                    self.wfile.flush()

            def finish(self):
                try:
                    super().finish()
                finally:
                    if tls:  # the socket that the server knows has given its descriptor away
                        self.request.close()

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                """A client that hangs up, or trusts no certificate, is what tests are about."""

        self._tcp = Server(("127.0.0.1", 0), Handler)
        self._scheme = "https" if tls else "http"
        self._thread = threading.Thread(target=self._tcp.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def reset(self) -> None:
        """As it was at first."""
        self.buckets: dict[str, Bucket] = {}
        #: Faults of the next answers, one for each request; None answers well.
        self.script: deque[Fault | None] = deque()
        self.requests: list[Request] = []
        self.ignores_range = False
        #: Empty pages that stand before each page of a listing, as behind very many delete markers.
        self.empty_pages = 0
        #: Seconds that a listing's page takes.
        self.page_s = 0.0
        #: False keeps no requests: ``requests`` is for tests, a benchmark sends many.
        self.keeps_requests = True
        #: Secret and session token by access key.
        self.keys = dict(KEYS)
        self.expired: set[str] = set()
        self.clock: Callable[[], float] = time.time

    @property
    def connections(self) -> int:
        """Connections that brought a request since the last reset."""
        return len({request.connection for request in self.requests})

    @property
    def port(self) -> int:
        return int(self._tcp.server_address[1])

    @property
    def endpoint_url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def bucket(self, name: str, contents: dict[str, bytes] | None = None, **about: object) -> Bucket:
        """A new bucket with these objects; ``about`` sets fields of Bucket."""
        bucket = self.buckets[name] = Bucket(**{"region": self.region, **about})
        for key, content in (contents or {}).items():
            bucket.put(key, content)
        return bucket

    def generated(self, name: str, layout: Layout) -> None:
        """A new bucket that is listed only, of any size: its keys are computed."""
        self.buckets[name] = GeneratedBucket(region=self.region, layout=layout)

    def wait(self, seconds: float) -> bool:
        """True when the server stops meanwhile."""
        return self._stopping.wait(seconds)

    def stop(self) -> None:
        self._stopping.set()
        self._tcp.shutdown()
        self._thread.join()
        self._tcp.server_close()


def _read(stream: object, connection: int, now: float) -> Request | None:
    line = stream.readline()
    if not line:
        return None
    method, target, _ = line.decode("latin-1").split(" ")
    headers = {}
    while (header := stream.readline().decode("latin-1").strip()) != "":
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    return Request(method, target, headers, connection, now)


class _Answer:
    """One request's answer; ``give`` is False when the connection ends with it."""

    def __init__(self, server: FakeS3, request: Request, out: object) -> None:
        self.server = server
        self.request = request
        self.out = out
        path, _, query = request.target.partition("?")
        self.query = dict(parse_qsl(query, keep_blank_values=True))
        host = request.headers["host"].partition(":")[0]
        self.host_region: str | None = None
        if host.endswith(_AWS):
            before, _, after = host.removesuffix(_AWS).rpartition("s3")
            self.host_region = after.removeprefix(".") or "us-east-1"
            path = f"/{before[:-1]}{path}" if before else path
        self.name, _, key = path[1:].partition("/")
        self.key = unquote(key, errors="strict")

    def give(self) -> bool:
        if self.server.keeps_requests:
            self.server.requests.append(self.request)
        fault = self.server.script.popleft() if self.server.script else None
        if isinstance(fault, Late):
            if self.server.wait(fault.seconds):
                return False
            fault = None
        if isinstance(fault, Refuse):
            return self._refuse(fault)
        bucket = self.server.buckets.get(self.name)
        refusal = self._refusal(bucket)
        if refusal or bucket is None:
            return self._refuse(refusal or Refuse(404, "NoSuchBucket"))
        if "list-type" in self.query or "versions" in self.query:
            if self.server.page_s and self.server.wait(self.server.page_s):
                return False
            tells_restore = self.request.headers.get("x-amz-optional-object-attributes") == "RestoreStatus"
            emptied = int(self.query.get("continuation-token", "0"))
            if "versions" in self.query:
                body = versions.page(self.name, bucket, self.query)
            elif emptied < self.server.empty_pages:
                body = _page(self.name, self.query, b"", is_last=False, token=str(emptied + 1))
            else:
                body = _listing(self.name, bucket, self.query, tells_restore=tells_restore)
            return self._send(200, {"Content-Type": "application/xml"}, body, fault)
        return self._tags(bucket, fault) if "tagging" in self.query else self._object(bucket, fault)

    def _refusal(self, bucket: Bucket | None) -> Refuse | None:
        headers = self.request.headers
        if bucket is None:
            return Refuse(404, "NoSuchBucket")
        if self.host_region not in {None, bucket.region}:
            away = (("x-amz-bucket-region", bucket.region),)
            if bucket.is_young:
                host = f"https://{self.name}.s3.{bucket.region}{_AWS}/"
                return Refuse(307, "TemporaryRedirect", headers=(*away, ("Location", host)))
            return Refuse(301, "PermanentRedirect", elements=f"<Region>{bucket.region}</Region>", headers=away)
        if "authorization" not in headers:
            return None if bucket.is_public and not bucket.requester_pays else Refuse(403, "AccessDenied")
        wrong = sigv4.refusal(
            self.request.method,
            self.request.target,
            headers,
            region=bucket.region,
            keys=self.server.keys,
            expired=self.server.expired,
            now=self.server.clock(),
        )
        if wrong is None and bucket.requester_pays and headers.get("x-amz-request-payer") != "requester":
            return Refuse(403, "AccessDenied")
        return wrong

    def _object(self, bucket: Bucket, fault: Fault | None) -> bool:
        headers = self.request.headers
        stored = bucket.version(self.key, self.query.get("versionId"))
        if stored is None:
            return self._refuse(Refuse(404, "NoSuchVersion" if "versionId" in self.query else "NoSuchKey"))
        is_get = self.request.method == "GET"
        if stored.denied is not None:
            return self._refuse(Refuse(403, "AccessDenied", stored.denied))
        if self.request.if_match not in {None, f'"{stored.etag}"'}:
            return self._refuse(Refuse(412, "PreconditionFailed"))
        if is_get and stored.is_archived:
            tier = f"<AccessTier>{stored.access_tier}</AccessTier>" if stored.access_tier else ""
            elements = f"<StorageClass>{stored.storage_class}</StorageClass>{tier}"
            return self._refuse(Refuse(403, "InvalidObjectState", elements=elements))
        body, status, more = stored.content, 200, {}
        if "range" in headers and not self.server.ignores_range:
            first, _, last = headers["range"].removeprefix("bytes=").partition("-")
            if int(first) >= len(body):
                return self._refuse(Refuse(416, "InvalidRange"))
            body = body[int(first) : int(last) + 1 if last else None]
            status = 206
            more = {"Content-Range": f"bytes {first}-{int(first) + len(body) - 1}/{len(stored.content)}"}
        return self._send(status, {**_about(stored), **more}, body, fault)

    def _tags(self, bucket: Bucket, fault: Fault | None) -> bool:
        stored = bucket.version(self.key, self.query.get("versionId"))
        if stored is None:
            return self._refuse(Refuse(404, "NoSuchVersion" if "versionId" in self.query else "NoSuchKey"))
        if stored.denied_tags is not None:
            return self._refuse(Refuse(403, "AccessDenied", stored.denied_tags))
        return self._send(200, {"Content-Type": "application/xml"}, _tagging(stored.tags), fault)

    def _refuse(self, refusal: Refuse) -> bool:
        body = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{refusal.code}</Code>'
            f"<Message>{refusal.message}</Message>{refusal.elements}</Error>"
        ).encode()
        return self._send(refusal.status, {"Content-Type": "application/xml", **dict(refusal.headers)}, body, None)

    def _send(self, status: int, headers: dict[str, str], body: bytes, fault: Fault | None) -> bool:
        date = formatdate(self.server.clock(), usegmt=True)
        lines = [f"HTTP/1.1 {status} Because", f"Date: {date}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.out.write("\r\n".join([*lines, "", ""]).encode())
        if self.request.method == "HEAD":
            return True
        if not isinstance(fault, Cut | Stall | Drip):
            self.out.write(body)
            return True
        self.out.write(body[: fault.after])
        self.out.flush()
        if isinstance(fault, Stall):
            self.server.wait(20)
        if isinstance(fault, Drip):
            for byte in body[fault.after :]:
                if self.server.wait(fault.every_s):
                    break
                self.out.write(bytes([byte]))
                self.out.flush()
        return False


def _tagging(tags: dict[str, str]) -> bytes:
    told = "".join(f"<Tag><Key>{escape(n)}</Key><Value>{escape(v)}</Value></Tag>" for n, v in tags.items())
    xmlns = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<Tagging {xmlns}>'
    return f"{head}<TagSet>{told}</TagSet></Tagging>".encode()


def _about(stored: Stored) -> dict[str, str]:
    about = {"ETag": f'"{stored.etag}"', "x-amz-version-id": stored.version_id}
    if stored.storage_class != "STANDARD":  # S3 leaves it out
        about["x-amz-storage-class"] = stored.storage_class
    if stored.restored is not None:
        expiry = ', expiry-date="Fri, 21 Dec 2029 00:00:00 GMT"' if stored.restored else ""
        about["x-amz-restore"] = f'ongoing-request="{str(not stored.restored).lower()}"{expiry}'
    if stored.content_encoding:
        about["Content-Encoding"] = stored.content_encoding
    return about


def _restore(restored: bool | None) -> str:
    if restored is None:
        return ""
    expiry = "<RestoreExpiryDate>2029-12-21T00:00:00.000Z</RestoreExpiryDate>" if restored else ""
    going_on = str(not restored).lower()
    return f"<RestoreStatus><IsRestoreInProgress>{going_on}</IsRestoreInProgress>{expiry}</RestoreStatus>"


def _listing(name: str, bucket: Bucket, query: dict[str, str], *, tells_restore: bool) -> bytes:
    """ListObjectsV2."""
    after, prefix, most = query.get("start-after", ""), query.get("prefix", ""), int(query.get("max-keys", "1000"))
    assert query.get("encoding-type") == "url", "XML cannot hold every key"
    if isinstance(bucket, GeneratedBucket) and not prefix and not tells_restore:
        entries, is_last = bucket.page(after=after, most=most, told=_told)
        return _page(name, query, entries, is_last=is_last)
    some = bucket.listed(after=after, prefix=prefix, most=most + 1)
    told = "".join(_told(entry, tells_restore=tells_restore) for entry in some[:most])
    return _page(name, query, told.encode(), is_last=len(some) <= most)


def _told(entry: Entry, *, tells_restore: bool = False) -> str:
    return (
        f"<Contents><Key>{_encoded(entry.key)}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
        f"<ETag>&quot;{entry.etag}&quot;</ETag><Size>{entry.size}</Size>"
        f"<StorageClass>{entry.storage_class}</StorageClass>{_restore(entry.restored) if tells_restore else ''}"
        "</Contents>"
    )


def _encoded(key: str) -> str:
    return key.translate(_URL) if key.isascii() else quote_plus(key, safe="/")


def _page(name: str, query: dict[str, str], entries: bytes, *, is_last: bool, token: str = "") -> bytes:
    prefix, after = (quote_plus(query.get(part, ""), safe="/") for part in ("prefix", "start-after"))
    told = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{name}</Name><Prefix>{prefix}</Prefix><StartAfter>{after}</StartAfter>{told}"
        f"<MaxKeys>{query.get('max-keys', '1000')}</MaxKeys><EncodingType>url</EncodingType>"
        f"<IsTruncated>{str(not is_last).lower()}</IsTruncated>"
    )
    return b"".join((head.encode(), entries, b"</ListBucketResult>"))
