-- Runwatch's record, from version 1 to version 2: digests, and schedules that begin anew.

-- The webhook-id of the message that this delivery is gathered in; NULL for a message of its own
ALTER TABLE delivery ADD COLUMN digest TEXT;

-- Attempts made when the present schedule of retries began
ALTER TABLE delivery ADD COLUMN schedule_from INTEGER NOT NULL DEFAULT 0;

CREATE INDEX delivery_digest ON delivery (digest, event_number) WHERE digest IS NOT NULL;
