"""Corpora larger than the memory there is: the operating system itself holds the limit."""

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from tinyseq.data import CharTokenizer, WordTokenizer, prepare, text

ROOT = Path(__file__).parents[2]
LIMIT = """
import re, resource
def limit(more):
    used = re.search(r"VmData:\\s*(\\d+) kB", open("/proc/self/status").read())[1]
    resource.setrlimit(resource.RLIMIT_DATA, (int(used) * 1024 + more,) * 2)
"""
TRAINING = """
import os, struct
import numpy as np
import tinyseq as ts
from tinyseq.data import CharTokenizer, Streams, TokenFile, Windows, write_tokens
from tinyseq.models import CharLM
from tinyseq.reading import held_out_bits

# Holes in a file take no room on the disk: these 8 GB are zeros but for both ends.
count = 8_000_000_000
empty = write_tokens("tokens", CharTokenizer("ab"), [])
with open("tokens", "r+b") as file:
    begin = file.seek(0, os.SEEK_END)
    file.write(b"\\1\\2" * 500)
    file.seek(begin + count - 1000)
    file.write(b"\\1\\2" * 500)
    file.seek(8)
    file.write(struct.pack("<Q", count))
model = CharLM(3, "gru", 8, 8, 1, 0.0)
optimizer = ts.optim.SGD(model.parameters(), 0.1)
limit(64 << 20)
tokens = TokenFile("tokens")
assert len(tokens) == count
training, held_out = tokens.part(0, count - 1000), tokens.part(count - 1000, count)
for batches in (Streams(training, 4, 50), Windows(training, 4, 50), Windows(tokens, 4, 2)):
    for (x, y, _), _ in zip(batches, range(3)):
        loss = ts.nn.functional.cross_entropy(model(x)[0].reshape(-1, 3), y.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    again = type(batches)(batches.ids, 4, batches.window)
    again.load_state_dict({**batches.state_dict(), "batch": len(batches) - 1})
    assert sum(1 for _ in again) == 1  # list() would make room for all there are
print(held_out_bits(model, held_out) > 0)
try:
    tokens[:]
except MemoryError:
    print("more than the limit")
"""
PREPARING = """
import sys
from tinyseq.data import ByteTokenizer, CharTokenizer, prepare
prepare("warm", [sys.argv[1]], CharTokenizer())
limit(48 << 20)
for tokenizer in (ByteTokenizer(), CharTokenizer()):
    tokens = prepare("tokens", ["/dev/stdin"] if tokenizer.kind == "char" else ["text"], tokenizer)
    print(len(tokens))
try:
    open("text", "rb").read()
except MemoryError:
    print("more than the limit")
"""


def run(program, *argv, **options):
    done = subprocess.run(
        [sys.executable, "-c", LIMIT + program, *argv],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        **options,
    )
    assert not done.stderr
    return done.stdout.splitlines()


linux = pytest.mark.skipif(
    not os.path.exists("/proc/self/status"), reason="this system has no limit on private memory"
)


@linux
def test_a_corpus_a_hundred_times_the_memory_trains(tmp_path):
    assert run(TRAINING, cwd=tmp_path) == ["True", "more than the limit"]


@linux
def test_a_text_larger_than_the_memory_is_prepared_from_file_and_pipe(tmp_path):
    (tmp_path / "little").write_text("The cat sat.\n")
    with open(tmp_path / "text", "w") as file:
        for _ in range(64):
            file.write("The cat sat on the mat, the\n" * 38_000)
    size = (tmp_path / "text").stat().st_size
    with (
        open(tmp_path / "text") as file,
        subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE) as pipe,
    ):
        seen = run(PREPARING, "little", cwd=tmp_path, stdin=pipe.stdout)
    assert seen == [str(size), str(size), "more than the limit"]


@pytest.mark.parametrize("kind", [CharTokenizer, WordTokenizer])
def test_preparing_takes_no_more_memory_for_a_longer_text(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(text, "_BLOCK", 1 << 14)

    def peak(lines):
        (tmp_path / "text").write_text("The cat sat on the mat, the\n" * lines)
        tracemalloc.start()
        try:
            prepare(tmp_path / "tokens", [tmp_path / "text"], kind())
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1000)
    assert peak(12_000) < 1.1 * peak(2000)
