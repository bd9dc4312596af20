-- Triggers of shape 1, plain: every change adds a row and notifies. Only the queue of commits,
-- whose key is its primary key in every shape, cannot hold a commit twice.
SET client_min_messages = warning;

ALTER TABLE cache_clearing_ports DROP CONSTRAINT IF EXISTS cache_clearing_ports_key;
ALTER TABLE cache_clearing_dates DROP CONSTRAINT IF EXISTS cache_clearing_dates_key;

CREATE OR REPLACE FUNCTION ports_clear_cache() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO cache_clearing_ports (port_id, category, port)
  SELECT NEW.id, categories.name, NEW.name
  FROM categories
  WHERE categories.id = NEW.category_id;
  NOTIFY port_updated;
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION commit_log_clear_cache() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO cache_clearing_commits (commit_to_clear)
  VALUES (NEW.message_id)
  ON CONFLICT DO NOTHING;
  NOTIFY commit_updated;

  INSERT INTO cache_clearing_dates (date_to_clear)
  VALUES (NEW.commit_date::date);
  NOTIFY date_updated;
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
