"""Language models, from a text to a trained model."""

from tinyseq.language.corpus import Corpus, new_tokenizer
from tinyseq.language.schedule import learning_rate
from tinyseq.language.trainer import LanguageTrainer

__all__ = ["Corpus", "LanguageTrainer", "learning_rate", "new_tokenizer"]
