"""Runs of one iPhone and one Wi-Fi Aware device, for tests."""

from __future__ import annotations

from tests.sim.worlds import Ran, run

__all__ = ["SERVICE", "connect", "pick", "ran"]

SERVICE = "_nearbench._udp"
pick = f'ph aware_picker service="{SERVICE}", choose="dev", patience="5s"'
connect = f'ph aware_connect to="dev", service="{SERVICE}", timeout="8s" ?'
_DECLARED = f'services = {{ "{SERVICE}" = {{ Subscribable = {{}}, Publishable = {{}} }} }}'


def ran(
    steps: str,
    *,
    dev: str = "",
    ph: str = "",
    declared: str = _DECLARED,
    kind: str = 'accessory = "aware_display"',
    duration: str = "30s",
    more: str = "",
) -> Ran:
    """The run of `dev` (an aware_display unless told) and the iPhone `ph`, 2 m apart.

    Steps are "NODE COMMAND key=value, ...", with "@TIME" before it and "?" behind it when it may fail.
    `more` is TOML behind it all.
    """
    settings = ", ".join(filter(None, (ph, declared)))
    blocks = [
        f'title = "t"\nduration = "{duration}"\nstop_when_done = true\n',
        f'[[node]]\nname = "dev"\n{kind}\nat = [2.0, 0.0]\nset = {{ {dev} }}\n',
        f'[[node]]\nname = "ph"\nphone = "ios"\nset = {{ {settings} }}\n',
    ]
    for line in filter(None, map(str.strip, steps.splitlines())):
        may_fail = line.endswith("?")
        words = line.rstrip("?").strip()
        at, _, words = words.partition(" ") if words.startswith("@") else ("", "", words)
        node, _, rest = words.partition(" ")
        command, _, arguments = rest.partition(" ")
        blocks.append(
            f'[[step]]\nnode = "{node}"\ndo = "{command}"\nset = {{ {arguments} }}\n'
            f"may_fail = {str(may_fail).lower()}\n" + (f'at = "{at[1:]}"\n' if at else "")
        )
    return run("\n".join((*blocks, more)))
