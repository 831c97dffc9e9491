"""How the Python that runs this was built: what `doctor` says of it."""

from __future__ import annotations

import shlex
import sysconfig

# What a Python that was not optimized costs, as it was measured with the server.
SLOWER = "the server takes about a third more processor time"


def sentence() -> str:
    """How this Python was built. A slow one is no fault of the authority: it is told, and nothing is wrong."""
    return sentence_of(
        sysconfig.get_config_var("PY_CFLAGS"),
        sysconfig.get_config_var("CONFIG_ARGS"),
        is_debug=bool(sysconfig.get_config_var("Py_DEBUG")),
    )


def sentence_of(compiler_flags: str | None, configure_arguments: str | None, *, is_debug: bool = False) -> str:
    """How Python was built, by `PY_CFLAGS`, `CONFIG_ARGS` and `Py_DEBUG` of `sysconfig`, and what to do when that is slow.

    Of several -O the compiler takes the last, and so does configure of its arguments. A build that says nothing of a profile
    may have been made with one all the same: distributions give it to make. Without flags, as on Windows, where builds are
    released optimized, it is taken for optimized.
    """
    mend = "Install the system's own Python, or build one with --enable-optimizations"
    flags = (compiler_flags or "").split()
    level = next((flag for flag in reversed(flags) if flag.startswith("-O")), "")
    if is_debug:
        return f"Python is a debug build: {SLOWER}, or worse. {mend}"
    if compiler_flags and level not in {"-O2", "-O3", "-Ofast"}:
        return f"Python was built without optimization ({level or 'no -O'}): {SLOWER}. {mend}"
    if "-fprofile-use" in flags or _is_enabled(configure_arguments) or not compiler_flags:
        return "Python was built with optimization"
    return f"Python was built with {level}, and does not say whether by a profile too (--enable-optimizations): without one it is slower"


def _is_enabled(configure_arguments: str | None) -> bool:
    """Whether configure was told to optimize by a profile, in its last word on it."""
    words = {
        "--enable-optimizations": True,
        "--enable-optimizations=yes": True,
        "--enable-optimizations=no": False,
        "--disable-optimizations": False,
    }
    try:
        arguments = shlex.split(configure_arguments or "")
    except ValueError:
        return False
    return next((words[argument] for argument in reversed(arguments) if argument in words), False)
