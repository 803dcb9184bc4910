"""Parquet tables that hold pictures and captions, as the `datasets` library writes them.

A picture is a struct of {bytes, path} or plain bytes. pyarrow is imported where a table is read: only those who
have one wait for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from regrow.media.captions.columns import caption_column, one_line, picture_column
from regrow.media.files import MediaError, reason
from regrow.messages.message import say


@dataclass(frozen=True)
class Row:
    """Where a picture is in a parquet table: the row `index` of the row group `group`."""

    table: Path
    column: str
    group: int
    index: int

    def read(self) -> bytes:
        """Return the picture's bytes. Rows are read fastest in their order, for the last row group stays in memory.

        Raises:
            MediaError: the table is not there any more, or is another one now.
        """
        with _spoken(str(self.table)):
            return _picture(_row_group(self.table, self.column, self.group)[self.index])


def read_rows(path: Path, name: str) -> Iterator[tuple[Row, str, bytes]]:
    """Yield every row of a table: where its picture is, the caption in one line, and the picture's bytes, b"" for none.

    Args:
        path: the table.
        name: how sentences call it.

    Raises:
        MediaError: the table is damaged, or it is not clear which column is the picture or the caption.
    """
    with opened(path, name) as table:
        schema = table.schema_arrow
        pictures = [field.name for field in schema if _may_be_picture(field.type)]
        picture = picture_column(name, schema.names, pictures)
        caption = caption_column(name, schema.names, texts(schema))
        if caption not in texts(schema):
            raise MediaError(say("column_no_text", name=name, caption=caption))
        for group in range(table.num_row_groups):
            index = 0
            for batch in table.iter_batches(64, [group], [picture, caption]):
                for value, words in zip(batch.column(picture), batch.column(caption).to_pylist(), strict=True):
                    yield Row(path, picture, group, index), one_line(words or ""), _picture(value)
                    index += 1


@contextmanager
def opened(path: Path, name: str) -> Iterator[Any]:
    """A `pyarrow.parquet.ParquetFile`. What goes wrong inside becomes a MediaError that calls the table `name`."""
    import pyarrow.parquet as pq

    with _spoken(name), path.open("rb") as file, pq.ParquetFile(file) as table:
        yield table


def texts(schema: Any) -> list[str]:
    """Return the columns of text in a `pyarrow.Schema`."""
    import pyarrow.types as kinds

    def is_text(kind: Any) -> bool:
        if kinds.is_dictionary(kind):
            return is_text(kind.value_type)
        return kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind)

    return [field.name for field in schema if is_text(field.type)]


def _may_be_picture(kind: Any) -> bool:
    import pyarrow.types as kinds

    if kinds.is_struct(kind):
        return kind.get_field_index("bytes") >= 0 and _may_be_picture(kind.field("bytes").type)
    return kinds.is_binary(kind) or kinds.is_large_binary(kind) or kinds.is_binary_view(kind)


def _picture(value: Any) -> bytes:
    """The bytes in an Arrow scalar."""
    plain = value.as_py()
    return (plain["bytes"] if isinstance(plain, dict) else plain) or b""


@lru_cache(maxsize=1)
def _row_group(path: Path, column: str, group: int) -> Any:
    with opened(path, str(path)) as table:
        return table.read_row_group(group, [column]).column(column)


@contextmanager
def _spoken(name: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except MediaError:
        raise
    except (pa.ArrowException, OSError, ValueError, LookupError) as problem:  # what Arrow answers damage with
        raise MediaError(say("parquet_unreadable", name=name, reason=reason(problem))) from problem
