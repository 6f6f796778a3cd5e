"""What `verify` says of what it could prove."""

from streams.cli.verify import scope_of_proof


def test_all_stages_are_named_where_all_were_compared() -> None:
    """Nothing is left open."""
    assert scope_of_proof([]) == "Compared: the stages sessions, extensions and scopes."


def test_a_stage_that_could_not_be_compared_is_named() -> None:
    """Nobody takes the silence of a stage for a proof."""
    said = scope_of_proof(["deltas partition 3 no longer begins at 0, so that the scopes stage cannot be proven."])
    assert "partition 3" in said
    assert "NOT compared: the stage scopes" in said
    assert "Compared: the stages sessions and extensions." in said
