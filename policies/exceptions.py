"""Makes docs/exceptions.md: what PSRule for Azure asks and how it is answered, and the rules of the pack.

    python -m policies.exceptions > docs/exceptions.md

What it does not do: it looks at no environment. Whether the answers are true, a test says, of both shipped ones.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from policies import RULES
from policies.psrule import BENCHMARK, Answer, answers, deviations
from policies.rule import Rule

_HEAD: Final = """\
# Rules that are not followed, and why

<!-- Made from policies/psrule.yaml and policies/rules by `python -m policies.exceptions > docs/exceptions.md`. -->

What [PSRule for Azure](https://azure.github.io/PSRule.Rules.Azure/) (baseline GA 2026-03, with the preview baseline for
registries) asks of what this program makes. What the settings can switch off is named as a warning in every preview.
"""

_FOLLOWED: Final = """\
## Rules that are followed, and how

By rules of the policy pack, which are told below, or by a property that the program always sets.
"""

_SILENT: Final = """\
## Rules that say nothing here
"""

_PACK: Final = f"""\
## The rules of the policy pack

`make preview` judges every stack by them, and so does the engine with `pulumi preview --policy-pack policies`. A
mandatory rule holds in every environment; an advisory one may be decided otherwise by the settings, and is named so
that a reviewer knows. Numbers are those of the {BENCHMARK}.

An environment that cannot follow a rule for now says so in its stack file, with a reason and the last day that it
holds. After that day it is an error; one that allows nothing any more is a warning:

```yaml
aks-cicd:exceptions:
  - rule: cluster-authorized-ranges
    resource: cluster
    reason: The office moves; its new addresses are not known yet.
    until: "2027-06-30"
```

`resource` is a logical name, with `*` for any text; left out, the exception is for every resource.
"""


def page() -> str:
    """The whole page."""
    known = answers().values()
    parts = [
        _HEAD,
        _table(("rule", "asks for", "where", "reason"), _not_followed(known)),
        _FOLLOWED,
        _table(("rule", "severity", "asks for", "how"), _met(known)),
        _SILENT,
        _table(("rule", "asks for", "why"), ((one.title, one.synopsis, one.silent) for one in known if one.silent)),
        _PACK,
        _table(("rule", "severity", "why", "mend", "asked for by"), map(_own, RULES.values())),
    ]
    return "\n".join(parts)


def _not_followed(known: Iterable[Answer]) -> Iterator[Sequence[str | None]]:
    yield from ((one.title, one.synopsis, one.scope, one.reason) for one in known if one.excepted)
    yield from ((one.what, "", one.where, one.reason) for one in deviations())


def _met(known: Iterable[Answer]) -> Iterator[Sequence[str | None]]:
    for one in known:
        if one.silent is None and one.excepted != "all":
            how = [*(f"`{rule}`" for rule in one.rules), *(str(demand) for demand in one.demands)]
            told = "; ".join(how) + (f". {one.note}" if one.note else "")
            told += "" if one.excepted is None else "; for where not, see above"
            yield one.title, one.severity, one.synopsis, told


def _own(rule: Rule) -> Sequence[str | None]:
    asked = [*rule.psrule, *(f"CIS {number}" for number in rule.cis)]
    return f"`{rule.id}`", rule.severity, rule.reason, rule.remedy, ", ".join(asked)


def _table(head: Sequence[str], rows: Iterable[Sequence[str | None]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += (f"| {' | '.join((cell or '').replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
