"""The run-time check of types and shapes that `conftest.py` puts on every function of `regrow.core` under pytest."""

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int will do where a float is asked for
