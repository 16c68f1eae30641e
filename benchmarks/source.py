"""The flat program as Python: what a person would write who knows no component.

Every resource is a call of its SDK class with snake_case arguments and the SDK's argument classes, so that it
carries the same aliases and goes through the same serialisation as in the real program. The text stands in a file,
for whoever wants to see what is compared, and is compiled once: a run of it pays for no generation.

What it does not do: no loops, no helpers, nothing that a flat program could do to be quicker or slower.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, get_args

import pulumi._types as sdk

from benchmarks.flat import PROVIDER, Computed, Declaration, Flat, Taken

_PACKAGES: Final = {
    "azure-native": "pulumi_azure_native",
    "azuredevops": "pulumi_azuredevops",
    "kubernetes": "pulumi_kubernetes",
    "pulumi": "pulumi",
}
_STACK_REFERENCE: Final = "pulumi:pulumi:StackReference"


def location(type_: str) -> tuple[str, str]:
    """Module and class of a resource type: ``azure-native:network:Subnet`` is in ``pulumi_azure_native.network``."""
    if type_.startswith(PROVIDER):
        return _PACKAGES[type_.removeprefix(PROVIDER)], "Provider"
    package, place, name = type_.split(":")
    root = _PACKAGES[package]
    if package == "azure-native":
        return f"{root}.{place}", name
    if package == "kubernetes":
        group, _, version = place.partition("/")
        module = f"{root}.{group.split('.')[0]}.{version}"
        try:
            return importlib.import_module(module).__name__, name
        except ModuleNotFoundError:
            # A kind that the SDK has no class for is an object of a custom resource definition.
            return f"{root}.apiextensions", "CustomResource"
    return root, name


def write(flat: Flat) -> str:
    """A module whose `main` declares everything."""
    writer = _Writer({each.urn: f"r{number}" for number, each in enumerate(flat.declarations)})
    lines = [writer.statement(each) for each in flat.declarations]
    lines += [f"pulumi.export({name!r}, {writer.expression(value, None)})" for name, value in flat.outputs.items()]
    return "\n".join(
        [
            '"""Generated: the resources of one stack, one after another."""',
            "",
            "import pulumi",
            *sorted(writer.imports),
            "",
            "",
            "def main():",
            *(f"    {line}" for line in lines or ["pass"]),
            "",
        ]
    )


@dataclass
class _Writer:
    variables: Mapping[str, str]
    """The variable of each resource, by urn."""
    classes: dict[str, type] = field(default_factory=dict)
    """The class of each resource that is written already, by urn."""
    imports: set[str] = field(default_factory=set)

    def statement(self, declaration: Declaration) -> str:
        module, name = location(declaration.type)
        found: type = getattr(importlib.import_module(module), name)
        self.classes[declaration.urn] = found
        said = [repr(declaration.name), *self._arguments(found, declaration), *self._options(declaration)]
        return f"{self.variables[declaration.urn]} = {self._imported(module, name)}({', '.join(said)})"

    def expression(self, value: Any, wanted: Any) -> str:
        """`value` for an input of the type `wanted`; None where the SDK says nothing about it."""
        wanted = sdk.unwrap_type(wanted) if wanted else None
        if isinstance(value, Taken):
            return self._taken(value)
        if isinstance(value, Computed):
            sources = "".join(f"{self.variables[urn]}.id, " for urn in value.urns)
            made = f"pulumi.Output.all({sources}).apply(lambda _: {self.expression(value.value, wanted)})"
            return f"pulumi.Output.secret({made})" if value.secret else made
        if isinstance(value, Mapping):
            if isinstance(wanted, type) and sdk.is_input_type(wanted):
                return self._object(value, wanted)
            inner = get_args(wanted)[1] if len(get_args(wanted)) == 2 else None
            return "{" + ", ".join(f"{key!r}: {self.expression(each, inner)}" for key, each in value.items()) + "}"
        if isinstance(value, list):
            inner = get_args(wanted)[0] if len(get_args(wanted)) == 1 else None
            return "[" + ", ".join(self.expression(each, inner) for each in value) + "]"
        # Bare None would be left out, and this one was sent: an output that came to nothing.
        return "pulumi.Output.from_input(None)" if value is None else repr(value)

    def _arguments(self, found: type, declaration: Declaration) -> list[str]:
        if declaration.type == _STACK_REFERENCE:
            return [f"stack_name={declaration.inputs['name']!r}"]
        names = found.__init__.__globals__  # type: ignore[misc]
        wanted = names.get(f"{found.__name__}InitArgs") or names[f"{found.__name__}Args"]
        # The SDK appends an underscore to an input that bears the name of a parameter of every resource.
        return [
            f"resource_name_{said[13:]}" if said.startswith("resource_name=") else said
            for said in self._keywords(declaration.inputs, wanted)
        ]

    def _keywords(self, values: Mapping[str, Any], wanted: type) -> list[str]:
        names = {wire: name for name, wire in sdk.input_type_py_to_pulumi_names(wanted).items()}
        types = sdk.input_type_types(wanted)
        # What the SDK has no argument for is left out; the comparison of both exports then says so.
        known = {key: value for key, value in values.items() if key in names}
        return [f"{names[key]}={self.expression(value, types.get(key))}" for key, value in known.items()]

    def _object(self, value: Mapping[str, Any], wanted: type) -> str:
        said = self._keywords(value, wanted)
        if _fills_in(wanted, value):
            return "{" + ", ".join("{!r}: {}".format(*each.split("=", 1)) for each in said) + "}"
        return f"{self._imported(wanted.__module__.removesuffix('._inputs'), wanted.__name__)}({', '.join(said)})"

    def _imported(self, module: str, name: str) -> str:
        """The class itself is imported, not its module: the SDK would load a module only when it is used."""
        alias = f"{module.removeprefix('pulumi_').replace('.', '_')}_{name}"
        self.imports.add(f"from {module} import {name} as {alias}")
        return alias

    def _taken(self, value: Taken) -> str:
        variable = self.variables[value.urn]
        if value.output == "id":
            return f"{variable}.id"
        name = sdk.resource_pulumi_to_py_names(self.classes[value.urn]).get(value.output)
        return f"{variable}.{name}" if name else f"{variable}.id.apply(lambda _: {value.value!r})"

    def _options(self, declaration: Declaration) -> list[str]:
        options = [f"provider={self.variables[declaration.provider]}"] if declaration.provider else []
        if declaration.adopts:
            options.append(f"import_={declaration.adopts!r}")
        if declaration.depends_on:
            options.append(f"depends_on=[{', '.join(self.variables[urn] for urn in declaration.depends_on)}]")
        return [f"opts=pulumi.ResourceOptions({', '.join(options)})"] if options else []


def _fills_in(wanted: type, value: Mapping[str, Any]) -> bool:
    """Whether an argument class sends more than it was given: then the program has said the same as a mapping."""
    names = {wire: name for name, wire in sdk.input_type_py_to_pulumi_names(wanted).items()}
    known = {key for key in value if key in names}
    return set(sdk.input_type_to_dict(wanted(**{names[key]: "" for key in known}))) != known
