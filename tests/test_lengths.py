"""What counts as length in the command that prints what is long."""

import pytest
from benchmarks import lengths


def test_lines_of_a_body_count_without_docstrings_comments_and_blank_lines(tmp_path):
    file = tmp_path / "module.py"
    file.write_text(
        "class Class:\n"
        "    def method(\n        self, a, *, b\n    ):\n"
        '        """One line.\n\n        Two more.\n        """\n'
        "        # a comment\n\n"
        '        def inside(*c):\n            """A docstring."""\n            return (\n'
        "                c\n            )\n\n"
        "        return inside(a, b)  # and another\n"
    )
    assert list(lengths.functions(file, tmp_path)) == [
        ("module.Class.method", 5, 2),
        ("module.Class.method.inside", 3, 1),
    ]


def test_packages_count_what_they_import_of_each_other(tmp_path, capsys, monkeypatch):
    package = tmp_path / "pack"
    for part in ("low", "high"):
        (package / part).mkdir(parents=True)
        (package / part / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "high" / "one.py").write_text("import numpy\nfrom pack import low\n")
    (package / "high" / "two.py").write_text("import pack.low.one\nfrom pack.high import one\n")
    monkeypatch.setattr("sys.argv", ["lengths", str(tmp_path)])
    lengths.main()
    assert "they import (3, 1 in all)\n      1  high\n" in capsys.readouterr().out


def test_a_folder_without_a_package_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="is no package, nor a folder with one in it"):
        lengths.package_in(tmp_path)
