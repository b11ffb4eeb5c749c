"""What a file of chainrule's is sealed with: a hash over all that it says."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from chainrule.common.types import Array


def checksum(text: str, tensors: Mapping[str, Array]) -> str:
    """Return the SHA-256 of a header with its tensors, their names, dtypes and shapes.

    Examples
    --------
    >>> checksum("{}", {})[:8]
    '44136fa3'
    """
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"\n{name} {tensor.dtype} {tensor.shape}\n".encode())
        digest.update(tensor.tobytes())
    return digest.hexdigest()
