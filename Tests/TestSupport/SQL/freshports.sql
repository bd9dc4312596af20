-- The four tables of the site's schema that the sample configuration asks, in the tests' own writing
-- and as far as its queries go. They take the place of the small tables of tables.sql, triggers and
-- all; what the audit reads of them is granted to the listener's role.
SET client_min_messages = warning;

DROP TABLE IF EXISTS ports, categories, commit_log CASCADE;

CREATE TABLE element (
  id serial PRIMARY KEY,
  name text NOT NULL,
  parent_id integer REFERENCES element,
  status char(1) NOT NULL DEFAULT 'A' CHECK (status IN ('A', 'D'))
);

CREATE TABLE categories (
  id serial PRIMARY KEY,
  is_primary boolean NOT NULL DEFAULT true,
  element_id integer REFERENCES element,
  name text NOT NULL UNIQUE
);

CREATE TABLE commit_log (
  id serial PRIMARY KEY,
  message_id text NOT NULL UNIQUE,
  commit_date timestamp with time zone NOT NULL,
  date_added timestamp with time zone NOT NULL DEFAULT now()
);

CREATE TABLE ports (
  id serial PRIMARY KEY,
  element_id integer NOT NULL REFERENCES element,
  category_id integer NOT NULL REFERENCES categories,
  last_commit_id integer REFERENCES commit_log
);

GRANT SELECT ON commit_log, ports, categories, element TO listening;
