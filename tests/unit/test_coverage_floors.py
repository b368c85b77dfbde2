"""What a run with --coverage says, and when it is red."""

from __future__ import annotations

from coverage_floors import FLOORS, Counts, Floor, room, told, total

WHOLE = Counts(lines=100, ran=100, branches=20, taken=20)


def test_a_file_counts_to_the_floor_of_its_room():
    assert room("protocol/underpaint/client.py") == "protocol"
    assert room("daemon/underpaint_daemon/worker/host.py") == "worker"
    assert room("daemon/underpaint_daemon/server/serve.py") == "daemon outside worker"
    assert room("daemon/underpaint_daemon/tools/gpu/check.py") is None, "no GPU, no coverage"


def test_several_files_are_counted_together_and_not_averaged():
    assert total([Counts(90, 90, 2, 2), Counts(10, 0, 2, 0)]).line_percent == 90
    assert total([Counts(90, 90, 2, 2), Counts(10, 0, 2, 0)]).branch_percent == 50
    assert total([]).line_percent == 100


def test_a_room_below_its_floor_in_lines_or_in_branches_is_told_and_red():
    whole = {"protocol/underpaint/a.py": WHOLE, "daemon/underpaint_daemon/worker/b.py": WHOLE}
    assert told(whole)[1]
    few_branches = Counts(lines=100, ran=100, branches=20, taken=18)
    lines, holding = told(whole | {"protocol/underpaint/a.py": few_branches})
    assert not holding
    assert [line for line in lines if "BELOW" in line] == [
        " 100.0 % lines   90.0 % branches  protocol (floor 95 and 95 %): BELOW"
    ]
    assert not Floor(85, 0).holds(Counts(lines=100, ran=84))


def test_the_floors_are_those_that_were_promised():
    promised = {"protocol": (95, 95), "daemon outside worker": (90, 0), "worker": (85, 0)}
    assert {name: (f.lines, f.branches) for name, f in FLOORS.items()}.keys() == promised.keys()
    for name, (lines, branches) in promised.items():
        assert FLOORS[name].lines >= lines
        assert FLOORS[name].branches >= branches
