import sys

from deploy.local.processes import run_as


def test_a_command_is_out_of_reach_of_the_terminals_ctrl_c() -> None:
    # A process group of its own: the terminal interrupts only that in its foreground.
    result = run_as(None, [sys.executable, "-c", "import os; print(os.getpgid(0), os.getpid())"])
    group, pid = result.stdout.split()
    assert group == pid
