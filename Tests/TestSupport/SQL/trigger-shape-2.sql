-- Triggers of shape 2, look first: a key that the writer sees pending is not added again, and
-- then nobody is notified. Nothing in the tables enforces it: two writers may still add one each.
SET client_min_messages = warning;

ALTER TABLE cache_clearing_ports DROP CONSTRAINT IF EXISTS cache_clearing_ports_key;
ALTER TABLE cache_clearing_dates DROP CONSTRAINT IF EXISTS cache_clearing_dates_key;

CREATE OR REPLACE FUNCTION ports_clear_cache() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO cache_clearing_ports (port_id, category, port)
  SELECT NEW.id, categories.name, NEW.name
  FROM categories
  WHERE categories.id = NEW.category_id
    AND NOT EXISTS (
      SELECT FROM cache_clearing_ports pending
      WHERE pending.category = categories.name AND pending.port = NEW.name
    );
  IF FOUND THEN
    NOTIFY port_updated;
  END IF;
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION commit_log_clear_cache() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO cache_clearing_commits (commit_to_clear)
  SELECT NEW.message_id
  WHERE NOT EXISTS (
    SELECT FROM cache_clearing_commits pending
    WHERE pending.commit_to_clear = NEW.message_id
  );
  IF FOUND THEN
    NOTIFY commit_updated;
  END IF;

  INSERT INTO cache_clearing_dates (date_to_clear)
  SELECT NEW.commit_date::date
  WHERE NOT EXISTS (
    SELECT FROM cache_clearing_dates pending
    WHERE pending.date_to_clear = NEW.commit_date::date
  );
  IF FOUND THEN
    NOTIFY date_updated;
  END IF;
  RETURN NULL;
END
$$;

DROP TRIGGER IF EXISTS ports_clear_cache ON ports;
CREATE TRIGGER ports_clear_cache
  AFTER UPDATE ON ports
  FOR EACH ROW EXECUTE FUNCTION ports_clear_cache();

DROP TRIGGER IF EXISTS commit_log_clear_cache ON commit_log;
CREATE TRIGGER commit_log_clear_cache
  AFTER INSERT OR UPDATE ON commit_log
  FOR EACH ROW EXECUTE FUNCTION commit_log_clear_cache();
