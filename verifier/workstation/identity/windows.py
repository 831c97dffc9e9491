"""Windows: MachineGuid of the registry and the SID of the process token."""

from __future__ import annotations

import struct
import sys

from verifier.errors import NoMachineId
from verifier.workstation.identity import MachineMark, OsUser, board, hashed

KEY = r"SOFTWARE\Microsoft\Cryptography"
VALUE = "MachineGuid"
HINT = (
    "Windows makes this value when it is set up. As administrator, in PowerShell: New-ItemProperty -Path "
    rf"HKLM:\{KEY} -Name {VALUE} -Value ([guid]::NewGuid()) -Force. Licenses borrowed here before are then of another machine."
)
# GetSystemFirmwareTable: RawSMBIOSData has its own version and length before the structures.
TABLE_HEADER = struct.Struct("<BBBBI")
# [MS-DTYP] 2.4.2.2: revision, number of parts, authority in six bytes; then the parts, little-endian.
SID_HEADER = struct.Struct(">BBHI")
SID_REVISION = 1
MOST_SID_PARTS = 15


def mark(guid: object, firmware_table: bytes) -> MachineMark:
    """The machine by its MachineGuid; the board's UUID in the SMBIOS table, where there is one, is the second mark.

    Raises NoMachineId.
    """
    raw = guid.strip().strip("{}").lower() if isinstance(guid, str) else ""
    if not board.UUID.match(raw) or not board.is_of_one_machine(raw):
        raise NoMachineId(rf"this machine has no machine id: HKLM\{KEY} {VALUE} is {guid!r}", hint=HINT)
    return MachineMark(hashed(raw), "windows-machine-guid", board.mark(board.uuid_in(_structures(firmware_table))))


def _structures(firmware_table: bytes) -> bytes:
    if len(firmware_table) < TABLE_HEADER.size:
        return b""
    length = TABLE_HEADER.unpack_from(firmware_table)[-1]
    return firmware_table[TABLE_HEADER.size :][:length]


def sid(raw: bytes) -> str:
    """`S-1-5-21-...` of a security identifier as Windows keeps it. Raises ValueError when it is none."""
    if len(raw) < SID_HEADER.size:
        raise ValueError(f"a SID of {len(raw)} bytes")
    revision, count, high, low = SID_HEADER.unpack_from(raw)
    if revision != SID_REVISION or not 0 < count <= MOST_SID_PARTS or len(raw) < SID_HEADER.size + 4 * count:
        raise ValueError(f"a SID of revision {revision} with {count} parts in {len(raw)} bytes")
    parts = struct.unpack_from(f"<{count}I", raw, SID_HEADER.size)
    return "-".join(["S", str(revision), str(high << 32 | low), *map(str, parts)])


if sys.platform == "win32":
    import ctypes
    import winreg
    from ctypes import wintypes

    SMBIOS = int.from_bytes(b"RSMB", "big")
    TOKEN_QUERY = 0x0008
    TOKEN_USER = 1
    NAME_SAM_COMPATIBLE = 2
    LONGEST_NAME = 1024

    def machine() -> MachineMark:
        """The machine by its MachineGuid, of the registry's 64-bit view also in a Python of 32 bits. Raises NoMachineId."""
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, KEY, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY) as key:
                guid = winreg.QueryValueEx(key, VALUE)[0]
        except OSError as error:
            raise NoMachineId(rf"this machine has no machine id: HKLM\{KEY} {VALUE}: {error.strerror}", hint=HINT) from error
        return mark(guid, _firmware_table())

    def user() -> OsUser:
        r"""The user of the process token; the name is `DOMAIN\user`, or the SID again where Windows has none."""
        number = sid(_token_user())
        return OsUser(f"sid:{number}", _user_name() or number)

    def _firmware_table() -> bytes:
        r"""The SMBIOS table, b"" where this Windows shows none: the second mark is then missing, as it may be."""
        ask = ctypes.WinDLL("kernel32", use_last_error=True).GetSystemFirmwareTable
        ask.argtypes = [wintypes.DWORD, wintypes.DWORD, ctypes.c_void_p, wintypes.DWORD]
        ask.restype = wintypes.UINT
        size = ask(SMBIOS, 0, None, 0)
        if size < TABLE_HEADER.size:
            return b""
        table = ctypes.create_string_buffer(size)
        return table.raw if ask(SMBIOS, 0, table, size) == size else b""

    def _token_user() -> bytes:
        """The SID of the user of this process, as Windows keeps it. Raises OSError."""
        kernel, advapi = (ctypes.WinDLL(name, use_last_error=True) for name in ("kernel32", "advapi32"))
        kernel.GetCurrentProcess.restype = wintypes.HANDLE
        kernel.CloseHandle.argtypes = [wintypes.HANDLE]
        advapi.OpenProcessToken.argtypes = [wintypes.HANDLE, wintypes.DWORD, ctypes.POINTER(wintypes.HANDLE)]
        ask = advapi.GetTokenInformation
        size = wintypes.DWORD()
        ask.argtypes = [wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD, ctypes.POINTER(wintypes.DWORD)]
        token = wintypes.HANDLE()
        if not advapi.OpenProcessToken(kernel.GetCurrentProcess(), TOKEN_QUERY, ctypes.byref(token)):
            raise ctypes.WinError(ctypes.get_last_error())
        try:
            ask(token, TOKEN_USER, None, 0, ctypes.byref(size))
            answer = ctypes.create_string_buffer(size.value)
            if not ask(token, TOKEN_USER, answer, size, ctypes.byref(size)):
                raise ctypes.WinError(ctypes.get_last_error())
        finally:
            kernel.CloseHandle(token)
        # TOKEN_USER begins with a pointer to the SID, which stands behind it in the same answer.
        pointer = ctypes.cast(answer, ctypes.POINTER(ctypes.c_void_p))[0] or 0
        return answer.raw[pointer - ctypes.addressof(answer) :]

    def _user_name() -> str:
        """The name of the user of this process with its domain, or "" where Windows does not say."""
        ask = ctypes.WinDLL("secur32", use_last_error=True).GetUserNameExW
        ask.argtypes = [ctypes.c_int, wintypes.LPWSTR, ctypes.POINTER(wintypes.ULONG)]
        ask.restype = wintypes.BOOLEAN
        name, size = ctypes.create_unicode_buffer(LONGEST_NAME), wintypes.ULONG(LONGEST_NAME)
        return name.value if ask(NAME_SAM_COMPATIBLE, name, ctypes.byref(size)) else ""
