"""Pure detection: text segments and rules → findings.

``scanner_tasks.detect(text)`` is a function of the package above. Importing this one puts it in that function's place,
as Python does with every package, so it can be called in the same way.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Detect(ModuleType):
    def __call__(self, text: str, **options: Any) -> Any:
        """As ``scanner_tasks.detect``."""
        return vars(sys.modules["scanner_tasks"])["_detect"](text, **options)


sys.modules[__name__].__class__ = _Detect
