-- The part of the site's schema that the listener sees, in the tests' own writing: what to listen
-- to, the four queues, the role, and three small site tables whose changes fire the triggers of
-- trigger-shape-N.sql. May be run again on the same database, and in many databases of a server.
SET client_min_messages = warning;

CREATE TABLE IF NOT EXISTS listen_for (
  id serial PRIMARY KEY,
  name text NOT NULL UNIQUE,
  script_name text NOT NULL
);

INSERT INTO listen_for (name, script_name) VALUES
  ('port_updated', 'listen_port'),
  ('date_updated', 'listen_date_updated'),
  ('ports_moved', 'listen_ports_moved'),
  ('ports_updating', 'listen_ports_updating'),
  ('vuxml', 'listen_vuxml'),
  ('category_new', 'listen_category_new'),
  ('commit_updated', 'listen_commit'),
  ('file_updated', 'listen_file_updated'),
  ('packages_imported', 'listen_packages_imported')
ON CONFLICT (name) DO NOTHING;

-- The queues.

CREATE TABLE IF NOT EXISTS cache_clearing_ports (
  id serial PRIMARY KEY,
  port_id integer NOT NULL,
  category text NOT NULL,
  port text NOT NULL,
  date_added timestamp NOT NULL DEFAULT now()
);

-- No primary key and a date that may be NULL: so it is on the site.
CREATE TABLE IF NOT EXISTS cache_clearing_dates (
  id serial,
  date_to_clear date NULL,
  date_added timestamp NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS cache_clearing_commits (
  commit_to_clear text PRIMARY KEY,
  date_added timestamp DEFAULT now()
);

CREATE TABLE IF NOT EXISTS cache_clearing_files (
  id serial,
  pathname text,
  date_added timestamp DEFAULT now()
);

-- The site.

CREATE TABLE IF NOT EXISTS categories (
  id serial PRIMARY KEY,
  name text NOT NULL UNIQUE
);

CREATE TABLE IF NOT EXISTS ports (
  id serial PRIMARY KEY,
  category_id integer NOT NULL REFERENCES categories,
  name text NOT NULL,
  version text NOT NULL DEFAULT '1.0',
  UNIQUE (category_id, name)
);

CREATE TABLE IF NOT EXISTS commit_log (
  id serial PRIMARY KEY,
  message_id text NOT NULL UNIQUE,
  commit_date timestamp NOT NULL DEFAULT now(),
  description text NOT NULL DEFAULT ''
);

-- The listener's role. Roles belong to the server, so it may be there already.
DO $$
BEGIN
  CREATE ROLE listening LOGIN;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

-- Before PostgreSQL 15 everybody could create tables in `public`.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

GRANT SELECT ON listen_for TO listening;
GRANT SELECT, DELETE ON
  cache_clearing_ports, cache_clearing_dates, cache_clearing_commits, cache_clearing_files
  TO listening;
