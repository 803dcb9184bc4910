"""Editing methods: a file each, as data and functions. `registry` finds them by name, without opening them."""
