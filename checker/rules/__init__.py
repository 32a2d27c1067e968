"""Judgements, one a file."""
