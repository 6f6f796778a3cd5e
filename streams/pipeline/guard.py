"""A batch is folded as a whole; when a record breaks it, it is folded again record by record and that one is refused.

So one bad record costs one dead letter, and a good batch costs nothing more than its records (CONTRACT 11).
"""

import traceback
from collections.abc import Callable, Sequence

from streams.contracts.avro import AvroError
from streams.contracts.snapshots import SavedStateError
from streams.domain.postings import Rejection
from streams.domain.words import RejectReason
from streams.pipeline.records import Folded, InputRecord
from streams.pipeline.store import Store
from streams.pipeline.writer import OutputTooLargeError

PACKAGE = "/streams/"
"""In the path of every file of ours."""

Step = Callable[[InputRecord, Folded], None]
Refuse = Callable[[InputRecord, Rejection, Folded], None]


def fold_guarded(records: Sequence[InputRecord], store: Store, step: Step, refuse: Refuse) -> Folded:
    """Fold a batch; nothing of a record that fails remains but its refusal.

    Args:
        records: In log order.
        store: The state that `step` and `refuse` work on.
        step: Takes one record.
        refuse: Writes the dead letter of one record; it must not fail.
    """
    folded = Folded()
    try:
        for record in records:
            step(record, folded)
    except SavedStateError:
        raise
    except Exception:  # whatever it was, the way record by record finds and names it
        store.undo()
        folded = Folded()
        for record in records:
            _one(record, store, step, refuse, folded)
    store.save()
    folded.changes = store.take_changes()
    return folded


def _one(record: InputRecord, store: Store, step: Step, refuse: Refuse, folded: Folded) -> None:
    alone = Folded()
    try:
        step(record, alone)
    except SavedStateError:
        raise
    except Exception as error:  # a bug of ours or a value nobody thought of: the record is kept, the rest goes on
        store.undo()
        alone = Folded()
        refuse(record, why(error), alone)
    store.save()
    folded.outputs += alone.outputs
    folded.urgent |= alone.urgent
    folded.tally.add(alone.tally)


def why(error: Exception) -> Rejection:
    """Return the reason of a failed fold; the detail names the place in our code, never a value."""
    if isinstance(error, OutputTooLargeError):
        return Rejection(RejectReason.OUTPUT_TOO_LARGE, f"{error} would be larger than its topic takes")
    # The texts of our own codec name fields and quote nothing; others may say what was in the record.
    text = f": {error}" if isinstance(error, AvroError) else ""
    return Rejection(RejectReason.INTERNAL_ERROR, f"{type(error).__name__} at {_place(error)}{text}")


def _place(error: Exception) -> str:
    """Return the last calls in our code that led to an error, the innermost first; libraries only where it has none."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if PACKAGE in _path(frame.filename)] or frames
    return " < ".join(f"{_module(frame.filename)}:{frame.lineno} {frame.name}" for frame in reversed(ours[-3:]))


def _path(filename: str) -> str:
    """Return a file's path; frames of compiled modules name it from the folder of the package on."""
    return filename if filename.startswith("/") else f"/{filename}"


def _module(filename: str) -> str:
    path = _path(filename)
    is_ours = PACKAGE in path
    inner = path.rpartition(PACKAGE if is_ours else "/")[2]
    return inner.removesuffix(".py").replace("/", ".")
