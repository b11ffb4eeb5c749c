"""How much memory is free: of the machine, or of a group with a limit."""

import pytest

from chainrule.engine import memory


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Files of a system that says nothing yet."""
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "GROUP", tmp_path)
    return tmp_path


def test_a_system_that_says_nothing(system):
    assert memory.available() is None


def test_what_the_machine_has_free(system):
    (system / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:     5 kB\n")
    assert memory.available() == 5 * 1024
    (system / "memory.max").write_text("max\n")
    (system / "memory.current").write_text("7\n")
    assert memory.available() == 5 * 1024


@pytest.mark.parametrize(("most", "used", "stat"), memory.OF_A_GROUP)
def test_what_is_left_to_a_group(system, most, used, stat):
    (system / "meminfo").write_text("MemAvailable: 5 kB\n")
    (system / most).parent.mkdir(exist_ok=True)
    (system / most).write_text("3000\n")
    (system / used).write_text("1000\n")
    assert memory.available() == 2000
    (system / used).write_text("4000\n")
    assert memory.available() == 0
    (system / stat).write_text("anon 9\nactive_file 2500\ninactive_file 300\nfile 2800\n")
    assert memory.available() == 1800  # files that were read give way
    (system / stat).write_text("active_file 1\ntotal_active_file 2900\ntotal_inactive_file 100\n")
    assert memory.available() == 2000
    (system / most).write_text("999999\n")
    assert memory.available() == 5 * 1024


@pytest.mark.parametrize(
    ("said", "size"),
    [("2GiB", 2 << 30), ("2GB", 2 * 10**9), (" 0.5 tib ", 1 << 39), ("7b", 7), ("7", 7), ("0", 0)],
)
def test_a_number_of_bytes_as_people_say_it(said, size):
    assert memory.bytes_of(said) == size


@pytest.mark.parametrize("said", ["", "2XB", "-1", "1e9", "GB", "2iB", True, -1, 1.5])
def test_what_is_no_number_of_bytes(said):
    with pytest.raises(ValueError, match="memory must be a number of bytes, as '2GB'"):
        memory.bytes_of(said)
