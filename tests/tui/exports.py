"""For tests of exports: sessions without a screen, held clocks, and files written at once."""

from __future__ import annotations

from tui.export import Choice, plan_of
from tui.export.job import Job
from tui.session import Request, open_session


def session_of(what, **request):
    """A session whose clock is held at the beginning."""
    session = open_session(Request(what=str(what), **{"speed": None, "play": ("phone",)} | request))
    session.control.pause()
    session.control.start()
    session.control.sync()
    return session


def hold(session):
    """Wait until the clock is held, and take in what has come."""
    control = session.control
    assert control.sync()
    while control.state == "running":
        assert control.sync()
    session.pull()


def asked(session, display="lock"):
    """Run to the moment at which a PIN is asked for and shown; the PIN."""
    control = session.control
    for _ in range(150):
        face = control.face(display)
        if control.questions() and face is not None and face.pin:
            return face.pin
        control.next_message()
        hold(session)
    raise AssertionError("nobody was asked")


def until(session, event, number=1):
    """Run until an event has happened so many times, and a little longer."""
    for _ in range(150):
        if sum(one.event == event for one in session.control.world.trace) >= number:
            session.control.run_for(300_000)
            hold(session)
            return
        session.control.next_message()
        hold(session)
    raise AssertionError(f"{event} did not happen")


def saved(material, path, **choice):
    """Write an export; its path."""
    material.look(lambda: False)
    plan = plan_of(material, Choice(**choice))
    assert not plan.refusal, plan.refusal
    job = Job(plan.files(path), private=plan.private)
    job.start()
    assert job.wait()
    assert not job.error, job.error
    return path
