"""At home on a CI host: the surfaces that a host offers for a plan, an apply and a drift check.

``place`` tells from the environment where a run is. ``runs`` makes the documents, one for each portal. ``comment``,
``issue``, ``remarks`` and ``outputs`` decide what a host should show; they are pure functions of documents and of what
the host shows now. ``github``, ``gitlab``, ``azure`` and ``bitbucket`` bring that to the host through ``api``.

A surface that a host refuses costs a warning that names the missing permission, and never the exit code of the run.
"""
