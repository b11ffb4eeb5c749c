"""Altered files by the thousand, read under limits: each is read, or refused in one line.

    python tests/fuzz.py [FORMAT ...] [--mutations 1000] [--seed 0] [--keep FOLDER]

A case is made from its format, seed and number alone.  Cases run in forked workers of 2 GB; a
worker that dies has crashed on its case, and another goes on.  The formats that are read in a
process of their own are read in a fork of one that has the libraries ready, under the limits of the
product; a case that stops it, and one case in 200, is read in a process of its own, as users read.
Ctrl-C ends it with the counts so far.
"""

from __future__ import annotations

import argparse
import faulthandler
import gc
import importlib
import io
import json
import os
import random
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from chainrule import Network, model_file, train
from chainrule.common.sealed import checksum
from chainrule.datasets import foreign, load
from chainrule.datasets.columns import Column
from chainrule.datasets.encoding import Encoder, Reading
from chainrule.datasets.scaling import Scaling

MEMORY, SECONDS = 2 << 30, 5  # of a worker, and of the processor for a case
MORE_MEMORY, MORE_PER_BYTE = 200 << 20, 10  # what a case may take beyond what a worker has
READ, REFUSED, APART = "read", "refused", "stopped apart"
WHOLE = 200  # of so many cases one goes the whole way of a format that is read apart
SHARED_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
FAILED = ("traceback", "several lines", "crash", "hang", "memory")
REFUSALS = ("DataError", "ModelFileError", "CheckpointError")
WORDS = [
    b'"', b"'", b",", b";", b"\t", b"\n", b"\r", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"#",
    b"nan", b"-inf", b"1e999", b"9" * 40, b"-999", b"0x1p", b"2020-01-31", b"12:30", b"yes",
    b"1,5", b"=1+1", b"\x1b[2J", b"{}", b"[", b"null", b"\xe2\x80\xae", b"1:1", b"qid:1",
    b"@data", b"{1 2}", b"\xc3", b"%", b"sep=;",
]  # fmt: skip
STRANGE = [
    None, True, -1, 0, 1.5, 10**400, 1e308, "", "\x1b[2J", [], {}, [[]], {"a": 1}, [1, "a"],
    "x" * 10**5,
]  # fmt: skip
NUMBERS = [0, 1, 2, 7, 127, 128, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63]


# The files that are altered


def tables() -> dict[str, list[bytes]]:
    """Return whole tables by format."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)).round(3), np.arange(40) % 3
    lines = [f"{a},2020-01-{1 + i % 28:02},{b},{'uvw'[i % 3]}" for i, (a, b, _) in enumerate(X)]
    body = "\n".join(["a,day,b,kind", *lines]) + "\n"
    found = {
        "csv": [
            body.encode(),
            body.replace(",", ";").encode("utf-16"),
            body.replace(",", "\t").encode(),
        ],
        "json": [json.dumps([{"a": a, "y": i % 3} for i, (a, *_) in enumerate(X)]).encode()],
        "svmlight": [
            "".join(f"{k} 1:{a} 3:{b}\n" for (a, b, _), k in zip(X, y, strict=True)).encode()
        ],
        "arff": [b"@relation r\n@attribute a numeric\n@attribute k {u,v}\n@data\n1,u\n2,v\n3,u\n"],
    }
    from scipy.sparse import random_array, save_npz

    npz, compressed, npy, fields = (io.BytesIO() for _ in range(4))
    np.savez(npz, X=X, y=y, names=np.array(["a", "b", "c"]))
    np.savez_compressed(compressed, X=rng.integers(0, 255, (30, 8, 8), np.uint8), y=y[:30])
    np.save(npy, X)
    np.save(
        fields,
        np.array([(1.0, 2, b"u"), (2.0, 3, b"v")] * 9, [("a", "f8"), ("b", "i4"), ("k", "S1")]),
    )
    found["npz"] = [npz.getvalue(), compressed.getvalue()]
    for form in ("csr", "csc", "coo", "bsr", "dia"):
        file = io.BytesIO()
        save_npz(file, random_array((6, 4), density=0.5, format=form, rng=0), compressed=False)
        found["npz"].append(file.getvalue())
    found["npy"] = [npy.getvalue(), fields.getvalue()]
    return found | {f"csv.{kind}": [pack(body.encode())] for kind, pack in packers().items()}


def packers() -> dict[str, Callable[[bytes], bytes]]:
    import bz2
    import gzip
    import lzma

    return {
        "gz": gzip.compress,
        "bz2": bz2.compress,
        "xz": lzma.compress,
        "zip": lambda b: zipped({"t.csv": b}),
    }


def of_libraries() -> dict[str, list[bytes]]:
    """Return files of the formats that are read in a process of their own."""
    import polars as pl
    from scipy.io import savemat
    from scipy.sparse import csc_matrix

    cells, found = np.array([["ab", "c", "d"]], dtype=object), {}
    values = {
        "X": np.eye(12, 3),
        "y": np.arange(12) % 3,
        "c": cells,
        "s": csc_matrix(np.eye(3)),
        "t": "abc",
    }
    found["mat"] = []
    for compression in (False, True):
        file = io.BytesIO()
        savemat(file, {**values, "st": {"a": 1.0}}, do_compression=compression)
        found["mat"].append(file.getvalue())
    frame = pl.DataFrame({
        "a": np.arange(30.0) * 7 % 11, "k": ["u", "v", None] * 10, "b": [True, False] * 15,
        "d": pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 1, 30), eager=True),
        "y": np.arange(30.0) * 3 % 17,
    })  # fmt: skip
    for name, write, options in (
        ("parquet", frame.write_parquet, ("zstd", "snappy", "uncompressed", "gzip")),
        ("arrow", frame.write_ipc, ("uncompressed", "zstd")),
    ):
        found[name] = []
        for compression in options:
            file = io.BytesIO()
            write(file, compression=compression)
            found[name].append(file.getvalue())
    try:
        import h5py
    except ImportError:
        return found
    file = io.BytesIO()
    with h5py.File(file, "w") as hdf5:
        hdf5["X"], hdf5["y"] = np.eye(3, 12), np.arange(12)[None] % 3
    found["hdf5.mat"] = [file.getvalue()]
    return found | {"xlsx": [workbook()]}


def workbook() -> bytes:
    """Return a small xlsx."""
    rows = "".join(
        f"<row r='{r}'><c r='A{r}'><v>{r * 7 % 11}</v></c>"
        f"<c r='B{r}' t='s'><v>{r % 2}</v></c></row>"
        for r in range(1, 20)
    )
    formats = "http://schemas.openxmlformats.org"
    space, relations = (
        f"{formats}/spreadsheetml/2006/main",
        f"{formats}/officeDocument/2006/relationships",
    )

    def links(*targets: tuple[str, str]) -> str:
        inside = "".join(
            f"<Relationship Id='r{i}' Type='{relations}/{kind}' Target='{target}'/>"
            for i, (kind, target) in enumerate(targets)
        )
        return (
            f"<Relationships xmlns='{formats}/package/2006/relationships'>{inside}</Relationships>"
        )

    parts = {
        "[Content_Types].xml": f"<Types xmlns='{formats}/package/2006/content-types'/>",
        "_rels/.rels": links(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f"<workbook xmlns='{space}' xmlns:r='{relations}'><sheets>"
        "<sheet name='S' sheetId='1' r:id='r0'/></sheets></workbook>",
        "xl/_rels/workbook.xml.rels": links(
            ("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml")
        ),
        "xl/sharedStrings.xml": f"<sst xmlns='{space}'><si><t>u</t></si><si><t>v</t></si></sst>",
        "xl/worksheets/sheet1.xml": f"<worksheet xmlns='{space}'><sheetData>{rows}</sheetData>"
        "</worksheet>",
    }
    return zipped({name: text.encode() for name, text in parts.items()})


def models() -> dict[str, list[bytes]]:
    """Return model files of the command and of an estimator."""
    columns = (
        Column("a"),
        Column("k", ("u", "v", "w")),
        Column("d", None, 0.0, parts=("year", "hour")),
    )
    encoder = Encoder(
        columns,
        "y",
        ("no", "yes"),
        missing="mean",
        reading=Reading(True, None, {"a": "numbers"}),
        na=("-999",),
    )
    network = Network((6, 3, 2), output="softmax")
    rng, found = np.random.default_rng(0), io.BytesIO()
    scaling = Scaling(np.zeros(6), np.ones(6))
    about = model_file.Provenance("1", 0, {"lam": 1.0}, "t.csv", "0" * 64, 0.5, "done")
    model = model_file.Model(
        network, rng.normal(size=network.size), encoder, scaling, provenance=about
    )
    model_file.save(found, model)
    return {"model": [found.getvalue()], "sealed model": [found.getvalue()]}


def pictures() -> dict[str, list[bytes]]:
    """Return small pictures by format."""
    from PIL import Image

    rng, found = np.random.default_rng(0), {}
    grey = Image.fromarray(rng.integers(0, 255, (40, 60), np.uint8))
    modes = {mode: grey.convert(mode) for mode in ("L", "RGB", "RGBA", "P", "1", "I;16")}
    for name, kinds in {
        "png": ("RGB", "RGBA", "P", "1", "I;16"), "jpg": ("L", "RGB"), "webp": ("RGB", "RGBA"),
        "gif": ("P",), "tif": ("L", "RGB", "1", "I;16"), "bmp": ("RGB",), "ppm": ("RGB",),
    }.items():  # fmt: skip
        found[name] = []
        for mode in kinds:
            file = io.BytesIO()
            modes[mode].save(file, {"jpg": "jpeg", "tif": "tiff"}.get(name, name))
            found[name].append(file.getvalue())
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        file = io.BytesIO()
        modes["RGB"].save(file, "tiff", compression=compression)
        found["tif"].append(file.getvalue())
    file = io.BytesIO()
    modes["RGB"].save(file, "jpeg", progressive=True)
    found["jpg"].append(file.getvalue())
    return found


def drives() -> dict[str, list[bytes]]:
    """Return a recording of a drive, and a model that drives."""
    from chainrule.driving import driver

    rng, file = np.random.default_rng(0), io.BytesIO()
    frames = rng.integers(0, 2, (3, 96, 96, 3), np.uint8) * 200
    np.savez_compressed(file, frames=frames, numbers=np.arange(3), orders=np.full((3, 2), 0.1))
    with tempfile.NamedTemporaryFile(dir=SHARED_MEMORY, suffix=".safetensors") as path:
        network = Network((960, 2, 60))
        driver.save(path.name, driver.Driver(network, np.ones(network.size)), 0, {})
        model = Path(path.name).read_bytes()
    return {"recording": [file.getvalue()], "sealed driver": [model]}


X, Y = np.arange(12.0).reshape(6, 2) % 5, np.arange(6) % 2


def training(path: str, optimizer: str, epochs: int) -> None:
    """Train, or go on, with a checkpoint."""
    batches = {"batch_size": 2} if optimizer == "adam" else {}
    train(
        Network((2, 2, 1)), X, Y, optimizer=optimizer, max_iter=epochs, max_time=5.0,
        checkpoint=path, check=False, **batches,
    )  # fmt: skip


def checkpoints() -> dict[str, list[bytes]]:
    """Return checkpoints of trainings, by optimizer."""
    found = {}
    for optimizer in ("adam", "lbfgs", "lm", "newton-cg"):
        with tempfile.TemporaryDirectory(dir=SHARED_MEMORY) as folder:
            training(f"{folder}/run.ckpt", optimizer, 2)
            content = Path(folder, "run.ckpt").read_bytes()
        found |= {f"{optimizer} checkpoint": [content], f"sealed {optimizer} checkpoint": [content]}
    return found


def labels() -> dict[str, list[bytes]]:
    return {"labels": [b"file,label\na.png,12\nb.png,3\n", b"label,file\n7,a.png\n"]}


GROUPS = (tables, of_libraries, models, pictures, drives, checkpoints, labels)
PICTURES = ("png", "jpg", "webp", "gif", "tif", "bmp", "ppm")
APARTS = {  # and the libraries that read them
    "mat": ("scipy.io", "scipy.sparse"), "hdf5.mat": ("h5py", "scipy.sparse"),
    "parquet": ("polars",), "arrow": ("polars",), "xlsx": ("fastexcel", "polars"),
}  # fmt: skip


def originals() -> dict[str, list[bytes]]:
    """Return whole files by format; another process makes them, as Polars is not to be forked."""
    receive, send = os.pipe()
    if os.fork() == 0:
        made = {
            name: [file.hex() for file in files]
            for group in GROUPS
            for name, files in group().items()
        }
        with os.fdopen(send, "w") as out:
            json.dump(made, out)
        os._exit(0)
    os.close(send)
    with os.fdopen(receive) as answer:
        made = json.load(answer)
    os.wait()
    return {name: [bytes.fromhex(file) for file in files] for name, files in made.items()}


# How they are altered


def altered(name: str, files: list[bytes], rng: random.Random) -> bytes:
    """Return an altered file; what is sealed or zipped is altered inside, half the times."""
    content = rng.choice(files)
    if name.startswith("sealed"):
        with suppress(Exception):  # where it can be no JSON, or no tensor
            return resealed(content, rng)
    if content.startswith(b"PK") and rng.random() < 0.6:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {member: archive.read(member) for member in archive.namelist()}
        member = rng.choice(list(members))
        members[member] = mutated(members[member], files, rng)
        return zipped(members)
    content = mutated(content, files, rng)
    if content.startswith(b"\x89PNG") and rng.random() < 0.7:
        content = with_checksums(content)
    return content


def mutated(content: bytes, files: list[bytes], rng: random.Random) -> bytes:
    """Return content with one to four places changed."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(data)) if data else 0
        at = at if rng.random() < 0.6 else min(at, rng.randrange(200))  # headers stand first
        change = rng.randrange(8)
        if change == 0 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif change == 1 and data:
            data[at % len(data)] = rng.randrange(256)
        elif change == 2:
            size, order = rng.choice((1, 2, 4, 8)), rng.choice(("little", "big"))
            number = rng.choice(NUMBERS) % 256**size
            data[at : at + size] = number.to_bytes(size, order)
        elif change == 3:
            del data[at : at + rng.choice((1, 2, 8, 64, 4096))]
        elif change == 4:
            data[at:at] = data[at : at + rng.choice((1, 8, 64, 512))] * rng.choice((1, 1, 3, 50))
        elif change == 5:
            data[at:at] = rng.choice(WORDS)
        elif change == 6:
            other = rng.choice(files)
            start = rng.randrange(len(other))
            data[at : at + 64] = other[start : start + rng.choice((4, 64, 512))]
        elif rng.random() < 0.3:
            del data[at:]
    return bytes(data)


def resealed(content: bytes, rng: random.Random) -> bytes:
    """Return a file of ours with values of its header replaced, under a checksum that fits."""
    from safetensors.numpy import load as tensors_of
    from safetensors.numpy import save

    n = struct.unpack("<Q", content[:8])[0]
    metadata = json.loads(content[8 : 8 + n])["__metadata__"]
    kind = next(key for key in metadata if key != "sha256")
    header = json.loads(metadata[kind])
    tensors = tensors_of(content)
    for _ in range(rng.choice((1, 1, 2))):
        place, key = rng.choice(list(places(header)))
        place[key] = rng.choice([*STRANGE, *(holder[k] for holder, k in places(header))])
        if rng.random() < 0.2 and isinstance(place, dict):
            del place[key]
    if rng.random() < 0.3:
        name = rng.choice(list(tensors))
        tensors[name] = rng.choice(
            [
                tensors[name][:-1],
                tensors[name].astype("f4"),
                tensors[name] * np.nan,
                tensors[name][None],
                np.zeros(0),
            ]
        )
    text = json.dumps(json.loads(json.dumps(header)))
    return save(tensors, {kind: text, "sha256": checksum(text, tensors)})


def places(value: object) -> list[tuple[object, object]]:
    """Return every place of a JSON value, as its holder and key."""
    keys = (
        list(value)
        if isinstance(value, dict)
        else range(len(value))
        if isinstance(value, list)
        else ()
    )
    own = [(value, key) for key in keys]
    return own + [place for key in keys for place in places(value[key])]


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def with_checksums(png: bytes) -> bytes:
    """Return a PNG whose chunks have the checksums that they need."""
    out, at = [png[:8]], 8
    while at + 12 <= len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        chunk = png[at + 4 : at + 8 + size]
        out.append(png[at : at + 4] + chunk + zlib.crc32(chunk).to_bytes(4, "big"))
        at += 12 + size
    return b"".join(out)


# How they are read


def read(name: str, content: bytes) -> str:
    """Read a file as users do; return what came of it, and a few words on a failure."""
    try:
        if name in PICTURES:
            from chainrule.photos.opening import open_photo

            open_photo(io.BytesIO(content))
        elif name == "recording":
            from chainrule.commands.alvinn import watched
            from chainrule.driving.game import Orders
            from chainrule.driving.learning import Student

            student = Student(1)
            for frame, number, order in zip(*watched(written(content)), strict=True):
                student.watch(frame, int(number), Orders(*order.tolist()))
        elif name == "labels":
            from chainrule.handwriting.learning import collected

            folder = written(content).with_suffix(".labels")
            folder.mkdir(exist_ok=True)
            written(content).rename(folder / "labels.csv")
            collected(folder)
        elif name.endswith("driver"):
            from chainrule.driving import driver

            driver.load(written(content))(np.zeros((96, 96, 3), np.uint8), 0)
        elif name.endswith("checkpoint"):
            training(str(written(content)), name.split()[-2], 4)
        elif name.endswith("model"):
            from chainrule.commands.terminal import plain

            model = model_file.load(io.BytesIO(content))
            plain(model.provenance.options)
            model.predict(np.ones((2, model.network.layers[0])))
        else:
            load(io.BytesIO(content), name=f"t.{name}", missing="mean")
    except ValueError as error:  # of which DataError and ModelFileError are
        kinds = (*REFUSALS, "ValueError") if name.endswith("checkpoint") else REFUSALS
        if type(error).__name__ not in kinds:
            return f"traceback {type(error).__name__}: {error}"
        return REFUSED if "\n" not in str(error) else f"several lines {error}"
    except BaseException as error:
        return f"traceback {type(error).__name__}: {error}"
    return READ


class Nursery:
    """Runs what `foreign` runs: a reader is a fork of a process that has the libraries.

    That process has used none of them, and its environment is that of the product's readers.
    """

    def __init__(self, name: str, folder: str) -> None:
        self.given, self.answered = Path(folder, "given"), Path(folder, "answered")
        self.ended: dict[str, float] = {}
        program = f"import sys; sys.path[:] = sys.argv[1:]; import fuzz; fuzz.bring_up({name!r})"
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", program, str(Path(__file__).parent), *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **foreign.ENVIRONMENT},
            text=True,
        )

    def run(self, command: list[str], content: bytes, seconds: float) -> tuple[int, bytes]:
        """Do what the command would."""
        self.given.write_bytes(content)
        arguments = command[command.index(foreign.__file__) + 1 :]
        asked = [str(self.given), str(self.answered), seconds, arguments]
        print(json.dumps(asked), file=self.process.stdin, flush=True)
        self.ended = json.loads(self.process.stdout.readline())
        if self.ended["late"]:
            raise foreign.Unreadable(f"reading it took longer than {seconds:g} s")
        return int(self.ended["code"]), self.answered.read_bytes()

    def read(self, name: str, content: bytes) -> tuple[str, float, int]:
        """Return what came of a file, and the time and memory that its reader took."""
        self.ended = {"late": False, "code": 0, "seconds": 0.0, "memory": 0}
        whole_way, foreign._run = foreign._run, self.run
        try:
            outcome = read(name, content)
        finally:
            foreign._run = whole_way
        if self.ended["late"] or self.ended["code"]:
            outcome = read(name, content)
            outcome = APART if outcome in (READ, REFUSED) else outcome
        return outcome, self.ended["seconds"], int(self.ended["memory"])


def bring_up(name: str) -> None:
    """Fork a reader of a format for each line of stdin, and tell how it ended."""
    for library in APARTS[name]:
        importlib.import_module(library)
    gc.freeze()  # a fork need not copy what it does not change
    for line in os.fdopen(os.dup(0)):
        given, answered, timeout, arguments = json.loads(line)
        before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
        reader = os.fork()
        if reader == 0:
            os.dup2(os.open(given, os.O_RDONLY), 0)
            os.dup2(os.open(answered, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            sys.argv[1:] = arguments
            foreign._main()
            sys.stdout.flush()
            os._exit(0)
        late: list[int] = []
        signal.signal(signal.SIGALRM, lambda *_, r=reader, l=late: l.append(os.kill(r, 9)))
        signal.setitimer(signal.ITIMER_REAL, timeout)
        _, status, used = os.wait4(reader, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        ended = {
            "late": bool(late),
            "code": os.waitstatus_to_exitcode(status),
            "seconds": used.ru_utime + used.ru_stime,
            "memory": used.ru_maxrss * 1024 - before,
        }
        print(json.dumps(ended), flush=True)


def written(content: bytes) -> Path:
    """Return the path of a file that is read by its path only."""
    path = Path(tempfile.gettempdir(), "altered")
    path.write_bytes(content)
    return path


@dataclass
class Count:
    """What came of the cases of a format."""

    outcomes: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    most_memory: int = 0
    failures: list[tuple[int, str]] = field(default_factory=list)
    interrupted: bool = False

    def add(self, case: int, outcome: str, seconds: float = 0.0, memory: int = 0) -> None:
        """Count a case."""
        kind = next((kind for kind in FAILED if outcome.startswith(kind)), outcome)
        self.outcomes[kind] += 1
        self.longest, self.most_memory = max(self.longest, seconds), max(self.most_memory, memory)
        if kind in FAILED:
            self.failures.append((case, outcome))
        if (case + 1) % 1000 == 0:
            print(f"{case + 1:,} cases", end="\r", file=sys.stderr, flush=True)


def fuzz(name: str, files: list[bytes], mutations: int, seed: int = 0) -> Count:
    """Read so many altered files of a format, fewer after Ctrl-C, and count what came of them."""
    count, start = Count(), 0
    while start < mutations and not count.interrupted:
        last = {"case": start, "outcome": ""}

        def hear(told: dict, last: dict = last) -> None:
            last.update(told)
            if told["outcome"]:  # else it has only begun
                count.add(**told)

        try:
            signalled = in_worker(
                lambda tell, first=start: cases(name, files, range(first, mutations), seed, tell),
                hear,
            )
        except KeyboardInterrupt:
            count.interrupted = True
            break
        if signalled:
            kind = "hang" if signalled == signal.SIGVTALRM else "crash"
            count.add(last["case"], f"{kind}: {signal.Signals(signalled).name}")
        elif not last["outcome"]:
            count.add(last["case"], "traceback: the worker ended")
        start = last["case"] + 1
    return count


def case(name: str, files: list[bytes], number: int, seed: int) -> bytes:
    """Return the altered file of a number."""
    return altered(name, files, random.Random(f"{seed} {name} {number}"))


def cases(
    name: str, files: list[bytes], numbers: range, seed: int, tell: Callable[..., None]
) -> None:
    """Read cases in this process, whose memory is limited, and tell what comes of each."""
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY) as folder:
        tempfile.tempdir = folder
        nursery = Nursery(name, folder) if name in APARTS else None
        warnings.filterwarnings("error", category=RuntimeWarning)
        read(name, files[0])
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, -1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        before = peak()
        for number in numbers:
            content = case(name, files, number, seed)
            tell(case=number, outcome="", seconds=0, memory=0)
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
            began = time.process_time()
            seconds, memory = 0.0, 0
            if nursery and number % WHOLE:
                outcome, seconds, memory = nursery.read(name, content)
            else:
                outcome = read(name, content)
            taken = seconds + time.process_time() - began
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            more = peak() - before
            if printed := os.fstat(2).st_size:
                os.lseek(2, 0, os.SEEK_SET)
                outcome = f"traceback on stderr: {os.read(2, printed).decode(errors='replace')}"
                os.ftruncate(2, 0)
                os.lseek(2, 0, os.SEEK_SET)
            if taken > SECONDS:
                outcome = f"hang {taken:.1f} s"
            if memory > foreign.SPARE_MEMORY + foreign.MEMORY_PER_BYTE * len(content):
                outcome = f"memory {memory >> 20} MiB apart"
            if more > MORE_MEMORY + MORE_PER_BYTE * len(content):
                outcome, before = f"memory {more >> 20} MiB", peak()
            tell(case=number, outcome=outcome, seconds=taken, memory=max(memory, more))


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def in_worker(work: Callable[[Callable[..., None]], None], hear: Callable[[dict], None]) -> int:
    """Do work in a forked process and hear what it tells; return the signal that ended it, or 0."""
    receive, send = os.pipe()
    worker = os.fork()
    if worker == 0:
        try:
            os.setpgid(0, 0)  # out of the reach of Ctrl-C
            os.close(receive)
            os.dup2(os.memfd_create("stderr"), 2)
            faulthandler.disable()
            work(lambda **told: os.write(send, json.dumps(told).encode() + b"\n") and None)
        finally:
            os._exit(0)
    os.close(send)
    try:
        with os.fdopen(receive) as lines:
            for line in lines:
                hear(json.loads(line))
    except KeyboardInterrupt:
        os.kill(worker, signal.SIGKILL)
        raise
    finally:
        _, status = os.waitpid(worker, 0)
    return os.WTERMSIG(status)


def main(arguments: list[str] | None = None) -> int:
    """Print a line for each format; return 1 if any case failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("formats", nargs="*", metavar="FORMAT")
    parser.add_argument("--mutations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="where failing files are kept")
    options = parser.parse_args(arguments)
    files, failed = originals(), False
    columns = (READ, REFUSED, APART, *FAILED)
    print(f"{'format':<14}{'cases':>8}" + "".join(f"{c:>15}" for c in columns) + "  worst s   MiB")
    for name in options.formats or files:
        count = fuzz(name, files[name], options.mutations, options.seed)
        cells = "".join(f"{count.outcomes[c]:>15,}" for c in columns)
        worst = f"{count.longest:>9.2f}{count.most_memory >> 20:>6,}"
        print(f"{name:<14}{count.outcomes.total():>8,}{cells}{worst}", flush=True)
        failed |= bool(count.failures)
        for number, words in count.failures[:10]:
            print(f"  case {number}: {' '.join(words.split())[:200]}", flush=True)
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                path = options.keep / f"{name.replace(' ', '-')}-{options.seed}-{number}"
                path.write_bytes(case(name, files[name], number, options.seed))
        if count.interrupted:
            break
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
