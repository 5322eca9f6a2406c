-- The experiments that run on the site, and the weights that the pipeline writes back.
-- An experiment shows its visitors one of several items; each item is an arm.
CREATE TABLE IF NOT EXISTS experiments (
  id integer PRIMARY KEY CHECK (id > 0),
  name text NOT NULL,
  running boolean NOT NULL DEFAULT true
);
CREATE TABLE IF NOT EXISTS arms (
  experiment_id integer NOT NULL REFERENCES experiments ON DELETE CASCADE,
  item_id integer NOT NULL CHECK (item_id >= 0),
  PRIMARY KEY (experiment_id, item_id)
);
CREATE TABLE IF NOT EXISTS weights (
  experiment_id integer NOT NULL,
  item_id integer NOT NULL,
  weight numeric NOT NULL CHECK (weight > 0 AND weight <= 1),
  model text NOT NULL,
  updated timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (experiment_id, item_id),
  FOREIGN KEY (experiment_id, item_id) REFERENCES arms ON DELETE CASCADE
);
INSERT INTO experiments (id, name, running) VALUES
  (1, 'shirts on the left', true),
  (2, 'winter jackets', true),
  (3, 'last year''s shoes', false),
  (4, 'bags and belts', true)
ON CONFLICT DO NOTHING;
INSERT INTO arms (experiment_id, item_id) VALUES
  (1, 2), (1, 9),
  (2, 0), (2, 16), (2, 33),
  (3, 5), (3, 6),
  (4, 11), (4, 12), (4, 13), (4, 14)
ON CONFLICT DO NOTHING;
