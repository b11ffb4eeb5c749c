"""The car that a network steers: the game, the eye, the hill, the teacher."""

import json
import multiprocessing
import os
import signal
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from chainrule import Network, model_file, predict, random_theta, reshape
from chainrule.commands.alvinn import learn_on_the_fly, watched
from chainrule.commands.app import app
from chainrule.datasets.columns import Column
from chainrule.datasets.encoding import Encoder
from chainrule.driving import learning, retina
from chainrule.driving.buffer import Buffer
from chainrule.driving.drawing import Film
from chainrule.driving.driver import Driver, load, save
from chainrule.driving.game import NotInstalledError, Orders, Race, pedals
from chainrule.driving.hill import Hill
from chainrule.driving.learning import Student, learn
from chainrule.driving.person import LessonOver, Person
from chainrule.driving.teacher import Line, Teacher
from chainrule.driving.views import displaced, views
from chainrule.training import checkpoint


@pytest.fixture
def race():
    """Return `Race`, or skip the test where the simulator is not installed."""
    pytest.importorskip("gymnasium", reason="driving needs pip install 'gymnasium[box2d]'")
    pytest.importorskip("Box2D", reason="driving needs pip install 'gymnasium[box2d]'")
    return Race


def driven(race, frames):
    """Let the teacher drive so many frames."""
    teacher = Teacher(race)
    for _ in range(frames):
        race.step(teacher(), race.speed)
    return teacher


def test_without_the_simulator_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(NotInstalledError, match=r"pip install 'gymnasium\[box2d\]'"):
        Race(1)


def test_frames_and_score_are_the_games_own(race):
    import gymnasium

    game = gymnasium.make("CarRacing-v3")
    theirs, _ = game.reset(seed=5)
    ours = race(5)
    teacher, score = Teacher(ours), 0.0
    assert np.array_equal(ours.frame(), theirs)
    for _ in range(160):
        orders = teacher()
        gas, brake = pedals(orders, ours.speed)
        theirs, reward, *_ = game.step(np.array([orders.steering, gas, brake]))
        ours.step(orders, ours.speed)
        score += reward
        if ours.frames % 8 == 0:
            assert np.array_equal(ours.frame(), theirs)
    assert ours.score == score


def test_a_hidden_unit_that_is_off_is_heard_by_no_output():
    network = Network((960, 3, 60))
    driver = Driver(network, random_theta(network, 2))
    image = np.random.default_rng(0).uniform(-1, 1, 960)
    hidden, outputs = driver.without([1, 3]).activations(image)
    Theta = reshape(network, driver.theta)
    np.testing.assert_allclose(hidden, driver.activations(image)[0], rtol=1e-12)
    z = Theta[1][:, 0] + Theta[1][:, 2] * hidden[1]
    np.testing.assert_allclose(outputs, 1 / (1 + np.exp(-z)), rtol=1e-12)


def test_the_retina_tells_where_it_sees_a_place():
    pixels = retina.pixels(np.zeros(1), np.zeros(1))[0].reshape(30, 32, 4)
    row, column = retina.places(np.array(-5.0), np.array(20.0))
    assert (row, column) == (pytest.approx(12.0), pytest.approx(12.25))
    seen = pixels[int(row) - 1 : int(row) + 1, int(column)] // 96  # rows of the frame
    assert seen.min() <= 72 - retina.SCALE[0] * 20 <= seen.max() + 1


@given(st.floats(-0.4, 0.4), st.integers(10, 60))
def test_a_hill_is_read_back(value, units):
    hill = Hill(-0.4, 0.4, units)
    assert hill.decode(hill.encode([value])[0]) == pytest.approx(value, abs=0.8 / (units - 1) / 20)


def test_a_hill_is_read_through_noise():
    hill, rng = Hill(-0.4, 0.4), np.random.default_rng(0)
    activations = hill.encode([0.1])[0] + rng.normal(0, 0.1, 30)
    assert hill.decode(activations) == pytest.approx(0.1, abs=0.02)


def test_the_hill_of_1988_is_one_of_them():
    printed = [0.10, 0.32, 0.61, 0.89, 1.00, 0.89, 0.61, 0.32, 0.10]
    assert Hill(-4, 4, units=9, spread=8.0).encode([0.0])[0] == pytest.approx(printed, abs=0.04)


def test_a_line_knows_places_beside_it():
    angles = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    circle = Line(100 * np.stack([np.cos(angles), np.sin(angles)], axis=1))
    along, right = circle.locate(np.array([0.0, 103.0]))
    assert (along, right) == pytest.approx((50 * np.pi, 3), abs=0.02)
    assert circle.locate(np.array([0.0, 98.0]), near=150.0)[1] == pytest.approx(-2, abs=0.02)
    assert circle.at(along) == pytest.approx([0, 100], abs=0.02)


def test_the_teacher_gets_round(race):
    for seed in (3, 14):
        lap = race(seed)
        driven(lap, 0)
        teacher = Teacher(lap)
        while not lap.done:
            lap.step(teacher(), lap.speed)
        assert lap.completed
        assert lap.score > 910


def test_the_speed_bar_shows_the_speed(race):
    lap = race(3)
    teacher = Teacher(lap)
    errors = []
    for _ in range(200):
        lap.step(teacher(), lap.speed)
        if lap.frames % 5 == 0:
            errors.append(retina.speed(lap.frame()) - lap.speed)
    assert np.abs(errors[2:]).max() < 3
    assert abs(np.mean(errors)) < 1


@pytest.mark.parametrize(("shift", "turn"), [(2.5, 0.0), (0.0, 0.12), (-2.0, -0.1)])
def test_a_displaced_view_is_what_the_eye_would_see_and_do_there(race, shift, turn):
    lap = race(7)
    teacher = driven(lap, 130)
    orders, greens = teacher(), retina.grass(lap.frame())
    seen = retina.receptors(greens, retina.pixels(np.array([shift]), np.array([turn])))[0]
    steered = displaced(orders, np.array([shift]), np.array([turn]))[0]
    hull = lap._env.car.hull
    right = np.array([np.cos(hull.angle), np.sin(hull.angle)])
    hull.position = tuple(np.array(hull.position) + shift * right)
    hull.angle = hull.angle - turn
    there = retina.see(lap.frame())
    ahead = slice(0, 22 * 32)  # nearer, the car itself is in the way
    assert np.abs(seen - there)[ahead].mean() < 0.04
    assert steered == pytest.approx(teacher().steering, abs=0.02)


def test_views_are_labelled_in_their_mirror_too():
    frame = np.zeros((96, 96, 3), np.uint8)
    frame[:, :40, 1] = 200  # grass to the left
    images, targets = views(frame, 100, Orders(0.05, 60.0), 40, np.random.default_rng(1))
    assert images.shape == (41, 960)
    left = images[:, ::32].mean(axis=1)  # the leftmost column of receptors: grass, or its mirror
    assert set(np.sign(left)) == {-1.0, 1.0}
    unmirrored = targets[left < 0]
    assert unmirrored[:, 0].mean() > 0.02
    assert targets[left > 0][:, 0].mean() < -0.02
    assert np.all(targets[:, 1] == 60.0)


@given(st.lists(st.floats(-0.3, 0.3), min_size=30, max_size=80), st.integers(0, 9))
def test_a_full_buffer_is_as_even_as_its_patterns_allow(steering, seed):
    limits = np.array([-0.1, 0.1])
    buffer = Buffer(12, limits, np.random.default_rng(seed))
    for value in steering:
        buffer.add(np.zeros((1, 960)), np.array([[value, 50.0]]))
    assert len(buffer.images) == 12
    offered = np.bincount(np.digitize(steering, limits), minlength=3)
    kept = np.bincount(np.digitize(buffer.targets[:, 0], limits), minlength=3)
    # A kind that has fewer than the largest has all it was offered, but for one just replaced
    assert all(k >= min(o, 12 // 3 - 1) for k, o in zip(kept, offered, strict=True))


def test_no_gas_and_brake_at_once():
    for wanted in (20.0, 60.0, 100.0):
        gas, brake = pedals(Orders(0.2, wanted), 60.0)
        assert min(gas, brake) == 0
        assert gas <= 0.63


def test_the_retina_and_the_hills_go_through_a_file(tmp_path):
    network = Network((960, 3, 60))
    driver = Driver(network, random_theta(network, 2).astype(np.float32))
    save(tmp_path / "car.safetensors", driver, seed=2, options={"minutes": 1.0})
    again = load(tmp_path / "car.safetensors")
    frame = np.random.default_rng(0).integers(0, 255, (96, 96, 3), dtype=np.uint8)
    assert again(frame, 70) == driver(frame, 70)


def test_another_kind_of_network_is_refused_by_name(tmp_path):
    model = model_file.Model(Network((1, 1)), np.zeros(2), Encoder((Column("size"),)))
    model_file.save(tmp_path / "size.safetensors", model)
    with pytest.raises(model_file.ModelFileError, match=r"size\.safetensors: .* drives no car"):
        load(tmp_path / "size.safetensors")


def test_a_practice_that_is_killed_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    rng = np.random.default_rng(3)
    images = rng.uniform(-1, 1, (200, 960)).astype(np.float32)
    targets = np.stack([rng.uniform(-0.2, 0.2, 200), np.full(200, 60.0)], axis=1)

    def practised(keeper):
        student = Student(hidden=2, seed=1)
        student.buffer.add(images, targets)
        return student.practise(6, settle=True, checkpoint=keeper)

    whole = practised(None)
    monkeypatch.setattr(checkpoint, "SHARE", 1e9)
    write, written = checkpoint.Checkpoint._write, []

    def killed_at_the_fourth(self, stopped):
        write(self, stopped)
        written.append(stopped)
        if len(written) == 4:
            raise SystemExit

    monkeypatch.setattr(checkpoint.Checkpoint, "_write", killed_at_the_fourth)
    with pytest.raises(SystemExit):
        practised(checkpoint.Checkpoint(tmp_path / "a.ckpt", every=0))
    assert 0 < checkpoint.load(tmp_path / "a.ckpt").kept.last.iteration < 6
    result = practised(checkpoint.Checkpoint(tmp_path / "a.ckpt", every=0))
    np.testing.assert_array_equal(result.theta, whole.theta)
    assert result.history.J == whole.history.J


def test_the_mean_that_was_taken_off_is_in_the_biases():
    student = Student(hidden=2, seed=1)
    rng = np.random.default_rng(3)
    images = rng.uniform(-1, 1, (64, 960)).astype(np.float32)
    student.buffer.add(images, np.stack([rng.uniform(-0.2, 0.2, 64), np.full(64, 60.0)], axis=1))
    student.practise(2)
    driver, theta = student.driver(), student._state.theta
    centred = predict(student.network, theta, images - student._mean)
    assert predict(driver.network, driver.theta, images) == pytest.approx(centred, abs=1e-4)


def test_a_network_takes_over_after_the_first_lap(race, monkeypatch):
    monkeypatch.setattr(learning, "LAST_EPOCHS", 10)
    shares = []
    learn(Student(2, seed=4), minutes=0.4, seed=4, progress=lambda _, own: shares.append(own))
    assert len(shares) == 1200
    assert max(shares[:600]) == 0
    assert max(shares) > 0


@pytest.mark.slow
def test_the_same_seed_learns_the_same(race):
    first, again = (learn(Student(2, seed=4), minutes=0.4, seed=4) for _ in range(2))
    assert np.array_equal(first.theta, again.theta)


def test_the_teacher_takes_the_wheel_from_who_would_turn_round(race):
    teacher = driven(race(3), 100)
    orders = teacher()
    assert not teacher.objects_to(Orders(orders.steering + 0.05, 20.0))
    assert teacher.objects_to(Orders(orders.steering + 0.3, 20.0))


def test_a_film_has_a_page_for_some_of_the_frames(race, tmp_path):
    network = Network((960, 4, 60))
    driver = Driver(network, np.zeros(network.size, np.float32))
    lap, film = race(5), Film(driver)
    teacher = Teacher(lap)
    for _ in range(40):
        orders = teacher()
        if lap.frames % 2 == 0:
            film(lap.frame(), lap, orders, driver(lap.frame(), lap.frames))
        lap.step(orders, lap.speed)
    film.save(tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as gif:
        assert gif.n_frames == 7
        assert gif.size == (620, 344)


def test_without_a_screen_nobody_can_teach(monkeypatch):
    pygame = pytest.importorskip("pygame")
    for driver in ("offscreen", "no such driver"):
        monkeypatch.setenv("SDL_VIDEODRIVER", driver)
        monkeypatch.setenv("SDL_NO_SIGNAL_HANDLERS", "1")
        pygame.display.quit()
        with pytest.raises(ValueError, match="no screen here"):
            Person(None)


@pytest.fixture
def keyboard(race, monkeypatch):
    """Return (press, release) of keys in a window that nobody sees."""
    import pygame

    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setenv("SDL_NO_SIGNAL_HANDLERS", "1")
    pygame.display.quit()
    pygame.display.init()

    def post(kind):
        return lambda key: pygame.event.post(pygame.event.Event(kind, key=key))

    yield post(pygame.KEYDOWN), post(pygame.KEYUP)
    pygame.quit()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_with_a_window_open_a_process_can_still_be_told_to_end(race, keyboard):
    Person(race(3))
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    child.start()
    child.terminate()
    child.join(20)
    assert child.exitcode == -signal.SIGTERM


def test_a_person_steers_with_the_arrow_keys(race, keyboard):
    import pygame

    press, release = keyboard
    person = Person(race(3))
    press(pygame.K_SPACE)
    assert person() == Orders(0.0, 20.0)
    press(pygame.K_RIGHT)
    press(pygame.K_UP)
    pressed = [person() for _ in range(3)]
    assert pressed[-1].steering > pressed[0].steering > 0
    assert pressed[-1].speed > pressed[0].speed > 20
    release(pygame.K_RIGHT)
    assert person().steering < pressed[-1].steering
    press(pygame.K_ESCAPE)
    with pytest.raises(LessonOver):
        person()


def test_the_road_waits_for_a_persons_first_key(race, keyboard, monkeypatch):
    import pygame

    lap, shown = race(3), []
    frame = lap.frame

    def shows(mode):
        shown.append(mode)
        if len(shown) == 5:
            keyboard[0](pygame.K_UP)
        return frame(mode)

    monkeypatch.setattr(lap, "frame", shows)
    person = Person(lap)
    person()
    assert len(shown) == 5
    assert pygame.display.get_caption()[0].startswith("press a key to start")
    person()
    assert not pygame.display.get_caption()[0].startswith("press")


def test_a_person_who_stops_early_has_taught_what_was_seen(race, keyboard, monkeypatch, tmp_path):
    import pygame

    monkeypatch.chdir(tmp_path)
    looks = []
    orders = Person.__call__

    def looked(person):
        looks.append(person)
        keyboard[0](pygame.K_ESCAPE if len(looks) > 20 else pygame.K_UP)
        return orders(person)

    monkeypatch.setattr(Person, "__call__", looked)
    out = tmp_path / "a.safetensors"
    lesson = learn_on_the_fly(out, minutes=5.0, hidden=2, seed=0, teach="keyboard")
    assert lesson["minutes"] == pytest.approx(20 / 25 / 60, abs=0.01)
    assert load(out).network.layers == (960, 2, 60)

    looks.clear()
    result = CliRunner().invoke(app, ["drive", "watch", "--teach", "keyboard"])
    assert result.exit_code == 0, result.output
    assert "20 frames of 1 lap," in result.stderr

    result = CliRunner().invoke(app, ["drive", "watch", "--teach", "keyboard"])
    assert result.exit_code == 2
    assert "no driving was watched" in result.stderr


def test_the_command_watches_trains_and_goes(race, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    assert run(app, ["drive", "watch", "--minutes", "0.1"]).exit_code == 0
    result = run(app, ["drive", "train", "watched.npz", "--hidden", "2", "--out", "a.safetensors"])
    assert result.exit_code == 0, result.output
    result = run(app, ["drive", "go", "a.safetensors", "--tracks", "1", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert set(told["tracks"][0]) == {
        "seed", "score", "completed", "lateral_mean", "lateral_p95"
    }  # fmt: skip
    assert told["teacher"][0]["completed"]
    assert (tmp_path / "a.gif").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["drive", "watch", "--out", "x.txt"], "must be a .npz file"),
        (["drive", "--out", "x.png"], "must be a .safetensors file"),
        (["drive", "--out", "nowhere/a.safetensors"], "in a folder that exists"),
        (["drive", "go", "absent.safetensors", "--out", "a.mp4"], "must be a .gif file"),
        (["drive", "--minutes", "inf"], "less than or equal to 100"),
        (["drive", "--hidden", "8", "watch"], "drive watch: its options go after its name"),
        (["drive", "go", "absent.safetensors"], "absent.safetensors"),
        (["drive", "train", "absent.npz"], "absent.npz"),
    ],
)
def test_bad_arguments_are_one_line(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code > 0
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_damaged_recording_is_refused_by_name(tmp_path):
    path = tmp_path / "cut.npz"
    np.savez_compressed(path, frames=np.zeros((9, 96, 96, 3), np.uint8), numbers=np.arange(9))
    arguments = ["drive", "train", str(path), "--out", str(tmp_path / "a.safetensors")]
    for size in (path.stat().st_size, 300):  # one without orders, and a cut one
        path.write_bytes(path.read_bytes()[:size])
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 3
        assert "cut.npz: is no recording of 'chainrule drive watch'" in result.stderr


STRANGE = {
    "objects": {"orders": np.array([["left", None]] * 9, object)},
    "words": {"orders": np.array([["left", "slow"]] * 9)},
    "orders in a row": {"orders": np.zeros(18)},
    "fewer orders": {"orders": np.zeros((8, 2))},
    "no number": {"orders": np.full((9, 2), np.nan)},
    "a wheel that turns round": {"orders": np.full((9, 2), 7.0)},
    "a car that goes back": {"orders": np.full((9, 2), -0.1)},
    "one number": {"numbers": np.array(3)},
    "numbers beyond a lap": {"numbers": np.arange(9) * 10**17},
    "grey frames": {"frames": np.zeros((9, 96, 96), np.uint8)},
    "frames of floats": {"frames": np.zeros((9, 96, 96, 3))},
    "no frames": {"frames": np.zeros((0, 96, 96, 3), np.uint8)},
    "a frame": {"frames": np.uint8(0)},
    "frames that are a bomb": {"frames": np.zeros((2000, 96, 96, 3), np.uint8)},
}


@pytest.mark.parametrize("arrays", STRANGE.values(), ids=STRANGE)
def test_a_recording_of_something_else_is_refused_in_one_line(tmp_path, arrays):
    path = tmp_path / "odd.npz"
    whole = {
        "frames": np.zeros((9, 96, 96, 3), np.uint8),
        "numbers": np.arange(9),
        "orders": np.zeros((9, 2)),
    }
    np.savez_compressed(path, **{**whole, **arrays})
    result = CliRunner().invoke(
        app, ["drive", "train", str(path), "--out", f"{tmp_path}/a.safetensors"]
    )
    assert (result.exit_code, result.stderr.count("\n")) == (3, 1)
    assert "odd.npz: is no recording of 'chainrule drive watch'" in result.stderr


def test_a_recording_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "lap.npz"
    frames = np.random.default_rng(0).integers(0, 255, (3, 96, 96, 3), np.uint8)
    orders = np.array([[0.4, 0.0], [-0.4, 104.0], [0.0, 20.0]])
    np.savez_compressed(path, frames=frames, numbers=np.arange(3), orders=orders, seed=0)
    for read, written in zip(watched(path), (frames, np.arange(3), orders), strict=True):
        np.testing.assert_array_equal(read, written)


def test_what_is_learnt_stays_if_the_laps_are_interrupted(race, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("chainrule.commands.alvinn.drive_all", interrupted)
    out = tmp_path / "a.safetensors"
    result = CliRunner().invoke(app, ["drive", "--minutes", "0.1", "--out", str(out)])
    assert result.exit_code == 130
    assert "the network is saved in" in result.stderr
    assert load(out).network.layers == (960, 4, 60)


def test_what_is_learnt_stays_if_the_lesson_is_interrupted(race, tmp_path, monkeypatch):
    practise = learning.Student.practise
    done = []

    def cut(student, *given, **more):
        result = practise(student, *given, **more)
        done.append(result)
        return replace(result, interrupted=True)

    monkeypatch.setattr(learning.Student, "practise", cut)
    out = tmp_path / "a.safetensors"
    found = CliRunner().invoke(app, ["drive", "--minutes", "0.1", "--out", str(out)])
    assert found.exit_code == 130
    assert len(done) == 1, "the lesson is over"
    assert "interrupted: what was learnt in 0:06 min of driving is saved in" in found.stderr
    assert load(out).network.layers == (960, 4, 60)
    assert not out.with_suffix(".png").exists()


def test_a_lesson_interrupted_before_it_has_taught_anything_saves_nothing(
    race, tmp_path, monkeypatch
):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(learning.Student, "watch", interrupted)
    out = tmp_path / "a.safetensors"
    found = CliRunner().invoke(app, ["drive", "--minutes", "0.1", "--out", str(out)])
    assert found.exit_code == 130
    assert "nothing was saved" in found.stderr
    assert not out.exists()


@pytest.mark.parametrize("after", [0, 1, 30])
def test_what_was_watched_is_written_where_a_signal_ends_the_lesson(
    race, tmp_path, monkeypatch, after
):
    looks, order = [], Teacher.__call__

    def ordered(teacher):
        if len(looks) == after:
            raise KeyboardInterrupt
        looks.append(teacher)
        return order(teacher)

    monkeypatch.setattr(Teacher, "__call__", ordered)
    out = tmp_path / "watched.npz"
    found = CliRunner().invoke(app, ["drive", "watch", "--minutes", "0.2", "--out", str(out)])
    assert found.exit_code == 130
    if after:
        assert "interrupted: what was watched so far" in found.stderr
        assert f"{after} frames of 1 lap," in found.stderr
        assert all(len(part) == after for part in watched(out))
    else:
        assert "nothing was saved" in found.stderr
        assert not out.exists()


@pytest.mark.slow
def test_quick_learns_and_drives_three_tracks(race, tmp_path):
    out = tmp_path / "alvinn.safetensors"
    result = CliRunner().invoke(app, ["drive", "--quick", "--out", str(out), "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert len(told["tracks"]) == 3
    assert told["mean"]["score"] > 850
    assert out.with_suffix(".gif").stat().st_size > 100_000
    assert out.with_suffix(".png").exists()
