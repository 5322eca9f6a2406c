-- Put the weights that arrive on standard input in place of the old ones, all or nothing.
-- psql db --set model=NAME --file save.sql < weights.csv
\set ON_ERROR_STOP on
BEGIN;
CREATE TEMPORARY TABLE fresh (experiment_id integer, item_id integer, weight numeric)
  ON COMMIT DROP;
\copy fresh FROM pstdin WITH (FORMAT csv, HEADER match)
-- An experiment that was ended or changed meanwhile has lost the arm: it gets no weight.
INSERT INTO weights (experiment_id, item_id, weight, model)
  SELECT experiment_id, item_id, weight, :'model' FROM fresh JOIN arms USING (experiment_id, item_id)
  ON CONFLICT (experiment_id, item_id)
  DO UPDATE SET weight = excluded.weight, model = excluded.model, updated = now();
COMMIT;
