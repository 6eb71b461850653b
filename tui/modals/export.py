"""Export: what, in which format, into which file; says how much before, shows how far while, and tells what came of it.

The run goes on meanwhile: what is exported is what was there when this was opened. An error leaves everything as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from protocols.errors import UsageError
from tui.bindings import bindings
from tui.export import FORMS, Choice, counted, form_of, plan_of
from tui.export.job import Job
from tui.export.material import WHAT, Material
from tui.export.paths import files_of, remark_on, target_of
from tui.modals._base import BenchModal, Card
from tui.modals.confirm import Confirm
from tui.text import clean, count
from tui.widgets.field import Field

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.screen import ModalScreen

    from tui.app import NearbenchApp
    from tui.export import Form, Plan
    from tui.models.lanes import Piece

__all__ = ["MODAL", "Export"]

_LABEL = 9
_LOOK_S = 0.01
_BAR = 20
_MOST_NAME = 1000
_UNITS = ("B", "kB", "MB", "GB")


class Export(BenchModal[None]):
    """The card with its fields; `field` is the one that has the cursor."""

    SCOPE = "modal:export"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[Any]] = bindings(SCOPE)
    DEFAULT_CSS = (
        "Export Field { position: absolute; width: 47; height: 1; background: $panel; padding: 0; }"
    )

    def __init__(self, material: Material) -> None:
        super().__init__()
        self.material = material
        self.choice: Choice = Choice(node=next(iter(material.nodes), ""))
        self.field = "what"
        self.job: Job | None = None
        self.plan: Plan | None = None
        self._path: Path | None = None
        self._planned: tuple[Any, ...] = ()
        self._trouble = ""
        self._proposed = self._proposal()

    # Parts

    def cards(self) -> ComposeResult:
        """The card, and the name of the file upon it."""
        yield Card()
        yield Field(self._proposed, most=_MOST_NAME)

    def on_unmount(self) -> None:
        """Nobody will hear of it any more."""
        if self.job is not None:
            self.job.cancel()

    @property
    def name_field(self) -> Field:
        """The file's name."""
        return self.query_one(Field)

    @property
    def form(self) -> Form:
        """The chosen format."""
        return form_of(self.choice.form)

    def _proposal(self) -> str:
        return self.material.file_name(self.form.name, self.form.suffix)

    def _fields(self) -> list[str]:
        """The fields that mean something for this format."""
        fields = ["what"] if self.form.chooses else []
        fields.append("form")
        if self._hosts():
            fields.append("node")
        if self._takes_secrets():
            fields.append("secrets")
        return [*fields, "file"]

    def _hosts(self) -> list[str]:
        is_hci = self.form.name == "btsnoop" and not self.material.is_capture
        return self.material.nodes if is_hci else []

    def _takes_secrets(self) -> bool:
        open_already = self.material.is_capture or self.material.reveals
        return self.form.name in ("jsonl", "test") and not open_already

    # Choosing

    def action_field(self, step: int) -> None:
        """The next field."""
        if self.job is not None:
            return
        fields = self._fields()
        at = fields.index(self.field) if self.field in fields else 0
        self.field = fields[(at + step) % len(fields)]
        if self.field == "file":
            self.name_field.focus()
        else:
            self.set_focus(None)
        self.draw()

    def on_descendant_focus(self) -> None:
        """The mouse went into the name."""
        self.field = "file"
        self.draw()

    def action_choose(self, step: int) -> None:
        """The next value of the field."""
        if self.job is not None:
            return
        choice: Choice = self.choice
        if self.field == "what":
            self.choice = msgspec.structs.replace(choice, what=_next(WHAT, choice.what, step))
        elif self.field == "form":
            self._set_form(_next([form.name for form in FORMS], choice.form, step))
        elif self.field == "node" and self._hosts():
            self.choice = msgspec.structs.replace(
                choice, node=_next(self._hosts(), choice.node, step)
            )
        elif self.field == "secrets":
            self.choice = msgspec.structs.replace(choice, secrets=not choice.secrets)
        self._trouble = ""
        self.draw()

    def _set_form(self, name: str) -> None:
        """Another format; a name that was proposed changes with it."""
        before, self.choice = self.form, msgspec.structs.replace(self.choice, form=name)
        field, proposal = self.name_field, self._proposal()
        if field.value == self._proposed:
            field.value = proposal
        elif field.value.endswith(before.suffix):
            field.value = field.value.removesuffix(before.suffix) + self.form.suffix
        self._proposed = proposal

    def on_input_changed(self) -> None:
        """What was said of the old name is over."""
        self._trouble = ""
        self.draw()

    # Saving

    def on_input_submitted(self) -> None:
        """As everywhere on the card."""
        self.action_save()

    def action_save(self) -> None:
        """Write it; asks before PINs are written and before anything is overwritten."""
        plan = self._replanned()
        if self.job is not None or plan is None or plan.refusal or not self.material.counted:
            return
        if plan.needs_secrets:
            question = "The PINs that were typed or set will stand in the scenario as they are. Include them?"
            self.bench.push_screen(Confirm(question), self._with_secrets)
            return
        try:
            path = target_of(self.name_field.value, self.session)
            there = [part.path.name for part in files_of(plan, path) if part.path.exists()]
        except (UsageError, OSError, ValueError) as exc:
            self._trouble = str(exc)
            self.draw()
            return
        if there:
            question = f"{clean(' and '.join(there))} exists. Overwrite?"
            self.bench.push_screen(
                Confirm(question),
                lambda said: self._begin(plan, path, overwrite=True) if said else None,
            )
        else:
            self._begin(plan, path)

    def _with_secrets(self, said: bool | None) -> None:
        if said:
            self.choice = msgspec.structs.replace(self.choice, secrets=True)
            self.action_save()

    def _begin(self, plan: Plan, path: Path, *, overwrite: bool = False) -> None:
        self._path, self._trouble = path, ""
        self.set_focus(None)
        self.job = Job(plan.files(path), private=plan.private, overwrite=overwrite)
        self.job.start()
        self.draw()

    def action_cancel(self) -> None:
        """Stop writing; else close."""
        if self.job is None:
            self.dismiss()
            return
        self.job.cancel()
        self.tick()

    def tick(self) -> None:
        """Count on, or see how far the writing is."""
        if not self.material.counted:
            end_s = self.bench.wall_s() + _LOOK_S
            self.material.look(lambda: self.bench.wall_s() > end_s)
            if not self.choice.node and self.material.nodes:
                self.choice = msgspec.structs.replace(self.choice, node=self.material.nodes[0])
        if self.job is not None and self.job.done:
            self._end(self.job)
        else:
            super().tick()

    def _end(self, job: Job) -> None:
        self.job = None
        if job.cancelled or job.error:
            self._trouble = job.error or "cancelled: nothing was written"
            super().tick()
            return
        if self.plan is not None and self.plan.whole:
            self.session.exported = True
        self.bench.say(f"{self.signs['ok']} {self._told(job)}", "good")
        self.dismiss()

    def _told(self, job: Job) -> str:
        names = " and ".join(clean(str(part.path)) for part in job.parts)
        return f"wrote {names}: {counted(job.written, self.form.unit)}"

    # Drawing

    def sentence(self) -> str:
        """That nothing stops meanwhile, where something goes on."""
        control = self.session.control
        goes_on = control is not None and control.state in ("running", "paused", "ready")
        return "the run goes on while it is saved" if goes_on else ""

    def _replanned(self) -> Plan | None:
        """The plan of the choice; None while packets are counted."""
        key = (self.choice, self.material.counted)
        if key != self._planned:
            self._planned = key
            self.plan = plan_of(self.material, self.choice) if self.material.counted else None
        return self.plan

    def draw(self) -> None:
        """The fields, what will be written, and what is wrong."""
        if self.field not in self._fields():
            self.field = "form"
        lines: list[list[Piece] | str] = ["", *self._choices()]
        name_at = len(lines)
        lines += [self._line("file", "File", ""), "", *self._result(), ""]
        keys = "[ Esc: stop ]" if self.job is not None else "[ Enter: save ]  [ Esc: cancel ]"
        lines.append(f"  {keys}")
        self.card.fill("Export", lines)
        self.name_field.styles.offset = (_LABEL + 4, name_at + 1)

    def _choices(self) -> list[list[Piece]]:
        lines: list[list[Piece]] = []
        if self.form.chooses:
            counts = [f"{what} {count(self.material.count(what))}" for what in WHAT]
            marked = [
                self._radio(text, what == self.choice.what)
                for what, text in zip(WHAT, counts, strict=True)
            ]
            lines.append(self._line("what", "What", "  ".join(marked)))
        else:
            whole = "the screen" if self.form.name == "svg" else "the whole run"
            lines.append(self._line("what", "What", f"    {whole}"))
        for number, form in enumerate(FORMS):
            text = f"{self._radio(f'{form.name:<8}', form.name == self.choice.form)} {form.about}"
            lines.append(
                self._line("form" if not number else "", "Format" if not number else "", text)
            )
        nodes = self._hosts()
        if nodes:
            at = nodes.index(self.choice.node) + 1 if self.choice.node in nodes else 1
            lines.append(
                self._line("node", "Node", f"{clean(self.choice.node)} ({at} of {len(nodes)})")
            )
        if self._takes_secrets():
            lines.append(
                self._line(
                    "secrets",
                    "Keys",
                    f"[{'x' if self.choice.secrets else ' '}] include PINs and keys",
                )
            )
        elif self.material.reveals:
            lines.append(self._line("", "Keys", "as they are: the run was started with --reveal"))
        return lines

    def _radio(self, text: str, chosen: bool) -> str:
        return f"({self.signs['point'] if chosen else ' '}) {text}"

    def _line(self, field: str, label: str, text: str) -> list[Piece]:
        here = bool(field) and field == self.field
        sign = self.signs["cursor"] if here else " "
        return [(f"{sign} {label:<{_LABEL}}", "key" if here else ""), (text, "")]

    def _result(self) -> list[list[Piece] | str]:
        if self.job is not None:
            return self._progress(self.job)
        plan = self._replanned()
        if self._trouble:
            return self._sentences(f"{self.signs['failed']} {clean(self._trouble)}", "bad")
        if plan is None:
            return ["  counting packets"]
        if plan.refusal:
            return self._sentences(f"{self.signs['failed']} {clean(plan.refusal)}", "bad")
        lines: list[list[Piece] | str] = [f"  {self._amount(plan)}"]
        for note in plan.notes:
            lines += self._sentences(clean(note), "")
        if remark := remark_on(self.name_field.value, self.form):
            lines += self._sentences(f"{self.signs['malformed']} {remark}", "warn")
        return lines

    def _sentences(self, text: str, style: str) -> list[list[Piece] | str]:
        return [[(line, style)] for line in self.wrapped(text, indent=2)]

    def _amount(self, plan: Plan) -> str:
        if self.form.name == "ladder":
            return "Will write the ladder of the whole run."
        if self.form.name == "test":
            return "Will write two files."
        if plan.records is None:
            return "Will write the packets that are HCI."
        size = "" if plan.octets is None else f", about {_octets(plan.octets)}"
        return f"Will write {counted(plan.records, self.form.unit)}{size}."

    def _progress(self, job: Job) -> list[list[Piece] | str]:
        whole = None if self.plan is None else self.plan.records
        if not whole or self.form.name == "test":
            return ["  writing"]
        level = min(1.0, job.records / whole)
        return [f"  writing  {self.signs.bar(level, _BAR)}  {level:.0%}"]


def _next(values: Any, value: str, step: int) -> str:
    """The value behind (before) another; the first one when it is none of them."""
    known = list(values)
    return str(known[(known.index(value) + step) % len(known)] if value in known else known[0])


def _octets(number: int) -> str:
    """96 kB."""
    size, unit = float(number), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {_UNITS[unit]}" if size >= 10 or not unit else f"{size:.1f} {_UNITS[unit]}"


def MODAL(app: NearbenchApp) -> ModalScreen[Any] | str:  # noqa: N802  # the registry's constant
    """The export of what there is now; the picture is that of the screen behind."""
    return Export(
        Material(app.session, app.export_screenshot(title=f"nearbench {app.session.title}"))
    )
