import json
import os

import numpy as np
import pytest
from safetensors.numpy import save_file

from tinyseq.saving import CheckpointError, check_writable, load_checkpoint, save_checkpoint

ARRAYS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b.c": np.array([1.5])}


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, {**ARRAYS, "t": ARRAYS["a"].T}, {"text": "é\n", "n": 3})
    arrays, description = load_checkpoint(path)
    assert description == {"text": "é\n", "n": 3}
    assert set(arrays) == {"a", "b.c", "t"}
    assert arrays["a"].dtype == np.float32 and arrays["b.c"].dtype == np.float64
    np.testing.assert_array_equal(arrays["t"], ARRAYS["a"].T)
    assert os.listdir(tmp_path) == ["c.safetensors"]


def test_the_same_content_gives_the_same_bytes(tmp_path):
    for name in ("1", "2"):
        save_checkpoint(tmp_path / name, ARRAYS, {"x": 1, "y": 2})
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_write_cut_short_leaves_the_old_checkpoint(tmp_path, monkeypatch, call, error):
    path = tmp_path / "c"
    save_checkpoint(path, ARRAYS, {"version": "old"})

    def fail(*args):
        raise error

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(KeyboardInterrupt if error is KeyboardInterrupt else CheckpointError):
        save_checkpoint(path, ARRAYS, {"version": "new"})
    monkeypatch.undo()
    assert load_checkpoint(path)[1] == {"version": "old"}
    assert os.listdir(tmp_path) == ["c"]


def test_an_unwritable_path_is_found_without_writing(tmp_path):
    check_writable(tmp_path / "new")
    assert os.listdir(tmp_path) == []
    (tmp_path / "file").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    for path in (
        tmp_path,
        f"{tmp_path}/new/",
        tmp_path / "none" / "c",
        tmp_path / "file" / "c",
        tmp_path / "pipe",
        tmp_path / ("long" * 63),
    ):
        with pytest.raises(CheckpointError, match="cannot write the checkpoint"):
            check_writable(path)
        with pytest.raises(CheckpointError):
            save_checkpoint(path, ARRAYS, {})


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "below" / "real")
    save_checkpoint(tmp_path / "link", ARRAYS, {"x": 1})
    assert (tmp_path / "link").is_symlink()
    assert load_checkpoint(tmp_path / "below" / "real")[1] == {"x": 1}


def test_damaged_files_are_told_apart_from_good_ones(tmp_path):
    good = tmp_path / "good"
    save_checkpoint(good, ARRAYS, {})
    raw = good.read_bytes()
    bad = tmp_path / "bad"
    for content in (b"", b"{}", b"hello", raw[:5], raw[:60], raw[:-1], raw + b"x", b"\xff" * 99):
        bad.write_bytes(content)
        with pytest.raises(CheckpointError, match="damaged or not a checkpoint"):
            load_checkpoint(bad)


def test_missing_and_foreign_files(tmp_path):
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        load_checkpoint(tmp_path / "none")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_checkpoint(tmp_path)
    for metadata in (None, {"other": "x"}):
        save_file(ARRAYS, tmp_path / "foreign", metadata)
        with pytest.raises(CheckpointError, match="not one of tinyseq's"):
            load_checkpoint(tmp_path / "foreign")
    for text in ("[1]", "{", "1", "[" * 100_000):
        save_file(ARRAYS, tmp_path / "foreign", {"tinyseq": text})
        with pytest.raises(CheckpointError, match="damaged"):
            load_checkpoint(tmp_path / "foreign")


def test_a_dtype_that_numpy_lacks_is_refused(tmp_path):
    tensor = {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}
    header = json.dumps({"__metadata__": {"tinyseq": "{}"}, "x": tensor}).encode()
    (tmp_path / "c").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(CheckpointError, match="damaged or not a checkpoint"):
        load_checkpoint(tmp_path / "c")
