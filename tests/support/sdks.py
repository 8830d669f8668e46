"""What the tests of SDKs have in common: an origin that is busy at first, and what it then answers.

The SDKs' own retries are off, so it is the transport that asks again.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from transportkit import RetryPolicy

from .faulty import Step, answer, faulty_origin

# Asking a model is a POST. An SDK's user knows that asking twice does no harm.
POLICY = RetryPolicy(methods={"GET", "POST"})

MESSAGES = [{"role": "user", "content": "Who are you?"}]
_CHAT = {"id": "c1", "created": 1, "model": "m"}
COMPLETION = {
    **_CHAT,
    "object": "chat.completion",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Ada"}}
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
CHUNKS = [
    {
        **_CHAT,
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "finish_reason": end, "delta": {"content": text}}],
    }
    for text, end in [("A", None), ("da", "stop")]
]


def reply(body: object) -> Step:
    """A response of JSON."""
    return answer(200, {"Content-Type": "application/json"}, json.dumps(body).encode())


def events(*bodies: dict[str, object]) -> Step:
    """A response of server-sent events, named by their type if they have one."""
    names = (f"event: {body['type']}\n" if "type" in body else "" for body in bodies)
    data = (f"data: {json.dumps(body)}\n\n" for body in bodies)
    text = "".join(map("".join, zip(names, data, strict=True))) + "data: [DONE]\n\n"
    return answer(200, {"Content-Type": "text/event-stream"}, text.encode())


@contextmanager
def busy(step: Step, *more: Step) -> Iterator[str]:
    """The URL of an origin that is asked once more, over the same connection, and then answers."""
    with faulty_origin(answer(503, {"Retry-After": "0"}), step, *more) as origin:
        yield origin.url
        assert len(origin.requests) == 2 + len(more)
        assert origin.connections == 1
