"""Environments for requirements: built once, first on the path, a failure is the machine's."""

import zipfile

import pytest

from gitwf.adapters.local import venvs
from gitwf.errors import Transient

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel with the one module `sums`."""
    path = tmp_path_factory.mktemp("wheels") / "sums-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("sums.py", "def add(a, b):\n    return a + b\n")
        file.writestr(
            "sums-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: sums\nVersion: 1.0\n"
        )
        file.writestr(
            "sums-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        file.writestr("sums-1.0.dist-info/RECORD", "sums.py,,\n")
    return path


def test_steps_find_the_requirements_first_on_their_path(hosted, written, wheel):
    command = "python -c 'import sums, sys; print(sums.add(1, 2), sys.prefix)'; python3 -m pip -V"
    ran = hosted.run(written(command), requirements=f"{wheel}\n")

    assert ran.record.message == "", ran.text
    assert ran.text.split()[0] == "3"
    assert ran.text.split()[1].startswith(str(hosted.state / "venvs"))


def test_an_environment_is_built_once_and_a_half_built_one_thrown_away(tmp_path, wheel):
    place = venvs.build(f"{wheel}\n", tmp_path)
    made = (place / "bin" / "python").lstat().st_mtime_ns

    assert venvs.build(f"{wheel}\n", tmp_path) == place
    assert (place / "bin" / "python").lstat().st_mtime_ns == made
    (place / "complete").unlink()
    (place / "rubbish").touch()
    assert venvs.build(f"{wheel}\n", tmp_path) == place
    assert not (place / "rubbish").exists()


def test_requirements_that_cannot_be_installed_are_transient_and_tried_again(
    make, written, tmp_path
):
    missing = tmp_path / "gone-1.0-py3-none-any.whl"
    local = make("none")
    local.start(written("true"), requirements=f"{missing}\n")

    with pytest.raises(Transient, match="requirements could not be installed") as failed:
        local.wait()
    assert "gone-1.0-py3-none-any.whl" in str(failed.value)
    assert local.engine.observe("run").phase == "Running"
    local.start(written("true"), requirements=f"{missing}\n")
    with pytest.raises(Transient, match="requirements could not be installed"):
        local.wait()
