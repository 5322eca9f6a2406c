"""Templates that run a pod or wait: what each of them is there to try.

No pod really runs. The last argument of a container, or the source of a script, says how it ends;
the README has the words. `plain` ones are called most; each of the `special` ones tries a part of a
template that has rules of its own.
"""

from tests.parity.played import drawing

IMAGE = {"image": "busybox", "command": ["fake"]}
OUT = {"name": "out", "valueFrom": {"path": "/tmp/out"}}


def template(name, words, *, inputs=(), outputs=(), **fields):
    """A template of one container that ends as `words` say."""
    made = {"name": name, "container": {**IMAGE, "args": [words]}}
    if inputs:
        made["inputs"] = {"parameters": list(inputs)}
    if outputs:
        made["outputs"] = {"parameters": list(outputs)}
    return made | fields


def plain(chance):
    """Draw the templates that most calls call."""
    return [draw(chance) for draw in (leaf, fail, code, listing, retried, global_output)]


def special(chance):
    """Draw those that try something of their own."""
    return [draw(chance) for draw in SPECIAL]


def leaf(chance):
    """Says what it is told, as a result and as an output."""
    message = {"name": "msg", "value": chance.one_of("m", "5", "[1,2]", "true", "a b")}
    words = "x=0;r={{inputs.parameters.msg}};o.out={{inputs.parameters.msg}}"
    made = template("leaf", words, inputs=[message], outputs=[OUT])
    if chance.maybe(0.15):
        shown = chance.one_of("shown-{{inputs.parameters.msg}}", "bad name!", "fine")
        made["metadata"] = {"annotations": {"workflows.argoproj.io/display-name": shown}}
    if chance.maybe(0.25):
        key = chance.one_of("k", "k-{{inputs.parameters.msg}}")
        made["memoize"] = {"key": key, "cache": {"configMap": {"name": "memo"}}}
    return made


def fail(chance):
    return template("fail", f"x={chance.one_of(1, 2, 64, 137)};r=bad;o.out=bad", outputs=[OUT])


def code(chance):
    """Ends with the code that it is given, where that is a number."""
    words = "x={{inputs.parameters.code}};r={{inputs.parameters.code}}"
    made = template("code", words, inputs=[{"name": "code"}])
    if chance.maybe(0.2):
        name = "mx" if chance.maybe(0.7) else "mx-{{inputs.parameters.code}}"
        made["synchronization"] = {"mutexes": [{"name": name}]}
    return made


def listing(chance):
    """Gives lists for others to loop over."""
    result = chance.one_of("[1,2]", '["a","b"]', "[]", '[{"k":"v"}]', "7")
    return template("list", f"x=0;r={result};o.out=[1,2,3]", outputs=[OUT])


def retried(chance):
    """Fails until it was tried often enough, under all policies."""
    strategy = {"limit": chance.one_of(0, 1, 2, "2")}
    if chance.maybe(0.8):
        policies = ("Always", "OnFailure", "OnError", "OnTransientError")
        strategy["retryPolicy"] = chance.choice(policies)
    if chance.maybe(0.3):
        strategy["expression"] = chance.one_of(
            "asInt(lastRetry.exitCode) > 1",
            "lastRetry.status == 'Failed'",
            "lastRetry.message contains 'code 1'",
            "false",
            "bogus +",
        )
    often, ends = chance.one_of(1, 1, 2, 5), chance.one_of(1, 2)
    words = (
        f"x={{{{=asInt(retries) < {often} ? {ends} : 0}}}};r={{{{retries}}}};o.out=r{{{{retries}}}}"
    )
    return template("retry", words, outputs=[OUT], retryStrategy=strategy)


def global_output(chance):
    given = {"name": "msg", "value": "g"}
    out = {**OUT, "globalName": chance.one_of("gone", "gtwo")}
    return template(
        "glob", "x=0;r=g;o.out={{inputs.parameters.msg}}", inputs=[given], outputs=[out]
    )


def script(chance):
    given = {"name": "msg", "value": chance.one_of("m", "3", '{"a":1}')}
    result = chance.one_of(
        "{{inputs.parameters.msg}}",
        '[1,"z"]',
        '{"k":"{{inputs.parameters.msg}}"}',
        "heads",
        "",
        "{{=inputs.parameters.msg + '?'}}",
    )
    return {
        "name": "scr",
        "inputs": {"parameters": [given]},
        "script": {**IMAGE, "source": f"x=0;r={result};o.out=so"},
        "outputs": {"parameters": [OUT]},
    }


def failing_script(chance):
    return {"name": "scf", "script": {**IMAGE, "source": f"x={chance.randint(1, 3)};r=fr"}}


def default_output(chance):
    """Writes no output, whose default stands in for it."""
    default = chance.one_of("dd", "d-{{inputs.parameters.msg}}", "")
    out = {"name": "out", "valueFrom": {"path": "/tmp/out", "default": default}}
    given = {"name": "msg", "default": "mm"}
    words = f"x={chance.one_of(0, 0, 1)};r=df"
    return template("dflt", words, inputs=[given], outputs=[out])


def container_set(chance):
    names = chance.one_of(["main"], ["main", "b"], ["a", "main"], ["a", "main", "z"])
    containers = []
    for at, name in enumerate(names):
        words = f"x={chance.one_of(0, 0, 0, 1, 64)};r=cs{{{{inputs.parameters.msg}}}};o.out=co"
        one = {"name": name, **IMAGE, "args": [words]}
        if at and chance.maybe(0.6):
            one["dependencies"] = [chance.choice(names[:at])]
        containers.append(one)
    made = {
        "name": "cset",
        "inputs": {"parameters": [{"name": "msg", "value": "ms"}]},
        "containerSet": {"containers": containers},
        "outputs": {"parameters": [OUT]},
    }
    if chance.maybe(0.3):
        made["retryStrategy"] = {"limit": 1}
    return made


def suspended_for_a_time(chance):
    lasts = chance.one_of(
        "1", "2s", "3", "{{inputs.parameters.msg}}", "bogus" if chance.maybe(0.2) else "1"
    )
    given = {"name": "msg", "value": "1"}
    return {"name": "sdur", "suspend": {"duration": lasts}, "inputs": {"parameters": [given]}}


def suspended_for_an_answer(chance):
    supplied = {"supplied": {}}
    if chance.maybe(0.5):
        supplied["default"] = chance.one_of("sd", "sd-{{inputs.parameters.msg}}")
    out = {"name": "out", "valueFrom": supplied}
    if chance.maybe(0.2):
        out["globalName"] = "gs"
    inputs = [{"name": "msg", "value": "q"}]
    if chance.maybe(0.3):
        choices = {"default": "yes", "enum": ["yes", "no"], "value": "yes"}
        inputs.append({"name": "out", **choices})
    return {
        "name": "ssup",
        "suspend": {} if chance.maybe(0.7) else {"duration": "2"},
        "inputs": {"parameters": inputs},
        "outputs": {"parameters": [out]},
    }


def producer(chance):
    art, made = {"name": "art", "path": "/tmp/art"}, "a.art=1"
    if chance.maybe(0.3):
        art["optional"] = True
        made = chance.one_of("a.art=1", "")
    if chance.maybe(0.3):
        art["globalName"] = "gart"
    words = f"x={chance.one_of(0, 0, 0, 1)};r=p;{made}"
    return template("prod", words) | {"outputs": {"artifacts": [art]}}


def consumer(chance):
    words = "x=0;r={{inputs.artifacts.in.path}}"
    return template("cons", words) | {"inputs": {"artifacts": [_wanted(chance)]}}


def passing_on(chance):
    outputs = {"artifacts": [{"name": "art", "path": "/tmp/art"}]}
    made = template("pass", "x=0;a.art=1", outputs=())
    return made | {"inputs": {"artifacts": [_wanted(chance)]}, "outputs": outputs}


def _wanted(chance):
    wanted = {"name": "in", "path": "/tmp/in"}
    return wanted | {"optional": True} if chance.maybe(0.4) else wanted


def slow(chance):
    """May take longer than its deadline allows."""
    given = {"name": "msg", "value": chance.one_of("1", "3", "z") if chance.maybe(0.1) else "3"}
    words = f"d={chance.one_of(1, 2, 4, 5)};x={chance.one_of(0, 0, 1)};r=sl"
    deadline = chance.one_of(1, 3, "{{inputs.parameters.msg}}")
    return template("slow", words, inputs=[given], activeDeadlineSeconds=deadline)


def with_timeout(chance):
    given = {"name": "msg", "value": "5s"}
    words = f"d={chance.one_of(1, 2, 3, 8)};x=0;r=tm"
    timeout = chance.one_of("5s", "6s", "7s", "{{inputs.parameters.msg}}")
    return template("tmo", words, inputs=[given], timeout=timeout)


def backing_off(chance):
    backoff = {"duration": chance.one_of("1", "2s", "3", "0")}
    if chance.maybe(0.5):
        backoff["factor"] = chance.one_of(2, "2", 1, 3)
    if chance.maybe(0.4):
        backoff["maxDuration"] = chance.one_of("3s", "6", "10s")
    if chance.maybe(0.3):
        backoff["cap"] = chance.one_of("2s", "3")
    strategy = {"backoff": backoff, "limit": chance.one_of(1, 2, "3")}
    if chance.maybe(0.15):
        strategy = {"backoff": backoff, "expression": "asInt(retries) < 2"}
    if chance.maybe(0.3):
        strategy["retryPolicy"] = "Always"
    limits = {}
    if chance.maybe(0.3):
        limits = chance.one_of({"timeout": "5s"}, {"activeDeadlineSeconds": 3})
    words = (
        f"d=1;x={{{{=asInt(retries) < {chance.one_of(1, 2, 9)} ? 1 : 0}}}};"
        "r={{lastRetry.exitCode}}-{{lastRetry.status}};o.out=b{{retries}}"
    )
    return template("boff", words, outputs=[OUT], retryStrategy=strategy, **limits)


def locked(chance):
    def semaphore(key):
        return {"configMapKeyRef": {"name": "sem", "key": key}}

    locks = chance.one_of(
        {"semaphores": [semaphore(chance.one_of("one", "two"))]},
        {"semaphores": [semaphore("two")], "mutexes": [{"name": "mx"}]},
        {"mutexes": [{"name": "ma"}, {"name": "mb"}]},
    )
    given = {"name": "msg", "value": "l"}
    words = f"x={chance.one_of(0, 0, 1)};r={{{{inputs.parameters.msg}}}}"
    retries = {"retryStrategy": {"limit": 1}} if chance.maybe(0.3) else {}
    return template("lock", words, inputs=[given], synchronization=locks, **retries)


def from_a_config_map(chance):
    key = {"name": "params", "key": chance.one_of("k", "k", "nokey")}
    default = {"default": "cd"} if chance.maybe(0.4) else {}
    given = {"name": "msg", "valueFrom": {"configMapKeyRef": key, **default}}
    return template("cmap", "x=0;r={{inputs.parameters.msg}}", inputs=[given])


EXPRESSIONS = (
    "inputs.parameters.msg == '5' ? 'five' : sprig.upper(inputs.parameters.msg)",
    "toJson([inputs.parameters.msg, workflow.name])",
    "asInt('4') + 2",
    "asFloat('1.5') * 2",
    """jsonpath('{"a":[1,{"b":"c"}]}', '$.a[1].b')""",
    "workflow.parameters.wp ?? 'none'",
    "len(inputs.parameters.msg) > 1",
    "map([1,2], # * 2)",
    "filter(['a','bb'], len(#) > 1)",
    "nil",
    "inputs.parameters['msg']",
    "node.name",
    "bogus",
    "inputs.parameters.nope",
    "workflow.status",
    "item",
    "lastRetry.exitCode",
    "sprig.trim(' a ') + string(3)",
    "let x = 1; x + 1",
    "1/0",
    "int('x')",
)


def expression(chance):
    """Says what an expression gives, good or bad."""
    tag = drawing.tag(f"={chance.choice(EXPRESSIONS)}")
    given = {"name": "msg", "value": chance.one_of("m", "5", 'a"b', "é")}
    return template("expr", f"x=0;r={tag};o.out={tag}", inputs=[given], outputs=[OUT])


SPECIAL = (
    script, failing_script, default_output, container_set, suspended_for_a_time,
    suspended_for_an_answer, producer, consumer, passing_on, slow, with_timeout, backing_off,
    locked, from_a_config_map, expression,
)  # fmt: skip
