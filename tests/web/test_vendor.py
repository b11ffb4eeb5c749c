"""What others wrote for the page is what they published."""

import base64
import hashlib
import re
import shutil
import subprocess
import tarfile
from importlib.resources import files

import pytest

VENDOR = files("chainrule") / "web" / "static" / "vendor"
README = (VENDOR / "README").read_text()
ROWS = re.findall(r"^  (\S+) +(package/\S+) +sha256 ([0-9a-f]{64})$", README, re.MULTILINE)


def test_each_file_is_written_down_with_its_hash():
    found = {entry.name for entry in VENDOR.iterdir()} - {"README"}
    assert found == {name for name, _, _ in ROWS}
    for name, _, sha256 in ROWS:
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == sha256


@pytest.mark.slow
def test_npm_still_has_the_same_bytes(tmp_path):
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm here")
    package, integrity = re.search(r"npm package (\S+), integrity\s+sha512-(\S+)", README).groups()
    done = subprocess.run(
        [npm, "pack", package], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"npm has no way to its registry: {done.stderr.strip().splitlines()[-1]}")
    [archive] = tmp_path.glob("*.tgz")
    digest = hashlib.sha512(archive.read_bytes()).digest()
    assert base64.b64encode(digest).decode() == integrity
    with tarfile.open(archive) as tar:
        for name, path, _ in ROWS:
            assert tar.extractfile(path).read() == (VENDOR / name).read_bytes()
