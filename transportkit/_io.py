"""The few primitives in which sync and async code differ, in pairs: `x` and `async_x`."""

from contextlib import AbstractContextManager, nullcontext


def shield() -> AbstractContextManager[object]:
    """Nothing can cancel sync code: there is nothing to shield it from."""
    return nullcontext()


def async_shield() -> AbstractContextManager[object]:
    """Let what is inside run to its end although the task around it is cancelled."""
    # anyio costs a third of this library's import time, and most programs never need it here.
    import anyio

    return anyio.CancelScope(shield=True)
