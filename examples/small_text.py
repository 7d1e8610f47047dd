"""Two sentences, learned by heart by two recurrent layers, and written again word by word."""

from __future__ import annotations

import sys

import numpy as np

import tinyseq as ts
from tinyseq import nn, optim
from tinyseq.data import DataLoader, WordTokenizer
from tinyseq.metrics import Accuracy
from tinyseq.training import Trainer, sequence_cross_entropy

SENTENCES = [
    "the cat sat on the mat and slept all day long",
    "a dog ran in the park because it had seen a very small bird",
]
WRITTEN = 10


def main() -> int:
    """Train, print what was reached and written; 0 if both sentences are known."""
    ts.manual_seed(0)
    words = WordTokenizer().fit(SENTENCES)
    ids = words.encode_many(SENTENCES)
    data = DataLoader([row[:-1] for row in ids], [row[1:] for row in ids])
    model = nn.Sequential(
        nn.Embedding(len(words), 10), nn.LSTM(10, 32, num_layers=2), nn.Linear(32, len(words))
    )
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    trainer = Trainer(model, sequence_cross_entropy, optimizer, metrics=[Accuracy()])
    accuracy = trainer.fit(data, epochs=100)["accuracy"][-1]
    print(f"training accuracy {accuracy:.3f}")
    followed = True
    for sentence in SENTENCES:
        text = words.encode(sentence.split()[0])
        for _ in range(WRITTEN):
            text = np.append(text, model(text[None])[0, -1].argmax().item())
        written = words.decode(text)
        print(written)
        followed = followed and sentence.startswith(written)
    return 0 if accuracy == 1 and followed else 1


if __name__ == "__main__":
    sys.exit(main())
