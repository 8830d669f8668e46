"""Many light proxies in one thread: each answers plain requests itself, and counts them.

They die and come back at the same ports, several at once.
"""

import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"


class Fleet:
    """Proxies on loopback.

    Arguments:
        ports: one for each.

    Attributes:
        urls: one for each.
        served: how many requests each has answered; may be set back.
    """

    def __init__(self, ports: list[int]) -> None:
        self.urls = [f"http://127.0.0.1:{port}" for port in ports]
        self.served = [0] * len(ports)
        self._ports = ports
        # Of each that is alive the listener, and then its connections.
        self._sockets: dict[int, list[socket.socket]] = {}
        self._selector = selectors.DefaultSelector()
        self._bell, self._button = socket.socketpair()
        self._orders: deque[Callable[[], None]] = deque()
        self._thread = threading.Thread(target=self._run)
        self._selector.register(self._bell, selectors.EVENT_READ, self._obey)
        self._thread.start()

    def start(self, *numbers: int) -> None:
        """Return when these accept connections."""
        self._do(partial(self._start, numbers))

    def kill(self, *numbers: int) -> None:
        """Return when these refuse connections, and have dropped those that they had."""
        self._do(partial(self._kill, numbers))

    def stop(self) -> None:
        self.kill(*self._sockets)
        self._button.close()
        self._thread.join()
        self._selector.close()
        self._bell.close()

    def _run(self) -> None:
        while self._selector.get_map():
            for key, _ in self._selector.select():
                key.data()

    def _do(self, order: Callable[[], None]) -> None:
        """Have the thread do something, and wait until it has."""
        done = threading.Event()

        def do() -> None:
            order()
            done.set()

        self._orders.append(do)
        self._button.send(b"!")
        assert done.wait(10)

    def _obey(self) -> None:
        if not self._bell.recv(1):
            self._selector.unregister(self._bell)
            return
        self._orders.popleft()()

    def _start(self, numbers: tuple[int, ...]) -> None:
        for number in numbers:
            # This one asks for SO_REUSEADDR by itself.
            listener = socket.create_server(("127.0.0.1", self._ports[number]), backlog=1024)
            listener.setblocking(False)
            self._sockets[number] = [listener]
            self._selector.register(
                listener, selectors.EVENT_READ, partial(self._accept, number, listener)
            )

    def _kill(self, numbers: tuple[int, ...]) -> None:
        for number in numbers:
            for each in self._sockets.pop(number):
                self._selector.unregister(each)
                each.close()

    def _accept(self, number: int, listener: socket.socket) -> None:
        if listener.fileno() == -1:
            return  # It was closed in this very round of events.
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return
        self._sockets[number].append(connection)
        self._selector.register(
            connection, selectors.EVENT_READ, partial(self._answer, number, connection)
        )

    def _answer(self, number: int, connection: socket.socket) -> None:
        if connection.fileno() == -1:
            return
        try:
            # The head of a GET is one small piece.
            received = connection.recv(65536)
            if received:
                assert received.endswith(b"\r\n\r\n")
                self.served[number] += 1
                connection.sendall(_ANSWER)
                return
        except ConnectionError:
            pass
        self._sockets[number].remove(connection)
        self._selector.unregister(connection)
        connection.close()


@contextmanager
def fleet(size: int) -> Iterator[Fleet]:
    """This many proxies, alive at first, whose ports stay their own while they are dead."""
    with ExitStack() as stack:
        reserved = [stack.enter_context(socket.socket()) for _ in range(size)]
        for one in reserved:
            # Bound, but never listening: others can bind it too, if they ask for it by number.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("127.0.0.1", 0))
        it = Fleet([one.getsockname()[1] for one in reserved])
        try:
            it.start(*range(size))
            yield it
        finally:
            it.stop()
