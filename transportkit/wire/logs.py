"""Loggers that never break the request they log.

The handlers of the standard library report their own failures. A filter that fails raises, and so
may any other handler: in the middle of a request, which holds a connection and may have gone well.
"""

import logging
import traceback
from typing import Any


class Log(logging.LoggerAdapter[logging.Logger]):
    """A logger whose filters and handlers may raise: it is reported on stderr, as logging does.

    Arguments:
        name: that of the logger.
    """

    def __init__(self, name: str) -> None:
        super().__init__(logging.getLogger(name))

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:  # noqa: ANN401 - as of the base
        try:
            super().log(level, msg, *args, stacklevel=2, **kwargs)
        except Exception:  # noqa: BLE001 - it is the user's, and no part of the request
            if logging.raiseExceptions:
                traceback.print_exc()
