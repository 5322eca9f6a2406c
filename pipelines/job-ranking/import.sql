-- Replace the ranking by the rates that arrive on standard input, all or nothing.
-- psql db --set model=NAME --file import.sql < rates.csv
\set ON_ERROR_STOP on
SET client_min_messages = warning;
BEGIN;
CREATE TABLE IF NOT EXISTS job_ranking (
  industry text NOT NULL,
  job text NOT NULL,
  rate numeric NOT NULL CHECK (rate > 0 AND rate < 1),
  rank integer NOT NULL CHECK (rank > 0),
  model text NOT NULL DEFAULT '',
  imported timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (industry, job)
);
-- Not TRUNCATE: the site goes on reading the old ranking until the new one is there.
DELETE FROM job_ranking;
\copy job_ranking (industry, job, rate, rank) FROM pstdin WITH (FORMAT csv, HEADER match)
UPDATE job_ranking SET model = :'model';
COMMIT;
