-- Runwatch's record, version 1 (PRAGMA user_version).
--
-- Safe to read with sqlite3 while the daemon runs; only the daemon writes. Columns ending in _ms are
-- milliseconds since 1970-01-01T00:00:00Z: datetime(observed_at_ms / 1000, 'unixepoch') shows them.
-- States and types are the words of events: unknown, pending, running, complete, error, killed, lost,
-- timeout; run.complete, service.down, ...

CREATE TABLE watch (
    -- One row for each watch, listed or not: the intent to follow one run to its end.
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice
    service TEXT NOT NULL, -- the service's name in the configuration
    run TEXT NOT NULL, -- the service's own ID of the run
    kind TEXT NOT NULL, -- the service's kind: krixik, kinetica
    label TEXT, -- as configured
    group_name TEXT, -- the group that it belongs to
    parameters TEXT NOT NULL DEFAULT '{}', -- JSON object: what the kind needs besides the ID
    settings TEXT, -- JSON object: what a transient watch was asked with; NULL for all others
    source TEXT NOT NULL CHECK (source IN ('file', 'discovery', 'transient')), -- who asks for it
    origin TEXT NOT NULL, -- for people: FILE:LINE, FILE:LINE (discovered), transient
    discovery TEXT, -- service and run tag of the discovery that found it, with char(31) between
    is_listed INTEGER NOT NULL DEFAULT 1, -- 0 once it left the list or was removed: no longer polled
    unlisted_at_ms INTEGER, -- when it left; NULL while listed
    state TEXT NOT NULL DEFAULT 'unknown', -- the present state
    previous_state TEXT, -- the state before; NULL while unknown
    sequence INTEGER NOT NULL DEFAULT 0, -- transitions so far, over all lives of the watch
    polls INTEGER NOT NULL DEFAULT 0, -- polls so far; written lazily
    watched_since_ms INTEGER NOT NULL, -- when the row was made
    first_poll_at_ms INTEGER, -- the deadline counts from here
    first_answer_at_ms INTEGER, -- the first poll that was answered
    last_poll_at_ms INTEGER, -- written lazily
    last_seen_at_ms INTEGER, -- the last poll that still saw the present state; written lazily
    next_poll_at_ms INTEGER, -- written lazily
    step INTEGER NOT NULL DEFAULT 0, -- polls since the last change: the backoff's exponent
    observed_at_ms INTEGER, -- when the present state was observed
    not_before_ms INTEGER, -- the last poll that saw the state before: the truth lies between
    changed_at_ms INTEGER, -- the last transition or progress
    progress_done INTEGER, -- modules or segments finished
    progress_total INTEGER, -- of all
    message TEXT NOT NULL DEFAULT '', -- the service's words
    detail TEXT NOT NULL DEFAULT '{}', -- JSON object: what the kind knows besides
    is_stalled INTEGER NOT NULL DEFAULT 0, -- 1 when run.stalled was told since the last change
    finished_at_ms INTEGER, -- when a final state was observed; NULL before
    UNIQUE (service, run)
) STRICT;

CREATE INDEX watch_by_state ON watch (service, state) WHERE is_listed = 1;

CREATE INDEX watch_to_retire ON watch (coalesce(finished_at_ms, unlisted_at_ms))
    WHERE is_listed = 0 OR (source <> 'file' AND finished_at_ms IS NOT NULL);

CREATE TABLE transition (
    -- The history: one row for each change of a watch's state, written once and never changed.
    watch_id INTEGER NOT NULL REFERENCES watch (id), -- whose
    sequence INTEGER NOT NULL, -- from 1, without gaps
    state TEXT NOT NULL, -- the state from then on
    previous_state TEXT NOT NULL, -- the state until then
    observed_at_ms INTEGER NOT NULL, -- when it was observed
    not_before_ms INTEGER, -- the last poll that still saw the state before
    message TEXT NOT NULL, -- the service's words
    detail TEXT NOT NULL, -- JSON object: what the kind knows besides
    polls INTEGER NOT NULL, -- polls until then
    PRIMARY KEY (watch_id, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    -- What is told to the world, in the order of its recording.
    number INTEGER PRIMARY KEY AUTOINCREMENT, -- grows; never used twice
    type TEXT NOT NULL, -- run.complete, run.stalled, service.down, ...
    timestamp_ms INTEGER NOT NULL, -- the event's own time
    subject TEXT NOT NULL, -- SERVICE/ID, or the service, group or receiver that it is about
    json TEXT NOT NULL, -- the body, byte for byte as it is sent
    checksum INTEGER NOT NULL -- FNV-1a, 64 bits, of the body: SQLite does not see a flipped bit
) STRICT;

CREATE INDEX event_by_time ON event (timestamp_ms);

CREATE INDEX event_by_subject ON event (subject);

CREATE TABLE delivery (
    -- One event for one receiver. The pending ones are the outbox.
    id TEXT PRIMARY KEY, -- the webhook-id, the same for every attempt
    event_number INTEGER NOT NULL REFERENCES event (number), -- what is delivered
    receiver TEXT NOT NULL, -- the receiver's name in the configuration
    subject TEXT NOT NULL, -- the event's; deliveries of one subject are made in order
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')), -- what became of it
    attempts INTEGER NOT NULL DEFAULT 0, -- made so far
    due_at_ms INTEGER, -- the next attempt; NULL while one before it is pending, and at the end
    created_at_ms INTEGER NOT NULL, -- when it was recorded
    finished_at_ms INTEGER, -- when it was delivered or given up; NULL before
    UNIQUE (event_number, receiver)
) STRICT, WITHOUT ROWID;

CREATE INDEX delivery_pending ON delivery (receiver, subject, event_number)
    WHERE state = 'pending';

CREATE INDEX delivery_due ON delivery (receiver, due_at_ms, event_number)
    WHERE state = 'pending' AND due_at_ms IS NOT NULL;

CREATE INDEX delivery_failed ON delivery (receiver, event_number) WHERE state = 'failed';

CREATE TABLE attempt (
    -- The last attempts at each delivery, 50 at most.
    delivery_id TEXT NOT NULL REFERENCES delivery (id), -- at what
    number INTEGER NOT NULL, -- from 1
    at_ms INTEGER NOT NULL, -- when it began
    outcome TEXT NOT NULL CHECK (outcome IN ('delivered', 'retry', 'failed')), -- how it ended
    status INTEGER, -- the HTTP status; NULL when there was none
    duration_ms INTEGER NOT NULL, -- how long it took
    message TEXT NOT NULL, -- what came back or went wrong
    PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE discovery_met (
    -- Runs that a discovery has met and that have no row in watch (any more): they are not new.
    discovery TEXT NOT NULL, -- as in watch
    run TEXT NOT NULL, -- the run's ID; '' says that the discovery has looked at least once
    PRIMARY KEY (discovery, run)
) STRICT, WITHOUT ROWID;
