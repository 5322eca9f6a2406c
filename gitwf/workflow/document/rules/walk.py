"""The walk from template to template, in Argo's order.

A template's body is checked once for each scope, at the first call that comes to it; what depends
on the call (is every input supplied?) is checked at each. `steps` and `dag` get the walk handed to
them, so that they can follow their calls (Argo: validateTemplateHolder, validateTemplate).
"""

import difflib
import json
from collections.abc import Mapping

from gitwf import values
from gitwf.workflow.document import flow, parameters, resolve, resolved, template
from gitwf.workflow.document.rules import (
    arguments,
    cluster,
    dag,
    inputs,
    leaf,
    outputs,
    report,
    steps,
    tags,
    visit,
)

# Argo ends a run that nests deeper; a template that calls itself is looked at once.
_MAX_DEPTH = 100
_POD_TYPES = frozenset({"container", "script", "resource", "data", "containerSet"})


class Walk:
    """One validation of one workflow.

    `everywhere` are the names in sight in every template, `known` those whose values are.
    """

    def __init__(
        self, whole: resolved.Resolved, everywhere: tags.Names, known: Mapping[str, str]
    ) -> None:
        self.found = report.Report()
        self.everywhere = everywhere
        self._whole = whole
        self._known = known
        self._templates: dict[resolved.TemplateKey, template.Template] = {}
        self._checked: set[resolved.TemplateKey] = set()
        self._depth = 0

    def call(
        self,
        scope: str,
        call: template.Call,
        where: resolved.Origin,
        given: parameters.Arguments | None = None,
        *,
        supplied: frozenset[str] = frozenset(),
        outer: frozenset[str] = frozenset(),
        entered: bool = False,
    ) -> template.Template | None:
        """Follow a call to its template and check that; None when it leads nowhere.

        `given` None stands for arguments that supply everything. `supplied` are artifacts that
        need no argument; `outer` the inputs of the caller, which an inline template sees.
        `entered`: the workflow itself calls it.
        """
        key = None
        if call.inline is not None:
            one, origin = call.inline, where.at("inline")
        else:
            key = self.target(scope, call, where)
            if key is None:
                return None
            one, origin, scope = self._filled(key), self._whole.origins[key], key.scope
            outer = frozenset()
        if self._depth > _MAX_DEPTH:
            hint = f"templates call each other more than {_MAX_DEPTH} deep"
            self.found.error(where, "Maximum recursion depth exceeded", hint)
        elif key is None or key not in self._checked:
            self._checked |= {key} if key is not None else set()
            self._depth += 1
            self._template(scope, one, origin, outer, entered=entered)
            self._depth -= 1
        if given is not None:
            arguments.check_supplied(self.found, one.name, one.inputs, given, where, supplied)
            if "{{" in one.timeout:
                timeout = tags.fill(one.timeout, _handed(one, given))
                leaf.check_timeout(self.found, one.name, timeout, where)
        return one

    def _filled(self, key: resolved.TemplateKey) -> template.Template:
        """Give a template as Argo checks it: the values of the workflow's parameters put in."""
        if key not in self._templates:
            self._templates[key] = _with(self._whole.templates[key], self._known)
        return self._templates[key]

    def begin(
        self,
        name: str,
        where: resolved.Origin,
        given: parameters.Arguments | None,
        supplied: frozenset[str] = frozenset(),
    ) -> None:
        """Follow the workflow's own call of a template, which may be that of a WorkflowTemplate."""
        library = self._whole.spec.workflow_template_ref
        if (
            library is not None
            and resolved.TemplateKey(resolved.LOCAL, name) not in self._whole.templates
        ):
            message = f"template reference {library.name}.{name} not found"
            self.found.error(where, message, self._near(resolved.LOCAL, name))
            return
        self._hand(resolved.TemplateKey(resolved.LOCAL, name), given)
        call = template.Call(template=name)
        entered = given is not None
        self.call(resolved.LOCAL, call, where, given, supplied=supplied, entered=entered)

    def _hand(self, key: resolved.TemplateKey, given: parameters.Arguments | None) -> None:
        """Put in the inputs of the workflow's own call, whose values alone are known.

        So it may even name templates by them.
        """
        if given is None or key not in self._whole.templates:
            return
        one = self._filled(key)
        self._templates[key] = _with(one, _handed(one, given))

    def hook(self, scope: str, hook: flow.Hook, where: resolved.Origin) -> None:
        """Warn of a hook without a template: Argo looks for it when the hook is due, not before."""
        if self._whole.lookup(scope, hook) is None and "{{" not in hook.to_json():
            missing = self._whole.missing(hook)
            self.found.warning(where, missing, self._near(scope, hook.template))

    def target(
        self, scope: str, call: template.Call, where: resolved.Origin
    ) -> resolved.TemplateKey | None:
        """Find the template that a call names; report one that is not there."""
        ref = call.template_ref
        if ref is not None:
            place = where.at("templateRef")
            if call.template:
                self.found.error(place, "template name cannot be specified with templateRef")
            elif not ref.name:
                self.found.error(place, "resource name is required")
            elif not ref.template:
                self.found.error(place, "template name is required")
            elif ref.late:
                return None
        found = self._whole.lookup(scope, call)
        if found is not None:
            return found[0]
        if ref is None:
            self._undefined(scope, call.template, where)
        elif ref.name and ref.template and not call.template:
            message = f"template reference {ref.name}.{ref.template} not found"
            hint = resolve.unread_hint(self._whole.unread)
            self.found.error(where.at("templateRef"), message, hint)
        return None

    def _undefined(self, scope: str, name: str, where: resolved.Origin) -> None:
        message, hint = f"template name '{name}' undefined", self._near(scope, name)
        if not name:
            message = "failed to get a template"
            hint = "name a `template`, a `templateRef` or write one `inline`"
        # An entrypoint names its template itself; a step does so in a field.
        place = where.at("template") if name and where.holds("template") else where
        self.found.error(place, message, hint)

    def _near(self, scope: str, name: str) -> str:
        known = [key.name for key in self._whole.templates if key.scope == scope]
        near = difflib.get_close_matches(name, known, n=1)
        return f"did you mean `{near[0]}`?" if near else ""

    def _template(
        self,
        scope: str,
        one: template.Template,
        origin: resolved.Origin,
        outer: frozenset[str],
        *,
        entered: bool,
    ) -> None:
        """Check one template, whoever calls it."""
        if not one.types:
            self._untyped(one, origin)
            return
        own = outer | set(inputs.names(one))
        seen = self.everywhere.layer()
        seen.exact |= own | ({"pod.name"} if one.type in _POD_TYPES else set())
        here = visit.Here(scope, one, origin, seen, own, entered)
        leaf.check_head(self.found, one, origin)
        inputs.check(self.found, one, origin.at("inputs"))
        if one.steps:
            steps.check(self, here)
        elif one.dag is not None:
            dag.check(self, here)
        else:
            leaf.check(self.found, here, self._default_image(here))
        if one.calls_others:
            path, where = f"templates.{one.name}.outputs", origin.at("outputs")
            tags.check(self.found, path, one.plain().get("outputs", {}), where, here.names)
        outputs.check(self.found, one, origin.at("outputs"))
        git = (one.archive_location or {}).get("git")
        if isinstance(git, dict):
            path, where = f"templates.{one.name}.archiveLocation", origin.at("archiveLocation")
            inputs.check_git(self.found, path, git, where.at("git"))
        cluster.check_metrics(self.found, one, origin)

    def _untyped(self, one: template.Template, origin: resolved.Origin) -> None:
        """Refuse a template without a type; of `steps: []` Argo says so when it comes to it."""
        message = f"template '{one.name}' type is unknown"
        if origin.holds("steps"):
            self.found.warning(origin.at("steps"), message, "write at least one group of steps")
        else:
            self.found.error(origin, message)

    def _default_image(self, here: visit.Here) -> str:
        """Find the image that templateDefaults give, in the document that the template is in.

        Argo looks at a workflow's and at a WorkflowTemplate's own, at no other's.
        """
        value, path = here.origin.document.value, here.origin.path
        if value.get("kind") == "ClusterWorkflowTemplate":
            return ""
        for step in path[: path.index("templates")]:
            value = value[step]
        defaults = (value.get("templateDefaults") or {}).get(here.template.type) or {}
        return str(defaults.get("image") or "")


def _handed(one: template.Template, given: parameters.Arguments) -> dict[str, str]:
    """Name the values that a call gives the inputs of a template."""
    handed = {each.name: each.value for each in given.parameters}
    return {
        f"inputs.parameters.{each.name}": value
        for each in one.inputs.parameters
        if (value := handed.get(each.name) or each.value or each.default) is not None
    }


def _with(one: template.Template, known: Mapping[str, str]) -> template.Template:
    """Give a template with the values of `known` names put in."""
    if not known or "{{" not in (text := one.to_json()):
        return one
    filled = tags.fill_all(json.loads(text), known)
    return template.Template.from_json(values.canonical(filled))
