"""Behaviours of what a picture follows: the rows of controls. Run by `addon_behaviours`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from addon_tools import STEPS, addon, draw, live, paint, settings


@contextmanager
def model_has(controls: tuple[str, ...], abilities: tuple[str, ...]) -> Iterator[None]:
    """The daemon has told that the chosen model has these."""
    session, name = live().session, settings().model
    known = session.model_records
    try:
        session.model_records = tuple(
            replace(record, controls=controls, abilities=abilities)
            if record.name == name
            else record
            for record in known
        )
        yield
    finally:
        session.model_records = known


def the_controls_that_a_model_can_follow_are_offered_and_no_others():
    paint(STEPS)
    group = settings()
    group.model_controls = False
    every = {f"{kind.value}_enabled" for kind in addon("following.kinds").PANEL_CONTROLS}
    assert len(every) == 12

    def offered() -> set[str]:
        return every & set(draw("UNDERPAINT_PT_controls").properties)

    with model_has(("depth", "scribble"), ()):
        assert offered() == {"depth_enabled", "scribble_enabled", "normal_enabled"}
        group.normal_enabled = False
        assert offered() == {"depth_enabled", "scribble_enabled"}
        assert "more_controls" not in draw("UNDERPAINT_PT_controls").properties
    with model_has(("depth", "scribble"), ("controls",)):
        assert "more_controls" in draw("UNDERPAINT_PT_controls").properties
        assert offered() == {"depth_enabled", "scribble_enabled"}
        group.more_controls = True
        assert offered() == every
        group.openpose_enabled = True
        assert "openpose_model" in draw("UNDERPAINT_PT_controls").properties, "what is lacking"


def a_model_brings_its_controls_of_any_kind():
    paint(STEPS)
    record = addon("link.runtime").record_of(settings().model)
    wants = {**record.defaults, "controls": [{"kind": "softedge", "scale": 0.5}]}
    addon("ui.model_defaults").take_defaults(settings(), replace(record, defaults=wants))
    assert settings().softedge_enabled
    assert not settings().depth_enabled
    settings().model_controls = False
    request = paint(STEPS)["underpaint_request"]
    assert '"kind":"softedge"' in request
    assert '"scale":0.5' in request


BEHAVIOURS = (
    the_controls_that_a_model_can_follow_are_offered_and_no_others,
    a_model_brings_its_controls_of_any_kind,
)
