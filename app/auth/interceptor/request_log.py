"""Each outgoing request as a line in the log."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict

from ..request_event import RequestEvent

logger = logging.getLogger(__name__)


def is_log_open() -> bool:
    """Whether the log takes such lines."""
    return logger.isEnabledFor(logging.INFO)


def log_request(event: RequestEvent) -> None:
    """One line of JSON at INFO; its members are those of `RequestEvent`."""
    logger.info("%s", json.dumps(asdict(event)))
