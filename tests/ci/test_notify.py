"""The webhook of `reconciler drift` on a machine: what goes wrong with it costs a warning and no more."""

from pathlib import Path

import pytest
from host_fakes import Webhook, served

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


def test_a_memory_that_cannot_be_kept_costs_a_warning(workplace, capsys):
    """The webhook was told, so the exit code stays, and the warning says that it will be told again."""
    workplace.edit(property="one", label="Edited")
    Path(".reconciler/notified").write_text("", "utf-8")
    host = Webhook()
    with served(host) as url:
        assert run(["drift", "--notify", f"{url}/secret-path"]) == 2
    said = capsys.readouterr().err

    assert len(host.calls) == 1
    assert "warning: what was posted will be posted again: cannot write " in said
    assert "nobody was notified" not in said
