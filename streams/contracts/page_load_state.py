"""Saved state of page loads: JSON rows by position, written and read without a model (DECISIONS 51)."""

from streams.contracts.state_words import Document
from streams.domain.event_time import Skew
from streams.domain.page_loads import Counts, PageLoad, Waiting
from streams.domain.sequences import Sequences


def page_load_document(load: PageLoad) -> Document:
    """Return a page load as JSON."""
    read, skew, counts = load.read, load.skew, load.counts
    return [
        load.session_id,
        load.login,
        load.account_id,
        load.extension_id,
        load.user_seen,
        [read.highest, read.first, read.holes, read.abandoned],
        [skew.samples, skew.last_sent],
        load.recent_ids,
        [
            counts.received,
            counts.admitted,
            counts.duplicate,
            counts.ignored,
            counts.dead_letter,
            counts.unsequenced,
        ],
        [(item.due, item.ignorable, item.row, item.letter, item.saved_bytes) for item in load.waiting],
        load.last_news,
        load.lost_told,
        load.audit_due,
    ]


def read_page_load(document: Document) -> PageLoad:
    """Return a page load."""
    session_id, login, account_id, extension_id, user_seen, read, skew, recent_ids, counts, waiting, *rest = document
    last_news, lost_told, audit_due = rest
    return PageLoad(
        session_id=session_id,
        login=login,
        account_id=account_id,
        extension_id=extension_id,
        user_seen=user_seen,
        read=Sequences(*read),
        skew=Skew(*skew),
        recent_ids=recent_ids,
        counts=Counts(*counts),
        waiting=[Waiting(*item) for item in waiting],
        last_news=last_news,
        lost_told=lost_told,
        audit_due=audit_due,
    )
