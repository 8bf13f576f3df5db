"""The Lambda of POST /detect: the API's own handler, with the engine made ready while the function starts.

It is a function of its own because the engine (RE2, Hyperscan) would slow the start of every other request. It needs
neither the database nor a queue, only the rules: S3SCAN_RULES, and the fingerprint key where an allow list asks for it.
"""

from __future__ import annotations

from api_lambda.handler import handler
from scanner_tasks import bootstrap, log
from scanner_tasks.core.errors import ScannerError
from scanner_tasks.core.model import Confidence

__all__ = ["handler"]

try:
    bootstrap.text_detector(Confidence.MEDIUM, test_values=False).prepare()
except ScannerError:
    # A pack or a setting is wrong: each request is answered with a problem, not by Lambda's own error page.
    log.get_logger().exception("detector_not_ready")
