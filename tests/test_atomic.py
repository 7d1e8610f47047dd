import os

import pytest

from tinyseq.atomic import replacing


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new" and os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(error), replacing(path) as file:
        file.write(b"new")
        raise error
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to("file")
    with replacing(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_bytes() == b"new"


def test_what_is_no_file_is_not_replaced(tmp_path):
    for path in (tmp_path, f"{tmp_path}/new/", "/dev/null"):
        with pytest.raises(OSError, match="is not a regular file"), replacing(path):
            pytest.fail("opened")
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "none" / "file"):
        pytest.fail("opened")
    assert os.listdir(tmp_path) == []


def test_what_was_written_is_on_the_disk_before_the_name_and_the_name_after(tmp_path, monkeypatch):
    done = []
    real = os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda n: (done.append(os.path.isdir(f"/proc/self/fd/{n}")), real[0](n))
    )
    monkeypatch.setattr(os, "replace", lambda a, b: (done.append("replace"), real[1](a, b)))
    with replacing(tmp_path / "file") as file:
        file.write(b"new")
    assert done == [False, "replace", True]
