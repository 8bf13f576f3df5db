"""The kombu classes that are repaired here, as untyped bases: kombu's annotations cover a part of them only."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_sqs: Any = import_module("kombu.transport.SQS")
_virtual: Any = import_module("kombu.transport.virtual.base")
_aws: Any = import_module("kombu.asynchronous.aws.connection")
_curl: Any = import_module("kombu.asynchronous.http.curl")
_aws_sqs: Any = import_module("kombu.asynchronous.aws.sqs.connection")

Channel: Any = _sqs.Channel
Transport: Any = _sqs.Transport
VirtualChannel: Any = _virtual.Channel
CurlClient: Any = _curl.CurlClient
AsyncHTTPSConnection: Any = _aws.AsyncHTTPSConnection
AsyncSQSConnection: Any = _aws_sqs.AsyncSQSConnection
queue_declare_ok: Any = _virtual.queue_declare_ok_t
encode_message: Any = _sqs.AsyncMessage().encode
dumps: Any = _sqs.dumps
bytes_to_str: Any = _sqs.bytes_to_str
