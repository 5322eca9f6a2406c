"""Templates of calls: steps and DAGs, one within another, and every way to make a call.

Loops, conditions, hooks, what goes on after a failure, what a task depends on, limits, and outputs
that are made of those of calls: each is drawn now and then, so that they meet in a template in ways
that nobody would have thought of.
"""

import itertools
from dataclasses import replace

from tests.parity.played import drawing, leaves

GONE_ON = ({"failed": True}, {"error": True}, {"failed": True, "error": True})
ENDINGS = ("Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned")
LOOP_ENDINGS = ("AnySucceeded", "AllFailed")
ONE_OF_ONE = {"semaphores": [{"configMapKeyRef": {"name": "sem", "key": "one"}}]}


class Templates:
    """Draws templates of calls and keeps what it drew."""

    def __init__(self, chance):
        self.chance = chance
        self.plain, self.special = leaves.plain(chance), leaves.special(chance)
        self.made = []
        self.shared = False  # whether a call names a WorkflowTemplate
        self.artifacts = {"prod", "pass"}  # templates that give one named `art`
        self._numbers = itertools.count(1)

    @property
    def leaves(self):
        return [*self.plain, *self.special]

    def _name(self, letter):
        between = "" if self.chance.maybe(0.8) else "-"
        return f"{letter}{between}{next(self._numbers)}"

    def composite(self, depth, name=""):
        """Draw steps or a DAG, with templates of calls below it to `depth`."""
        chance, main = self.chance, name == "main"
        made = {"name": name or self._name("c")}
        if parameters := self._parameters(main):
            made["inputs"] = {"parameters": parameters}
        made |= self._limits() if main else self._limits() | self._rules(made["name"])
        inputs = tuple(one["name"] for one in parameters)
        draw = chance.one_of(self._steps, self._dag)
        calls = draw(made, depth, inputs)
        kind = "steps" if "steps" in made else "tasks"
        self._outputs(made, drawing.Scope(kind, calls, inputs))
        self.made.append(made)
        return made

    def _parameters(self, main):
        chance = self.chance
        if main:
            return [{"name": "wp"}] if chance.maybe(0.2) else []
        if chance.maybe(0.5):
            return []
        more = {"name": "b", "default": "bd"} if chance.maybe(0.5) else {"name": "b"}
        first = {"name": "a", "value": chance.one_of("av", "3", "[7,8]")}
        return [first, more] if chance.maybe(0.3) else [first]

    def _limits(self):
        chance, made = self.chance, {}
        if chance.maybe(0.12):
            made["parallelism"] = chance.one_of(1, 2)
        if chance.maybe(0.15):
            made["failFast"] = chance.one_of(True, True, False)
        if chance.maybe(0.08):
            made["retryStrategy"] = {"limit": chance.one_of(1, "1", 2)}
            if chance.maybe(0.5):
                policy = chance.one_of("Always", "OnFailure", "OnError")
                made["retryStrategy"]["retryPolicy"] = policy
        return made

    def _rules(self, name):
        chance, made = self.chance, {}
        if chance.maybe(0.14):
            names = chance.one_of("mx", "my", "mz")
            made["synchronization"] = chance.one_of({"mutexes": [{"name": names}]}, ONE_OF_ONE)
        if chance.maybe(0.06):
            made["memoize"] = {"key": f"c-{name}", "cache": {"configMap": {"name": "memo"}}}
        return made

    def _steps(self, made, depth, inputs):
        chance, prior = self.chance, ()
        made["steps"] = []
        for _ in range(chance.randint(1, 3)):
            scope = drawing.Scope("steps", prior, inputs)
            many = chance.randint(1, 3) if chance.maybe(0.5) else 1
            drawn = [self._step(depth, scope) for _ in range(many)]
            made["steps"].append([step for step, _ in drawn])
            prior += tuple(call for _, call in drawn)
        return prior

    def _step(self, depth, scope):
        step, call = self._call(self._name("s"), depth, scope, conditions=0.25)
        if self.chance.maybe(0.3):
            step["continueOn"] = self.chance.choice(GONE_ON)
        return step, call

    def _dag(self, made, depth, inputs):
        chance, prior = self.chance, ()
        uses = chance.one_of("dependencies", "depends", "dependencies", "depends", "both")
        tasks = []
        for _ in range(chance.randint(1, 5)):
            before = ()
            if prior and chance.maybe(0.75):
                before = tuple(chance.sample(prior, min(len(prior), chance.randint(1, 2))))
            # One in twenty reads tasks that it does not depend on.
            seen = before if chance.maybe(0.95) else prior
            scope = drawing.Scope("tasks", seen, inputs)
            task, call = self._call(self._name("t"), depth, scope, conditions=0.2)
            task |= self._dependencies(before, uses)
            if uses == "dependencies" and chance.maybe(0.15):
                task["continueOn"] = chance.choice(GONE_ON)
            tasks.append(task)
            prior += (call,)
        made["dag"] = {"tasks": tasks}
        if chance.maybe(0.25):
            made["dag"]["failFast"] = chance.one_of(False, False, True)
        if chance.maybe(0.08):
            made["dag"]["target"] = chance.choice(tasks)["name"]
        return prior

    def _dependencies(self, before, uses):
        chance = self.chance
        if not before:
            return {}
        # Both in one DAG is refused.
        if uses == "dependencies" or (uses == "both" and chance.maybe(0.05)):
            return {"dependencies": [call.name for call in before]}
        terms = [self._term(call) for call in before]
        if chance.maybe(0.8):
            return {"depends": chance.one_of(" && ", " || ").join(terms)}
        return {"depends": f"({terms[0]} || {before[0].name}.Failed)"}

    def _term(self, call):
        chance, term = self.chance, call.name
        if chance.maybe(0.6):
            of_loops = LOOP_ENDINGS if call.loops or chance.maybe(0.1) else ()
            term += "." + chance.choice(ENDINGS + of_loops)
        return f"!{term}" if chance.maybe(0.15) else term

    def _call(self, name, depth, scope, conditions):
        """Draw what steps and tasks have in common; gives it and how others know it."""
        chance, made = self.chance, {"name": name}
        loops = chance.maybe(0.25)
        if loops:
            fields, item = drawing.loop(chance, scope)
            made |= fields
            scope = replace(scope, item=item)
        template = self._callee(depth)
        made |= self._way(template) | self._arguments(template, scope)
        if chance.maybe(conditions):
            made["when"] = drawing.condition(chance, scope)
        if chance.maybe(0.15):
            made["hooks"] = self._hooks(name, replace(scope, item=""))
        if chance.maybe(0.02):
            made["onExit"] = "leaf"
        return made, drawing.Call(name, template["name"], loops, drawing.given(template))

    def _callee(self, depth):
        chance = self.chance
        if depth > 0 and chance.maybe(0.35):
            return self.composite(depth - 1)
        if self.made and chance.maybe(0.1):
            return chance.choice(self.made)
        if chance.maybe(0.5):
            return chance.choice(self.special)
        often = {"leaf": 3, "code": 2}
        return chance.choices(self.plain, [often.get(one["name"], 1) for one in self.plain])[0]

    def _way(self, template):
        chance, name = self.chance, template["name"]
        if chance.maybe(0.01):
            return {"template": "nowhere"}
        if template in self.leaves and chance.maybe(0.08):
            self.shared = True
            cluster = {"name": "cshared", "template": name, "clusterScope": True}
            shared = {"name": "shared", "template": name}
            return {"templateRef": cluster if chance.maybe(0.3) else shared}
        if "container" in template and chance.maybe(0.05):
            return {"inline": {key: made for key, made in template.items() if key != "name"}}
        return {"template": name}

    def _arguments(self, template, scope):
        declared = template.get("inputs", {})
        given = {
            "parameters": [
                one
                for parameter in declared.get("parameters", [])
                for one in self._parameter(parameter["name"], scope)
            ],
            "artifacts": [
                one
                for artifact in declared.get("artifacts", [])
                for one in self._artifact(artifact["name"], scope)
            ],
        }
        given = {key: some for key, some in given.items() if some}
        return {"arguments": given} if given else {}

    def _parameter(self, name, scope):
        chance = self.chance
        if not chance.maybe(0.97 if name == "code" else 0.75):
            return
        number = name == "code" and chance.maybe(0.7)
        text = chance.one_of("0", "0", "1", "2") if number else drawing.value(chance, scope)
        yield {"name": name, "value": text}

    def _artifact(self, name, scope):
        chance = self.chance
        if chance.maybe(0.02):
            return
        [source] = chance.choices(("call", "global", "raw"), (70, 5, 25))
        makers = [call for call in scope.prior if call.template in self.artifacts]
        if scope.prior and chance.maybe(0.05):
            makers = scope.prior
        if source == "call" and makers:
            made = {"name": name} | self._taken(scope, makers)
        elif source == "global":
            made = {"name": name, "from": "{{workflow.outputs.artifacts.gart}}"}
        else:
            made = {"name": name, "raw": {"data": "raw"}}
        yield made | ({"optional": True} if chance.maybe(0.15) else {})

    def _taken(self, scope, calls):
        """Draw where an artifact comes from: a call, or an expression that chooses one."""
        chance, name = self.chance, self._one(calls)
        if chance.maybe(0.7):
            return {"from": drawing.tag(f"{scope.kind}.{name}.outputs.artifacts.art")}
        one, other = scope.of(name), scope.of(self._one(calls))
        art = f"{one}.outputs.artifacts.art"
        either = f"{one}.status == 'Succeeded' ? {art} : {other}.outputs.artifacts.art"
        return {"fromExpression": chance.one_of(art, either)}

    def _hooks(self, own, scope):
        """Draw the hooks of a call, which may read that call."""
        chance, made = self.chance, {}
        status = f"{scope.of(own)}.status" if "-" in own else f"{scope.kind}.{own}.status"
        if chance.maybe(0.6):
            name = chance.one_of("leaf", "leaf", "fail", "retry", "scr", "expr", "cons")
            made["exit"] = self._hook(name, own, scope)
        if not made or chance.maybe(0.3):
            name = chance.one_of("leaf", "leaf", "leaf", "fail", "fail", "scr", "expr", "cons")
            expression = chance.one_of(
                f'{status} == "Running"',
                f'{status} == "Succeeded"',
                f'{status} == "Failed"',
                "true",
                "false",
                f'{status} in ["Succeeded","Failed"]',
            )
            hook = {**self._hook(name, own, scope), "expression": expression}
            made[chance.one_of("h1", "running", "zz")] = hook
        return made

    def _hook(self, template, own, scope):
        chance, made = self.chance, {"template": template}
        call = f"{scope.kind}.{own}"
        if template == "cons":
            source = {"from": drawing.tag(f"{call}.outputs.artifacts.art")}
            one = {"name": "in"} | (source if chance.maybe(0.7) else {"raw": {"data": "h"}})
            made["arguments"] = {"artifacts": [one]}
        elif template in {"leaf", "scr", "expr"} and chance.maybe(0.6):
            message = chance.one_of(
                drawing.tag(f"{call}.outputs.result"),
                drawing.tag(f"{call}.outputs.parameters.out"),
                drawing.tag(f"{call}.status"),
                drawing.tag(f"{call}.exitCode"),
                "{{workflow.status}}",
                "{{=workflow.name + '-h'}}",
                "hk",
                drawing.value(chance, scope),
            )
            made["arguments"] = {"parameters": [{"name": "msg", "value": message}]}
        return made

    def _outputs(self, made, scope):
        """Draw what a template gives of what its calls gave."""
        chance, outputs = self.chance, {}
        parameters = [self._output(scope)] if chance.maybe(0.3) else []
        if chance.maybe(0.15):
            parameters.append(self._computed_output(scope))
        if parameters:
            outputs["parameters"] = parameters
        makers = [call for call in scope.prior if call.template in self.artifacts]
        if makers and chance.maybe(0.6):
            artifact = {"name": "art"} | self._taken(scope, makers)
            artifact |= {"optional": True} if chance.maybe(0.25) else {}
            outputs["artifacts"] = [artifact | self._globally(0.2, "gcomp")]
            self.artifacts.add(made["name"])
        if outputs:
            made["outputs"] = outputs

    def _output(self, scope):
        chance = self.chance
        if chance.maybe(0.7):
            read = drawing.reference(chance, scope, *drawing.RESULTS[:2])
            source = {"parameter": drawing.tag(read)}
        else:
            what = chance.one_of("result", "parameters.out", "parameters?.out ?? 'dflt'")
            call = scope.of(self._one(scope.prior))
            source = {"expression": f"{call}.outputs.{what}"}
        if chance.maybe(0.4):
            source["default"] = "dv"
        return {"name": "out", "valueFrom": source} | self._globally(0.2, "gc")

    def _computed_output(self, scope):
        chance, call = self.chance, scope.of(self._one(scope.prior))
        expression = chance.one_of(
            "1 + 1",
            f"{call}.status",
            f"{call}.outputs.result",
            f"toJson({call}.outputs.parameters)",
            f"sprig.upper({call}.status)",
            f"{call}.exitCode",
            "'a'",
            "workflow.name",
            "[1,2]",
            "inputs.parameters.a",
        )
        source = {"expression": expression}
        if chance.maybe(0.3):
            source["default"] = "xd"
        return {"name": "ex", "valueFrom": source} | self._globally(0.2, "gex")

    def _globally(self, odds, name):
        return {"globalName": name} if self.chance.maybe(odds) else {}

    def _one(self, calls):
        return self.chance.choice(calls).name
