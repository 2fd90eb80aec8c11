"""An embedded HubSpot portal, for demos and tests: plays the CRM configuration API over WSGI, bad days included.

``create_app(portal)`` is the WSGI application, ``serve(portal, port)`` puts it on a loopback port. Besides HubSpot's
paths it answers ``/_emulator/log``, ``faults``, ``switches``, ``release``, ``edit``, ``records`` and ``state``, without
a token.

What nobody has seen HubSpot do, or what was seen both ways, is a switch in ``portal.switches``:

========================  ==========  ================================================================================
switch                    default     meaning
========================  ==========  ================================================================================
lifecycleMirror           "both"      a lifecycle write to contacts or companies changes both ("contacts_to_companies",
                                      "none")
lifecycleStageIds         true        a chosen stageId is kept on lifecycle stages too
archivedNameCreate        "restore"   a create with an archived name keeps the old createdAt ("fresh": it does not)
readOnlyOptionsPatch      "refuse"    sending options that a default has locked is a 400 ("ignore": a 200, no effect)
readOnlyLayoutPatch       true        group, hidden, order and formField of a read-only default can be patched
typeChange                "accept"    a PATCH may change a type in place ("refuse": it is a 400)
upperCaseNames            "refuse"    a create with capitals in its name is a 400 ("lower": a 201 in small letters)
longestText               0           characters that a label or a description may have; 0 is no limit
noChangePatchMoves        false       a PATCH that changes nothing moves updatedAt
defaultEditMoves          false       a user's edit of a default moves updatedAt
groupCreateExisting       409         a create on an active group's name (400: the other refusal)
defaultGroups             "free"      a group with defaults can be relabelled, and deleted when empty ("locked": a 400)
defaultStageDelete        true        a default stage of the lifecycle can be deleted over the API
batchLimit                100         inputs that a batch of properties takes
retryAfter                false       a 429 carries Retry-After
rateLimit                 0           requests a token may make in 10 seconds; 0 is no limit
dailyLimit                0           requests that a process may make until midnight in the account's zone; 0: no limit
searchRateLimit           0           searches the account may make in a second; 0 is no limit
labelNameAfterReads       0           how many reads of a schema come before it names a new association label
labelNameAfterSeconds     0           how old a label has to be before a schema names it
labelLimit                50          labels that a pair of object types may have
selfLabelIds              2           type ids of a label of an object with itself whose texts are equal (1 or 2)
lateGroups                false       the first create in a new group fails as if the group was not there
schemaCreateExisting      409         a create on an active schema's name (201: answers with the existing schema)
schemaLagReads            0           how many single reads of a schema after a write still show the old one
limitsPerObject           true        limits are those of each object type, in rows (false: one overall figure)
limitsLagSeconds          0           how long the limits still count a deleted label
staleReads                0           how many lists after a write still show the portal before it, to each process
searchLag                 0           how many searches after a write still count the portal before it
numberDisplayHint         false       number properties made without a display hint get "formatted"
sensitiveData             false       the account may have sensitive properties
propertyLimit             1000        custom properties that an object type, or the whole account, may have
auditLog                  false       an Enterprise account, whose audit log holds what users did to definitions
========================  ==========  ================================================================================
"""

from typing import TYPE_CHECKING

from reconciler.emulator.actor import edit, release
from reconciler.emulator.app import create_app
from reconciler.emulator.store import NotKeptError, Portal, SeedError

if TYPE_CHECKING:
    from reconciler.emulator.server import Server

__all__ = ["NotKeptError", "Portal", "SeedError", "create_app", "edit", "release", "serve"]


def serve(portal: Portal, port: int = 0) -> "Server":
    """Serves a portal on a loopback port until it is closed; 0 takes a free port."""
    from reconciler.emulator.server import Server  # only who serves needs the sockets

    return Server(portal, port)
