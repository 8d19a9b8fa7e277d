"""Reconciling: one function a kind, from what was declared and what runs to what should be."""
