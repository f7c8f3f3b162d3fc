"""Unpacking of good, damaged and hostile archives."""

from __future__ import annotations

import gc
import gzip
import io
import random
import tarfile
from pathlib import Path

import pytest

from svhn.download.unpack import unpack_archive
from svhn.errors import UserError

GOOD = {"train/1.png": b"one", "train/digitStruct.mat": random.Random(1).randbytes(50_000), "train/deep/2.png": b"two"}


def regular(name: str, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member, content


def special(name: str, kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member, b""


def pack(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member, content in members:
            tar.addfile(member, io.BytesIO(content))
    return path


def pack_good(path: Path, *others: tuple[tarfile.TarInfo, bytes]) -> Path:
    return pack(path, *(regular(name, content) for name, content in GOOD.items()), *others)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def ignore(done: int, total: int | None) -> None:
    del done, total


def members_alive() -> int:
    gc.collect()
    return sum(isinstance(thing, tarfile.TarInfo) for thing in gc.get_objects())


def test_unpack_makes_the_folder(tmp_path: Path) -> None:
    archive = pack_good(tmp_path / "a.tar.gz", special("train", tarfile.DIRTYPE), special("train/e", tarfile.DIRTYPE))
    packed = {"a.tar.gz": archive.read_bytes()}
    moves: list[tuple[int, int | None]] = []
    unpack_archive(archive, tmp_path / "train", lambda *move: moves.append(move))
    assert tree(tmp_path) == packed | GOOD
    assert (tmp_path / "train" / "e").is_dir()
    assert len(moves) == 5
    assert moves == sorted(moves)
    assert moves[-1] == (archive.stat().st_size, archive.stat().st_size)


def test_unpack_reads_names_with_a_dot_and_leaves_out_what_lies_beside(tmp_path: Path) -> None:
    archive = pack(
        tmp_path / "a.tar.gz", regular("./train/1.png", b"1"), regular("._train", b"2"), regular("test/1", b"")
    )
    unpack_archive(archive, tmp_path / "train", ignore)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.gz", "train"]
    assert tree(tmp_path / "train") == {"1.png": b"1"}


def test_unpack_gives_no_special_rights(tmp_path: Path) -> None:
    member, content = regular("train/1.png", b"1")
    member.mode = 0o6777
    unpack_archive(pack(tmp_path / "a.tar.gz", (member, content)), tmp_path / "train", ignore)
    assert (tmp_path / "train" / "1.png").stat().st_mode & 0o7777 == 0o755


def test_unpack_clears_what_a_killed_run_left(tmp_path: Path) -> None:
    (tmp_path / "train.partial" / "deep").mkdir(parents=True)
    (tmp_path / "train.partial" / "deep" / "stale.png").write_bytes(b"stale")
    unpack_archive(pack_good(tmp_path / "a.tar.gz"), tmp_path / "train", ignore)
    (tmp_path / "a.tar.gz").unlink()
    assert tree(tmp_path) == GOOD
    assert not (tmp_path / "train.partial").exists()


def test_unpack_keeps_no_member_in_memory(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.tar.gz", *(regular(f"train/{number}.png", b"") for number in range(300)))
    before = members_alive()
    alive: list[int] = []
    unpack_archive(archive, tmp_path / "train", lambda *_: alive.append(members_alive() if len(alive) == 299 else 0))
    assert len(alive) == 300
    assert 1 <= alive[-1] - before < 5


HOSTILE = {
    "parent": ([regular("../x", b"!")], "'../x' is a path that leads outside"),
    "parent further down": ([regular("train/../../x", b"!")], "'train/../../x' is a path that leads outside"),
    "absolute": ([regular("/train/x", b"!")], "'/train/x' is an absolute path"),
    "link out": ([special("train/x", tarfile.SYMTYPE, "../../secret")], "'train/x' is a link"),
    "link inside": ([special("train/x", tarfile.SYMTYPE, "1.png")], "'train/x' is a link"),
    "hard link": ([special("train/x", tarfile.LNKTYPE, "../secret")], "'train/x' is a link"),
    "through a link": (
        [special("train/x", tarfile.SYMTYPE, ".."), regular("train/x/secret", b"!")],
        "'train/x' is a link",
    ),
    "link beside": ([special("x", tarfile.SYMTYPE, "/")], "'x' is a link"),
    "device": ([special("train/x", tarfile.CHRTYPE)], "'train/x' is a device or pipe"),
    "pipe": ([special("train/x", tarfile.FIFOTYPE)], "'train/x' is a device or pipe"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_unpack_refuses_a_hostile_member_and_leaves_nothing(tmp_path: Path, case: str) -> None:
    members, message = HOSTILE[case]
    data = tmp_path / "outside" / "data"
    data.mkdir(parents=True)
    (tmp_path / "outside" / "secret").write_bytes(b"old")
    archive = pack_good(data / "a.tar.gz", *members, regular("train/3.png", b"three"))
    before = tree(tmp_path)
    with pytest.raises(UserError) as error:
        unpack_archive(archive, data / "train", ignore)
    assert message in str(error.value)
    assert str(error.value).startswith(f"{archive}: ")
    assert tree(tmp_path) == before
    assert [path.name for path in data.iterdir()] == ["a.tar.gz"]


def test_an_absolute_member_does_not_reach_its_path(tmp_path: Path) -> None:
    archive = pack_good(tmp_path / "a.tar.gz", regular(f"{tmp_path}/x", b"!"))
    with pytest.raises(UserError, match="is an absolute path"):
        unpack_archive(archive, tmp_path / "train", ignore)
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]


def flipped(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]


DAMAGES = {
    "empty": lambda _: b"",
    "no gzip": lambda _: b"<html>not found</html>",
    "no tar": lambda _: gzip.compress(b"text" * 1000),
    "first bytes only": lambda packed: packed[:30],
    "half": lambda packed: packed[: len(packed) // 2],
    "between two members": lambda packed: gzip.compress(gzip.decompress(packed)[:1024])[:-8],
    "all but the last byte": lambda packed: packed[:-1],
    "a bit in the middle": lambda packed: flipped(packed, len(packed) // 2),
    "a bit in gzip's checksum": lambda packed: flipped(packed, len(packed) - 6),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_unpack_refuses_a_damaged_archive_and_leaves_nothing(tmp_path: Path, damage: str) -> None:
    archive = pack_good(tmp_path / "a.tar.gz")
    archive.write_bytes(DAMAGES[damage](archive.read_bytes()))
    with pytest.raises(UserError) as error:
        unpack_archive(archive, tmp_path / "train", ignore)
    assert str(error.value).startswith(f"{archive}: can't be unpacked beyond ")
    assert str(error.value).endswith(": move it away and run the same command again")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]


def test_a_damaged_archive_is_reported_with_its_member(tmp_path: Path) -> None:
    archive = pack_good(tmp_path / "a.tar.gz")
    archive.write_bytes(archive.read_bytes()[:20_000])
    with pytest.raises(UserError, match=r"beyond train/digitStruct\.mat "):
        unpack_archive(archive, tmp_path / "train", ignore)


def test_unpack_names_the_folder_that_is_lacking(tmp_path: Path) -> None:
    archive = pack_good(tmp_path / "a.tar.gz", regular("readme", b""))
    with pytest.raises(UserError, match=r"expected a folder test/ in it, found readme, train$"):
        unpack_archive(archive, tmp_path / "test", ignore)
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]
