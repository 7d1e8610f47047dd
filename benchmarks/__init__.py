"""How fast tinyseq is, beside what else could do the same work."""
