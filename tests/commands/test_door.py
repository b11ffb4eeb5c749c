"""Signals that end the command: before it is imported, in calls that hear none, while it ends."""

import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
NOTHING = "chainrule: interrupted: nothing was saved\n"
CODES = [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)]

WHILE_IMPORTED = """
import os, signal, sys, time
import chainrule_command
class Finder:
    def find_spec(self, name, *more):
        if name == MODULE:
            os.kill(os.getpid(), signal.SIGNAL)
            time.sleep(60)
sys.meta_path.insert(0, Finder())
sys.argv = ["chainrule", "--version"]
chainrule_command.main()
"""
NO_THREADS = """
import threading
def start(thread):
    raise RuntimeError("can't start new thread")
threading.Thread.start = start
"""
# Blocked in the main thread, a signal comes in another one: no call of the main thread ends early
DEAF = """
import os, signal, sys, time
from chainrule.commands import terminal
from chainrule.workbench import pipeline
def deaf(seconds):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGNAL])
    os.kill(os.getpid(), signal.SIGNAL)
    time.sleep(seconds)
def in_training(live, step, show=terminal.Live.__call__):
    show(live, step)
    if step.iteration == 7: deaf(0.5)
WHERE
import chainrule_command
sys.argv = ["chainrule", "train", "moons", "--lam", "1", "--max-iter", "20"]
chainrule_command.main()
"""
AT_THE_END = """
import atexit, os, signal, sys, threading, time
import chainrule_command
def press():
    print("late", flush=True)
    os.kill(os.getpid(), signal.SIGNAL)
WHERE
sys.argv = ["chainrule", "info", "missing.safetensors"]
chainrule_command.main()
"""
# Python calls what is left to be done at the end, waits for threads, and takes down what there is
AT_ITS_END = {
    "at exit": "atexit.register(press)",
    "for a thread": """
def wait():
    threading.main_thread().join()
    press()
    time.sleep(600)
threading.Thread(target=wait).start()
""",
    "taken down": """
class Late:
    def __del__(self, kill=os.kill, process=os.getpid(), number=signal.SIGNAL, write=os.write):
        write(1, b"late\\n")
        kill(process, number)
signal.late = Late()
""",
}


def ended(script, name, folder, **words):
    for word, meant in {"SIGNAL": name, **words}.items():
        script = script.replace(word, meant)
    heard = f"import signal; signal.signal(signal.{name}, signal.SIG_DFL)\n"  # nohup ignores SIGHUP
    run = [sys.executable, "-c", heard + script]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120, cwd=folder, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(("name", "code"), CODES)
@pytest.mark.parametrize("module", ["chainrule", "numpy", "typer"])
def test_a_signal_while_the_command_is_imported_is_one_line(tmp_path, name, code, module):
    found = ended(WHILE_IMPORTED, name, tmp_path, MODULE=repr(module))
    assert found == (code, "", NOTHING)


@pytest.mark.parametrize(("name", "code"), CODES)
def test_a_call_that_hears_no_signal_does_not_keep_the_command(tmp_path, name, code):
    reading = "pipeline.read = lambda *given, **more: deaf(600)"
    assert ended(DEAF, name, tmp_path, WHERE=reading) == (code, "", NOTHING)


@pytest.mark.parametrize(("name", "code"), CODES)
def test_what_is_at_stake_is_waited_for(tmp_path, name, code):
    found, _, err = ended(DEAF, name, tmp_path, WHERE="terminal.Live.__call__ = in_training")
    assert found == code, err
    assert "is saved in moons.safetensors" in err
    assert (tmp_path / "moons.safetensors").exists()
    assert not (tmp_path / "moons.png").exists()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("where", AT_ITS_END)
def test_a_signal_while_python_clears_up_leaves_the_exit_code(tmp_path, name, where):
    code, out, err = ended(AT_THE_END.replace("WHERE", AT_ITS_END[where]), name, tmp_path)
    assert code == 4  # there is no such model
    assert out == "late\n"
    assert err.count("\n") == 1


def test_a_command_that_was_asked_to_end_clears_nothing_up(tmp_path):
    script = DEAF.replace("WHERE", "import atexit; atexit.register(print, 'late'); WHERE")
    code, out, _ = ended(script, "SIGINT", tmp_path, WHERE="terminal.Live.__call__ = in_training")
    assert code == 130
    assert "late" not in out


def test_what_was_to_be_ignored_stays_ignored():
    script = """
import os, signal, time
import chainrule_command
signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
chainrule_command.heed_signals()
chainrule_command.heed_signals()
assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
assert signal.getsignal(signal.SIGTERM) is chainrule_command._hear
chainrule_command.no_longer_heed(None)
assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(60)
"""
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(("name", "code"), CODES)
def test_without_threads_a_signal_ends_the_command_all_the_same(tmp_path, name, code):
    found = ended(NO_THREADS + WHILE_IMPORTED, name, tmp_path, MODULE="'chainrule'")
    assert found == (code, "", NOTHING)


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="Python collects piece by piece")
def test_no_command_goes_again_and_again_through_all_that_is_imported():
    script = """
import gc, sys
import chainrule_command
sys.argv = ["chainrule", "info", "missing.safetensors"]
try:
    chainrule_command.main()
except SystemExit:
    from chainrule import photos, plots
    import scipy.optimize, polars, matplotlib.figure
    print(gc.get_stats()[2]["collections"])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "0\n"


def test_the_door_imports_nothing_of_chainrule():
    script = "import sys, chainrule_command; assert not {'numpy', 'chainrule'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_tests_own_process_heeds_as_before():
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, os.getpid()


def test_a_second_ctrl_c_names_the_scratch_folder_that_it_leaves(tmp_path):
    program = (
        "import os, signal, sys, time\n"
        "import chainrule_command\n"
        "from chainrule.engine.spool import Spool\n"
        "chainrule_command.heed_signals()\n"
        "chainrule_command.can_unwind.set()\n"
        "gone, spool = Spool(sys.argv[1]), Spool(sys.argv[1])\n"
        "gone.remove()\n"
        "try:\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    time.sleep(9)\n"
        "except KeyboardInterrupt:\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    time.sleep(9)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    found = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    (left,) = tmp_path.iterdir()
    assert found.returncode == 130
    assert found.stderr == f"chainrule: left behind: {left}\n"
