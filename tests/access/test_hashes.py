"""Passwords: every form that htpasswd writes fits its password and no other."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.hashes import is_hash, verify

SWITCHES = ("-m", "-s", "-d", "-B", "-2", "-5")
PASSWORDS = {"plain": "correct horse", "long": "x" * 80, "umlauts": "größe", "empty": ""}
# written by htpasswd 2.4 with these switches
WRITTEN = {
    "correct horse": (
        b"$apr1$hhexD7jl$zxS57I9gkk30hygE6XSOC1",
        b"{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=",
        b"skOaqw61TIff.",
        b"$2y$05$4dqKzzUCwPK/s629WTfFNOpi12JvRuAoKfLmGFxPOGht/f7ZXZ2Ie",
        b"$5$uc5MHVMJoNxAuzQK$sQWQOpKLVo9UzyZ.CVd14rxtFZHN/.rFiaGeqsdXjl0",
        b"$6$5RI09z3VgIbmmWbM$wx9ZwcB2rYHkt3DfDnx.Gq2dtvGxTiffKvCrdosKwtpUUUewOICSrJZokxZWQJKPnk16L31ZD61Tm1ITY0i"
        b"Dd/",
    ),
    "x" * 80: (
        b"$apr1$iHzgh5A1$rYORzoPPrfVeFNMZIlu/j0",
        b"{SHA}mhYxdXId8MC8tCysqx+LZq6VXc8=",
        b"fl80yonc/U3q6",
        b"$2y$05$wEY6Y327prEV5cKrC3aYS.sitn7in/v4L3Lem9YBlEtvIjho4/mee",
        b"$5$JB8RP9RptUfejqFD$wiSiBwkpj.c5Auj0ASHB.mrGlqJzjQ4e/8K4elwGyx8",
        b"$6$sF0u10oP2MEnmhPa$TZiBGyMywS9FB4cpx4RROwUrCWv5aKfZRCqtFh1z.EUtAjjsJkh78jMVc8UwOV/XGk3DZ3Gexy2toBlOKxX"
        b"Rz/",
    ),
    "größe": (
        b"$apr1$3IGDG6RN$rwtlprcfvg/lp/BU.lzsX/",
        b"{SHA}k8ajrPG0ob66JdikWjzNcZchU4s=",
        b"DYiRuxXuheucE",
        b"$2y$05$HEgZYiSJR6xLu5VfuFtOp.5d4iQAwHtCjoehNNGpILBdA5Lr1P6W2",
        b"$5$TgTGAHvdEFnD88Nl$uwjRkmcPD6RIyY2SKHuomWmmuzUMXBpvhzCCMwG5FAD",
        b"$6$46Ay/G4TPplgBKoH$wStSw3hxBhxu7ftrP1lQl/GlJKRAkwB9lrJMybPoVXeX/Rn7b2YWlUJ832m.eU6gEVeMiP6BjRYr6VXjTKN"
        b"0H.",
    ),
}


@pytest.mark.parametrize(
    ("password", "stored"),
    [(password, stored) for password, hashes in WRITTEN.items() for stored in hashes],
)
def test_every_form_that_htpasswd_writes_is_known(password: str, stored: bytes) -> None:
    assert is_hash(stored)
    assert verify(password.encode(), stored)
    assert not verify(b"y" + password.encode(), stored)
    assert not verify(b"", stored)


@pytest.mark.needs("htpasswd")
@pytest.mark.parametrize("password", PASSWORDS.values(), ids=PASSWORDS)
@pytest.mark.parametrize("switch", SWITCHES)
def test_what_the_real_htpasswd_writes_is_verified(switch: str, password: str) -> None:
    command = ["htpasswd", "-nb", switch, "ada", password]
    written = subprocess.run(command, capture_output=True, check=True).stdout
    stored = written.strip().partition(b":")[2]
    assert is_hash(stored)
    assert verify(password.encode(), stored)
    assert not verify(b"y" + password.encode(), stored)


@pytest.mark.needs("htpasswd")
def test_bcrypt_reads_72_bytes_as_apache_does() -> None:
    written = subprocess.run(["htpasswd", "-nbB", "ada", "x" * 72], capture_output=True, check=True).stdout
    assert verify(b"x" * 80, written.strip().partition(b":")[2])


def test_plain_text_is_no_hash() -> None:
    assert not is_hash(b"secret")
    assert not is_hash(b"")
    assert not verify(b"secret", b"secret")
    assert not verify(b"", b"")


def test_nul_and_endless_passwords_fit_nothing() -> None:
    for stored in WRITTEN["correct horse"]:
        assert not verify(b"correct horse\0", stored)
        assert not verify(b"x" * 5000, stored)


@given(st.sampled_from([b"$apr1$", b"{SHA}", b"$5$", b"$6$", b"$2y$05$", b"$1$", b""]), st.binary(max_size=60))
def test_a_malformed_hash_fits_nothing(prefix: bytes, rest: bytes) -> None:
    assert not verify(b"secret", prefix + rest)
