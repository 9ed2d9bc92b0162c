"""The page of the scenarios: what each preset is for, how it differs, and every field."""

from __future__ import annotations

import dataclasses

from mec_moe_agents.cli.listing import PURPOSES
from mec_moe_agents.environments import ENVIRONMENTS, Environment
from mec_moe_agents.evaluation.rollout import TRAITS

from mec_moe_env.fields import differences
from mec_moe_env.radio.config import RadioConfig
from pagemaker.fields import fields_table
from pagemaker.markdown import code, table

INTRODUCTION = """# Scenarios

A scenario is a frozen configuration. A preset is one with a name; every field can be overridden,
as a keyword of `gym.make` or by `--set FIELD=VALUE` on the command line. Whatever is out of range
is refused by an error that names the field, the value and what is allowed.

"""


def scenarios_page() -> str:
    """Return the page."""
    return INTRODUCTION + "\n".join(map(_section, ENVIRONMENTS)) + _radio()


def _section(environment: Environment) -> str:
    config = environment.config()
    radio = {field.name for field in dataclasses.fields(RadioConfig)}
    own = [name for name in config.to_dict() if name not in radio]
    title = TRAITS[environment.name].title
    return f"""## {title}

{presets_table(environment)}
### Fields of {title}

{fields_table(config, own)}"""


def presets_table(environment: Environment) -> str:
    """Write the presets with what they are for and what they change."""
    rows = []
    for name, config in environment.presets.items():
        changed = [code(f"{field}={value!r}") for field, value in differences(config).items()]
        rows.append([code(name), PURPOSES[environment.name][name], ", ".join(changed) or "nothing"])
    return table(["preset", "for", "differs from the defaults in"], rows)


def _radio() -> str:
    names = [field.name for field in dataclasses.fields(RadioConfig)]
    note = [
        f"{code(field)} is {code(value)} in {TRAITS[environment.name].title}."
        for environment in ENVIRONMENTS
        for field, value in environment.config().to_dict().items()
        if field in names and value != getattr(RadioConfig(), field)
    ]
    return f"""
## Radio

Fields of both environments. {" ".join(note)}

{fields_table(RadioConfig(), names)}"""
