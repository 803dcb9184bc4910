"""Editing methods: a file each, as data and functions."""
