"""The files that prepare writes: what was made of a model, for people and their scripts."""
