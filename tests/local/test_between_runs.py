"""What runs on one machine leave for one another: remembered outputs and workflows' locks."""

import pytest

from gitwf.adapters.local import engine

MEMO = """
  templates:
  - name: main
    memoize: {{key: k1, {age} cache: {{configMap: {{name: cache}}}}}}
    container: {{image: none, command: [sh, -c, "mkdir -p $(dirname {path}); echo {value} > {path}; echo ran"]}}
    outputs: {{parameters: [{{name: v, valueFrom: {{path: {path}}}}}]}}
"""
LOCKED = """
  synchronization: {{mutexes: [{{name: one}}]}}
  volumes: [{{name: shared, persistentVolumeClaim: {{claimName: shared}}}}]
  templates:
  - name: main
    container:
      image: none
      command: [sh, -c]
      args: ["mkdir {path}/taken && sleep 0.3 && rmdir {path}/taken"]
      volumeMounts: [{{name: shared, mountPath: {path}}}]
"""


def memo(place, value, age=""):
    return MEMO.format(path=place, value=value, age=age)


def test_a_later_run_takes_what_an_earlier_one_gave(local, place):
    local.run(memo(place, "old"), "one")
    ran = local.run(memo(place, "new"), "two")

    assert (ran["wf"].outputs.parameters, ran["wf"].memoized.hit) == ({"v": "old"}, True)
    assert ran.text == ""


def test_what_is_too_old_is_made_anew(bare, place):
    bare.run(memo(place, "old"), "one")
    ran = bare.run(memo(place, "new", age='maxAge: "0",'), "two")
    assert ran["wf"].outputs.parameters == {"v": "new"}

    later = bare.run(memo(place, "newest", age="maxAge: 1h,"), "three")
    assert later["wf"].outputs.parameters == {"v": "new"}


def test_a_damaged_entry_is_named(bare, place):
    bare.run(memo(place, "old"), "one")
    [file] = bare.state.glob("memory/*/*.json")
    file.write_text("{")

    with pytest.raises(engine.Stalled, match="cannot be read"):
        bare.run(memo(place, "new"), "two")


def test_two_runs_that_share_a_mutex_run_one_after_the_other(walled, place):
    text = LOCKED.format(path=place)
    for run in ("one", "two", "three"):
        walled.start(text, run)
    ended = [walled.wait(run) for run in ("one", "two", "three")]

    assert [ran.record.phase for ran in ended] == ["Succeeded"] * 3


def test_a_run_that_waits_for_a_mutex_can_be_cancelled(bare, place):
    slow = """
  synchronization: {mutexes: [{name: one}]}
  templates: [{name: main, container: {image: none, command: [sleep, "60"]}}]
"""
    bare.start(slow, "one")
    watching = bare.engine.watch("one")
    while not any(node.phase == "Running" for node in next(watching).nodes.values()):
        pass
    bare.start(slow, "two")
    bare.engine.cancel("two", "not needed")
    ran = bare.wait("two")

    assert (ran.record.phase, ran["wf"].message) == ("Failed", "not needed")
    assert bare.engine.observe("one").phase == "Running"
    bare.engine.cancel("one", "enough")
    assert bare.wait("one").record.phase == "Failed"
