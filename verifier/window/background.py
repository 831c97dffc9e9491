"""Work that takes its time, such as asking the authority: in a thread beside the window, its result brought to the loop of Tk."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from tkinter import Misc
from typing import Generic, TypeVar

T = TypeVar("T")
# So often the loop looks whether the work is done; nobody notices so short a time.
LOOK_MILLISECONDS = 50


class Background(Generic[T]):
    """Begins the work at once. `done` is called in the loop of Tk with what came of it: `Future.result` returns it, or raises.

    The work itself must not touch Tk, which is for one thread alone. Nor may the collector of garbage, which runs in any thread: that is
    why the window has no `tkinter.Variable`, the one kind of thing there that speaks to Tk when it is collected. With the window closed it goes on without anybody to tell;
    a process that ends breaks it off, which costs nothing: what was asked can be asked again.
    """

    def __init__(self, owner: Misc, work: Callable[[], T], done: Callable[[Future[T]], None]) -> None:
        self._owner, self._work, self._done = owner, work, done
        self._future: Future[T] = Future()
        Thread(target=self._run, name="carnet-background", daemon=True).start()
        self._next = owner.after(LOOK_MILLISECONDS, self._look)

    def forget(self) -> None:
        """Tells nobody of the result: the window is closed."""
        self._owner.after_cancel(self._next)

    def _run(self) -> None:
        try:
            self._future.set_result(self._work())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
            self._future.set_exception(error)

    def _look(self) -> None:
        if self._future.done():
            self._done(self._future)
        else:
            self._next = self._owner.after(LOOK_MILLISECONDS, self._look)
