-- Runwatch's record, from version 2 to version 3: lists and counts that stay quick with many watches.

-- With the run, so that each state's watches are in the order of their names. The last column is for
-- SQLite up to 3.40, which would look into the table for what the condition says already.
DROP INDEX watch_by_state;

CREATE INDEX watch_by_state ON watch (service, state, run, is_listed) WHERE is_listed = 1;

-- A group's watches in the order of their names
CREATE INDEX watch_by_group ON watch (group_name, service, run)
    WHERE is_listed = 1 AND group_name IS NOT NULL;

-- With the state, for SQLite up to 3.40 again: a start counts a hundred thousand that failed in 20 ms,
-- not in a second.
DROP INDEX delivery_failed;

CREATE INDEX delivery_failed ON delivery (receiver, event_number, state) WHERE state = 'failed';

-- The oldest delivery that a receiver is owed
CREATE INDEX delivery_oldest ON delivery (receiver, event_number, state) WHERE state = 'pending';
