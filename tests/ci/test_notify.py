"""The webhook of `reconciler drift` on a machine: what goes wrong with it costs a warning and no more."""

import pytest

from reconciler.cli import run


@pytest.mark.parametrize(
    "address", ["https://[s3cret/services/T0", "https://hooks.example:s3cret/T0", "s3cret", "https://"]
)
@pytest.mark.parametrize("form", ["auto", "slack"])
def test_a_webhook_that_is_no_address_costs_a_warning(workplace, capsys, address, form):
    """Whatever was given as the address, the exit code is the drift's, and the address is in no output."""
    workplace.edit(property="one", label="Edited")

    assert run(["drift", "--notify", address, "--notify-format", form]) == 2

    said = "".join(capsys.readouterr())
    assert "warning: nobody was notified: the webhook" in said
    assert "s3cret" not in said
