"""Which machine and which user: what each system says becomes a mark, on every system; and each system is asked for real on itself."""

from __future__ import annotations

import os
import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.chains import SOMEWHERE, make_chain, refused
from tests.support.systems import ON_WINDOWS
from verifier.core.reading import USER_ID
from verifier.errors import NoMachineId
from verifier.workstation import identity
from verifier.workstation.identity import board, hashed, macos, windows

GUID = "841774ee-e761-45e4-837c-58e9664773da"
UUID = "c719123d-c5c4-4a40-aa1f-6d2a48adfda4"
BIOS = b"\x00\x18\x00\x00" + bytes(20) + b"A maker\0A version\0\0"
SYSTEM = b"\x01\x1b\x01\x00" + bytes(4) + bytes.fromhex("3d1219c7c4c5404aaa1f6d2a48adfda4") + bytes(3) + b"\0\0"
END = b"\x7f\x04\x05\x00\0\0"


def table(structures: bytes) -> bytes:
    """What GetSystemFirmwareTable answers."""
    return struct.pack("<BBBBI", 0, 3, 0, 0, len(structures)) + structures


TABLE = table(BIOS + SYSTEM + END)


def test_a_mark_is_the_same_for_ever() -> None:
    """Every borrow of an installation is bound to it."""
    assert windows.mark(GUID, TABLE) == ("8qyzKxBTrQQ74NAxfT6mNw", "windows-machine-guid", "cvh2_ivhs3jeyEttEc36dQ")
    assert macos.mark(IOREG) == ("cvh2_ivhs3jeyEttEc36dQ", "macos-platform-uuid", None)


@pytest.mark.parametrize("guid", [GUID.upper(), f"{{{GUID}}}", f" {GUID}\n"])
def test_a_machine_guid_is_one_however_it_is_written(guid: str) -> None:
    assert windows.mark(guid, b"").id == hashed(GUID)


BAD_GUIDS = [
    "",
    "{}",
    "00000000-0000-0000-0000-000000000000",
    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "03000200-0400-0500-0006-000700080009",
    GUID.replace("-", ""),
    GUID[:-1],
    "x" * 36,
    5,
    None,
    b"x",
]


@pytest.mark.parametrize("guid", BAD_GUIDS, ids=repr)
def test_a_windows_without_a_machine_guid_is_told_with_what_to_do(guid: object) -> None:
    with pytest.raises(NoMachineId, match="MachineGuid") as caught:
        windows.mark(guid, TABLE)
    assert "New-ItemProperty" in caught.value.hint


def test_a_machine_is_the_same_without_its_boards_number() -> None:
    """The second mark is for the authority to notice clones by; nothing is bound to it."""
    assert windows.mark(GUID, b"") == windows.mark(GUID, TABLE)._replace(secondary=None)


NO_NUMBER: dict[str, bytes] = {
    "no table": b"",
    "half a header": TABLE[:5],
    "no structure": table(b""),
    "no system information": table(BIOS + END),
    "an old structure without a number": table(b"\x01\x08\x01\x00" + bytes(4) + b"\0\0" + END),
    "a structure of no length": table(b"\x01\x00\x01\x00" + bytes(40)),
    "a structure without an end": table(BIOS.rstrip(b"\0")),
    "zeros": table(b"\x01\x1b\x01\x00" + bytes(23) + b"\0\0" + END),
    "a number of many boards": table(
        b"\x01\x1b\x01\x00" + bytes(4) + bytes.fromhex("00020003000400050006000700080009") + bytes(5)
    ),
}


@pytest.mark.parametrize("data", NO_NUMBER.values(), ids=NO_NUMBER)
def test_a_table_without_a_number_of_this_board_is_no_second_mark(data: bytes) -> None:
    assert windows.mark(GUID, data).secondary is None


@pytest.mark.parametrize("end", range(len(TABLE)))
def test_a_table_that_is_cut_off_is_read_as_far_as_it_goes(end: int) -> None:
    assert windows.mark(GUID, TABLE[:end]).secondary in {None, hashed(UUID)}


@given(st.binary(max_size=200))
def test_no_table_breaks_the_reader(structures: bytes) -> None:
    assert board.uuid_in(structures) == "" or board.UUID.match(board.uuid_in(structures))


def test_the_boards_number_is_the_same_on_every_system() -> None:
    """Linux writes it as text (product_uuid), Windows hands out the table."""
    assert board.mark(UUID + "\n") == board.mark(UUID.upper()) == windows.mark(GUID, TABLE).secondary


SIDS = {
    "S-1-5-18": "010100000000000512000000",
    "S-1-5-32-544": "01020000000000052000000020020000",
    "S-1-5-21-3623811015-3361044348-30300820-1013": "010500000000000515000000c7f7fed77c7755c8945ace01f5030000",
    "S-1-12-1-4294967295": "010200000000000c01000000ffffffff",
    "S-1-281474976710655-0": "0101ffffffffffff00000000",
}


@pytest.mark.parametrize("text", SIDS)
def test_a_sid_is_written_as_windows_writes_it(text: str) -> None:
    assert windows.sid(bytes.fromhex(SIDS[text])) == text
    assert windows.sid(bytes.fromhex(SIDS[text]) + b"what stands behind it") == text
    assert USER_ID.match(f"sid:{text}")


@pytest.mark.parametrize(
    "raw", ["", "01", "0101000000000005", "020100000000000512000000", "010000000000000512000000", "0110" + "00" * 70]
)
def test_what_is_no_sid_is_no_user(raw: str) -> None:
    with pytest.raises(ValueError, match="a SID of"):
        windows.sid(bytes.fromhex(raw))


IOREG = f"""\
+-o J314sAP  <class IOPlatformExpertDevice, id 0x100000227, registered, matched, active, busy 0 (0 ms), retain 40>
    {{
      "manufacturer" = <"Apple Inc.">
      "IOPlatformSerialNumber" = "C02XK0AAJGH5"
      "IOPlatformUUID" = "{UUID.upper()}"
      "target-sub-type" = <"J314sAP">
    }}

""".encode()


@pytest.mark.parametrize(
    "output",
    [
        b"",
        b"\xff\x00",
        IOREG[:150],
        IOREG.replace(b"IOPlatformUUID", b"UUID"),
        IOREG.replace(UUID.upper().encode(), b"0" * 36),
        IOREG.replace(UUID.upper().encode(), b"12345678-1234-5678-90AB-CDDEEFAABBCC"),
    ],
)
def test_a_mac_that_does_not_say_which_one_it_is(output: bytes) -> None:
    with pytest.raises(NoMachineId) as caught:
        macos.mark(output)
    assert "ioreg" in caught.value.hint


@pytest.mark.parametrize("user", ["uid:1000", "sid:S-1-5-21-0-0-0-1000"])
def test_t5_a_local_account_counts_only_together_with_its_machine(user: str) -> None:
    """Accounts of two machines that were never joined to a domain can have one number."""
    chain = make_chain(workstation=SOMEWHERE._replace(user_id=user))
    assert chain.verify().warnings == ()
    chain.workstation = chain.workstation._replace(machine_id="machine-another")
    with refused("wrong-machine"):
        chain.verify()


@pytest.mark.skipif(sys.platform != "darwin", reason="asks macOS itself")
def test_this_mac_says_which_one_it_is() -> None:
    assert identity.system().machine() == macos.machine()
    assert identity.system().user().id == f"uid:{os.getuid()}"


@ON_WINDOWS
def test_this_windows_says_which_machine_and_whose_process_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform == "win32":
        import winreg

        path = r"SOFTWARE\Microsoft\Cryptography"
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY) as key:
            raw = winreg.QueryValueEx(key, "MachineGuid")[0]
        machine, user = identity.system().machine(), identity.system().user()
        assert machine[:2] == (hashed(raw), "windows-machine-guid")
        assert raw not in str(machine)
        assert user.id == f"sid:{sid_by_windows()}"
        assert user.name.count("\\") == 1
        for name in ("USERNAME", "USERDOMAIN", "USERPROFILE", "COMPUTERNAME", "LOGNAME"):
            monkeypatch.setenv(name, "mallory")
        assert identity.system().user() == user


def sid_by_windows() -> str:
    """The SID of this process as Windows itself writes it."""
    if sys.platform == "win32":
        import ctypes

        text = ctypes.c_wchar_p()
        raw = ctypes.create_string_buffer(windows._token_user())
        assert ctypes.WinDLL("advapi32").ConvertSidToStringSidW(raw, ctypes.byref(text))
        return text.value or ""
    return ""
