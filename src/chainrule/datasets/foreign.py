"""Formats whose libraries crash on some damaged files: read in a process of their own, with limits.

SciPy reads beyond its memory in altered mat files, Polars ends the process where a parquet file
says that it needs all the memory there is.  So this module is run as a program, too: it gets a
file's bytes, reads them with the library, and answers with arrays or a table in a plain form.
What stops the program becomes an `Unreadable`, one line.
"""

from __future__ import annotations

import io
import json
import math
import os
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path
from typing import Any, BinaryIO

SPARE_MEMORY, MEMORY_PER_BYTE = 512 << 20, 40  # beyond what the library itself takes
SPARE_SECONDS, SECONDS_PER_BYTE = 4, 4e-6  # of the processor, so that a busy machine does not count
WAITED = 10  # times as long until a reader that waits for nothing is given up
ENVIRONMENT = {  # each thread would reserve memory of its own
    "POLARS_MAX_THREADS": "2",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "RUST_BACKTRACE": "0",
}

Parts = tuple[Any, list[bytes]]
"""What JSON holds about a file's contents, and the contents, each in a plain format."""


class Unreadable(ValueError):
    """A file that its library cannot read; the message says why."""


def read(kind: str, content: bytes) -> Parts:
    """Read a file's bytes in a process of their own.

    Parameters
    ----------
    kind : str
        One of `READERS`.
    content : bytes

    Raises
    ------
    Unreadable
        If the library refuses the file, crashes, or needs too much time or memory.
    """
    if not sys.executable:  # Python inside another program has nothing to start
        return _read_here(kind, content)
    seconds = SPARE_SECONDS + int(SECONDS_PER_BYTE * len(content))
    memory = SPARE_MEMORY + MEMORY_PER_BYTE * len(content)
    command = [
        sys.executable,
        "-S",
        "-P",
        "-W",
        "ignore",
        __file__,
        kind,
        str(seconds),
        str(memory),
    ]
    try:
        code, answered = _run(command + sys.path, content, WAITED * seconds)
    except OSError:  # the system starts no more processes
        return _read_here(kind, content)
    head, _, rest = answered.partition(b"\n")
    try:
        answer = json.loads(head)
        sizes = answer["sizes"]
        if len(rest) != sum(sizes):
            raise ValueError
    except (ValueError, KeyError, TypeError):  # it has not got as far as to answer
        raise Unreadable(_why_it_stopped(code, seconds, memory)) from None
    if answer["error"] is not None:
        raise Unreadable(answer["error"])
    blobs, start = [], 0
    for size in sizes:
        blobs.append(rest[start : start + size])
        start += size
    return answer["facts"], blobs


def sparse(file: BinaryIO) -> Any:
    """Return the sparse matrix that an npz holds, or raise ValueError if it would lead astray.

    SciPy believes the indices of a file, and reads and writes wherever they point.
    """
    import numpy as np
    from scipy.sparse import load_npz

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's, that Python 2 wrote it
        matrix = load_npz(file)
    if hasattr(matrix, "indptr"):
        matrix.check_format()
        if (np.diff(matrix.indptr) < 0).any():  # not looked at where the last one is 0
            raise ValueError("index pointer values must form a non-decreasing sequence")
    return matrix


def _read_here(kind: str, content: bytes) -> Parts:
    facts, blobs, error = _attempt(kind, content, None)
    if error is not None:
        raise Unreadable(error)
    return facts, blobs


def _run(command: list[str], content: bytes, seconds: float) -> tuple[int, bytes]:
    """Give a program some bytes; return its exit code and its answer.  It does not outlive this.

    Another thread talks with it: where a signal ends that, Python waits a quarter of a second more.
    """
    from concurrent.futures import wait

    from chainrule.common.threads import aside

    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **ENVIRONMENT},
    ) as process:
        talk = None
        try:
            talk = aside(process.communicate, content, seconds)
            while wait([talk], timeout=0.02).not_done:
                pass
            return process.returncode, talk.result()[0]
        except subprocess.TimeoutExpired:
            raise Unreadable(f"reading it took longer than {seconds:g} s") from None
        finally:
            process.kill()
            if talk is not None:
                wait([talk])


def _why_it_stopped(code: int, seconds: int, memory: int) -> str:
    """Say why a reader ended without an answer, by its exit code: minus the signal."""
    if code == -24:  # SIGXCPU
        return f"reading it took longer than {seconds} s"
    if code == -6:  # SIGABRT: how Polars ends where memory is refused
        return f"reading it takes more than {memory >> 20:,} MiB of memory"
    return f"it makes the library that reads it crash (exit code {code})"


# What runs in the process of its own; it imports nothing of chainrule, so that it starts soon


def _mat(content: bytes, memory: int | None) -> Parts:
    """Read MATLAB's mat up to -v7: numbers, text and sparse matrices by name."""
    from scipy.io import loadmat

    limit_memory(memory)
    _check_claims(content)
    found = loadmat(io.BytesIO(content))
    found = _fields({key: value for key, value in found.items() if not key.startswith("__")})
    return _arrays({key: _strings(value) for key, value in found.items()})


CELL, STRUCT, OBJECT, CHAR, SPARSE, FUNCTION, OPAQUE = 1, 2, 3, 4, 5, 16, 17  # classes of mat
MATRIX, COMPRESSED = 14, 15  # types of its elements
SHORT = "a variable of it holds less than it claims"


def _check_claims(content: bytes) -> None:
    """Refuse a mat file whose cells, fields or letters are not in it: SciPy makes room for them.

    Of numbers SciPy itself sees that they are there, so they are not decompressed here.
    """
    order, at = "<" if content[126:128] == b"IM" else ">", 128
    while 0 not in content[:4] and at + 8 <= len(content):  # a zero there is of version 4
        kind, size = struct.unpack_from(order + "2I", content, at)
        start, at = at, at + 8 + size
        if kind == COMPRESSED:
            stream = zlib.decompressobj()
            body = stream.decompress(content[start + 8 : at], 24)
        elif kind == MATRIX:
            body = content[start:at]
        else:
            return
        if len(body) >= 24 and struct.unpack_from(order + "I", body, 16)[0] & 255 in (
            CELL, STRUCT, OBJECT, CHAR, FUNCTION, OPAQUE,
        ):  # fmt: skip
            if kind == COMPRESSED:
                body += stream.decompress(stream.unconsumed_tail)
            try:
                _Claims(body, order).matrix()
            except (struct.error, IndexError):
                raise ValueError(SHORT) from None


class _Claims:
    """A walk over a variable of a mat file, element for element as SciPy reads it.

    A cell or a field takes 8 bytes of the variable at least, and a letter one.
    """

    def __init__(self, body: bytes, order: str) -> None:
        self.body, self.order, self.at, self.claimed = body, order, 0, 0

    def matrix(self) -> None:
        """Walk over a matrix and those inside it."""
        _, size = self.pair()
        if size == 0:
            return
        self.pair()
        flags, _ = self.pair()
        kind, count = flags & 255, 1
        if kind != OPAQUE:
            count = math.prod(self.numbers())
        self.element()  # the name
        if kind == CELL:
            self.matrices(count)
        elif kind in (STRUCT, OBJECT):
            if kind == OBJECT:
                self.element()
            length = self.numbers()[0]
            _, size = self.element()
            names = size // max(length, 1)
            self.matrices(count * names) if names else self.claim(count)
        elif kind == CHAR:
            self.claim(count)
            self.element()
        elif kind == FUNCTION:
            self.matrix()
        elif kind == OPAQUE:
            self.element()
            self.element()
            self.matrix()
        else:
            for _ in range((3 if kind == SPARSE else 1) + (flags >> 11 & 1)):
                self.element()

    def matrices(self, count: int) -> None:
        """Walk over so many matrices."""
        self.claim(8 * count)
        for _ in range(count):
            self.matrix()

    def claim(self, size: int) -> None:
        """Add bytes that are claimed; raise ValueError if there are fewer."""
        self.claimed += size
        if self.claimed > len(self.body):
            raise ValueError(SHORT)

    def pair(self) -> tuple[int, int]:
        """Read two numbers, as of a tag: type and size."""
        first, second = struct.unpack_from(self.order + "2I", self.body, self.at)
        self.at += 8
        return first, second

    def element(self) -> tuple[int, int]:
        """Step over an element; return where its contents start, and their size."""
        kind, size = self.pair()
        if kind >> 16:  # a small one: its contents are the tag's second number
            return self.at - 4, kind >> 16
        start = self.at
        self.at += size + -size % 8
        return start, size

    def numbers(self) -> tuple[int, ...]:
        """Read an element's numbers, negative ones as huge ones."""
        start, size = self.element()
        return struct.unpack_from(f"{self.order}{size // 4}I", self.body, start)


def _fields(values: dict[str, Any]) -> dict[str, Any]:
    """Return a struct's fields in place of the struct, as struct.field where a name is taken."""
    fields: dict[str, Any] = {}
    for key, value in values.items():
        names = getattr(getattr(value, "dtype", None), "names", None)
        inner = {name: value[name].item() for name in names} if names and value.size == 1 else {}
        for name, part in _fields(inner).items() if inner else [(key, value)]:
            taken = inner and (name in fields or name in values)
            fields[f"{key}.{name}" if taken else name] = part
    return fields


def _strings(value: Any) -> Any:
    """Return a cell array of strings as an array of text; None for what is no array."""
    import numpy as np

    if not isinstance(value, np.ndarray):
        return value if hasattr(value, "toarray") else None
    if value.dtype.kind != "O":
        return value if value.dtype.kind in "fiubU" else None
    texts = [str(cell.item()) if np.size(cell) == 1 else "" for cell in value.ravel()]
    return np.array(texts).reshape(value.shape)


def _hdf5(content: bytes, memory: int | None) -> Parts:
    """Read MATLAB's -v7.3, which is HDF5 with each matrix transposed."""
    import h5py

    limit_memory(memory)
    with h5py.File(io.BytesIO(content), "r") as file:
        links = {key: file.get(key, getlink=True) for key in file if key[0] != "#"}
        if any(isinstance(link, h5py.ExternalLink) for link in links.values()):
            raise ValueError("it refers to other files")
        return _arrays({key: _hdf5_value(file[key], file) for key in links})


def _hdf5_value(part: Any, file: Any) -> Any:
    import h5py
    import numpy as np

    kind = part.attrs.get("MATLAB_class", b"").decode()
    if isinstance(part, h5py.Group):
        if "MATLAB_sparse" not in part.attrs:
            return None
        from scipy.sparse import csc_matrix

        starts = part["jc"][()]
        rows = part["ir"][()] if "ir" in part else []
        entries = part["data"][()] if "data" in part else []
        return csc_matrix(
            (entries, rows, starts), (int(part.attrs["MATLAB_sparse"]), len(starts) - 1)
        )
    if kind == "cell":
        cells = [_hdf5_value(file[reference], file) for reference in part[()].ravel()]
        texts = [
            str(cell.ravel()[0]) if cell is not None and cell.dtype.kind == "U" else ""
            for cell in cells
        ]
        return np.array(texts).reshape(part.shape).T
    if part.external:
        raise ValueError("it refers to other files")
    if "MATLAB_empty" in part.attrs or part.dtype.kind not in "fiu":
        return None
    if kind == "char":
        return np.array(["".join(map(chr, row)) for row in part[()].T])
    return part[()].T if kind else part[()]  # others than MATLAB have rows first


def _arrays(values: dict[str, Any]) -> Parts:
    """Return arrays as npy, sparse matrices as npz; values that are None are left out."""
    import numpy as np

    names, blobs = [], []
    for name, value in values.items():
        if value is None:
            continue
        names.append(name)
        file = io.BytesIO()
        if isinstance(value, np.ndarray):
            np.save(file, value, allow_pickle=False)
        else:
            from scipy.sparse import save_npz

            save_npz(file, value, compressed=False)
        blobs.append(file.getvalue())
    return names, blobs


def _parquet(content: bytes, memory: int | None) -> Parts:
    """Read Apache Parquet."""
    import polars as pl

    limit_memory(memory)
    return _frame(pl.read_parquet(io.BytesIO(content)))


def _arrow(content: bytes, memory: int | None) -> Parts:
    """Read an Arrow file, also called Feather: of its version 2, or a stream of Arrow."""
    import polars as pl

    limit_memory(memory)
    read = pl.read_ipc if content.startswith(b"ARROW1") else pl.read_ipc_stream
    return _frame(read(io.BytesIO(content)))


def _frame(frame: Any) -> Parts:
    """Return a Polars frame as a stream of Arrow."""
    file = io.BytesIO()
    frame.write_ipc_stream(file)
    return None, [file.getvalue()]


def _excel(content: bytes, memory: int | None) -> Parts:
    """Read the first sheet of a workbook as text in csv; its name, and how many others there are.

    The text is empty where the sheet is.
    """
    import fastexcel
    import polars as pl

    limit_memory(memory)
    book = fastexcel.read_excel(content)
    sheet = book.load_sheet(0, header_row=None, dtypes="string")
    frame = sheet.to_polars()
    if len(frame):
        frame = frame.filter(pl.any_horizontal(pl.all().is_not_null()))
    text = frame.write_csv(include_header=False) if len(frame) else ""
    return [sheet.name, len(book.sheet_names) - 1], [text.encode()]


READERS = {"mat": _mat, "hdf5": _hdf5, "parquet": _parquet, "arrow": _arrow, "excel": _excel}


def limit_memory(memory: int | None) -> None:
    """Let the process have so much more memory, where the system can count what it has."""
    if memory is None:
        return
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + memory
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        if hard == resource.RLIM_INFINITY or most < hard:
            resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    except (ImportError, OSError, ValueError):  # Windows has no limits, macOS none of memory
        pass


def limit_time(seconds: int) -> None:
    """Let the process have so many seconds of the processor."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    except (ImportError, OSError, ValueError):
        pass


def _attempt(kind: str, content: bytes, memory: int | None) -> tuple[Any, list[bytes], str | None]:
    """Return what a library reads, and what it says where it cannot."""
    try:
        return *READERS[kind](content, memory), None
    except MemoryError:
        return None, [], "there is not enough memory"
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as failure:  # a panic of Rust is not even an Exception
        return None, [], (str(failure).splitlines() or [type(failure).__name__])[0]


def _main() -> None:
    """Read what stands on stdin, and answer on stdout."""
    kind, seconds, memory, *path = sys.argv[1:]
    sys.path[:] = path
    limit_time(int(seconds))
    facts, blobs, error = _attempt(kind, sys.stdin.buffer.read(), int(memory))
    answer = {"facts": facts, "error": error, "sizes": [len(blob) for blob in blobs]}
    out = sys.stdout.buffer
    out.write(json.dumps(answer).encode() + b"\n")
    for blob in blobs:
        out.write(blob)


if __name__ == "__main__":
    _main()
