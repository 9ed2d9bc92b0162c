"""What all pictures share."""

from mec_moe_agents.evaluation.drawing import new_figure


def title(text: str, inches: float) -> str:
    return str(new_figure(text, (inches, 2.0)).get_suptitle())


def test_a_titles_own_breaks_stay_and_long_lines_are_broken() -> None:
    assert title("a share of guard's\n50 seeds", 9.0) == "a share of guard's\n50 seeds"
    assert title("one two three four\nfive", 1.0) == "one two\nthree four\nfive"
    assert title("", 1.0) == ""
