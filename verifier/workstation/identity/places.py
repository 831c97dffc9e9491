"""Where a process on Linux runs: on the machine itself, in a container, in WSL, or among users that a namespace makes up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

# user_namespaces(7): what stands in the map of every process that is in no user namespace. Nobody without rights can map more
# than the users that are his, so that this line is not to be had in a namespace of one's own.
EVERY_USER = re.compile(rb"\A\s*0\s+0\s+4294967295\s*\Z")
# The numbers of the first namespaces of a running Linux: include/linux/proc_ns.h, the same since Linux 3.8.
FIRST_NAMESPACES: Mapping[str, int] = {"pid": 0xEFFFFFFC, "cgroup": 0xEFFFFFFB}
# The kernel of the Windows Subsystem for Linux says whose it is.
WSL_KERNEL = b"microsoft"


class Place(StrEnum):
    """Where a process runs; the word stands in a request behind the source of the machine's id, "" for the machine itself."""

    MACHINE = ""
    CONTAINER = "container"
    WSL = "wsl"
    USER_NAMESPACE = "user-namespace"


# What people are told of a place; nothing of the machine itself.
NOTES: Mapping[Place, str] = {
    Place.CONTAINER: "this is a container: all that are made of one image may have one machine id, and the request says so",
    Place.WSL: "this is the Windows Subsystem for Linux: a copy of the distribution has the same machine id, and the request says so",
    Place.USER_NAMESPACE: "the users here are those of a user namespace, taken by CARNET_CONTAINER=accept, and the request says so",
}


def place(uid_map: bytes, namespaces: Mapping[str, int], kernel: bytes, *, is_marked: bool) -> Place:
    """The place by what the kernel says: the map of users, the numbers of the namespaces `pid` and `cgroup`, its own version.

    `is_marked`: a manager of containers left its mark. It counts where the kernel shows no namespaces; a virtual machine that was
    made of the image of a container has the mark, too.
    """
    if not EVERY_USER.match(uid_map):
        return Place.USER_NAMESPACE
    if any(namespaces.get(name, first) != first for name, first in FIRST_NAMESPACES.items()):
        return Place.CONTAINER
    if is_marked and not namespaces:
        return Place.CONTAINER
    return Place.WSL if WSL_KERNEL in kernel.lower() else Place.MACHINE


def note(source: str) -> str | None:
    """What people are told of the place in a source such as `linux-machine-id, container`; None of the machine itself."""
    _, _, word = source.partition(", ")
    return NOTES.get(Place(word)) if word in set(Place) else None
