-- The tables of the site's schema that the sample configuration asks, in the tests' own writing and as
-- far as its queries go, with the site's indexes. They take the place of the small tables of tables.sql,
-- triggers and all: nothing that happens here queues a row. What the sample says to grant is granted
-- by `TestDatabase.makeFreshPorts`, not here.
SET client_min_messages = warning;

DROP TABLE IF EXISTS ports, categories, commit_log CASCADE;

CREATE TABLE element (
  id serial PRIMARY KEY,
  name text NOT NULL,
  parent_id integer REFERENCES element,
  directory_file_flag char(1) NOT NULL DEFAULT 'D' CHECK (directory_file_flag IN ('D', 'F')),
  status char(1) NOT NULL DEFAULT 'A' CHECK (status IN ('A', 'D'))
);
CREATE INDEX element_name ON element (name);

-- The site's triggers keep it; here each test adds the paths that it needs.
CREATE TABLE element_pathname (
  element_id integer NOT NULL REFERENCES element ON DELETE CASCADE,
  pathname text NOT NULL
);
CREATE INDEX element_pathname_element_id ON element_pathname (element_id);
CREATE UNIQUE INDEX element_pathname_pathname ON element_pathname (pathname);

CREATE TABLE categories (
  id serial PRIMARY KEY,
  is_primary boolean NOT NULL DEFAULT true,
  element_id integer REFERENCES element,
  name text NOT NULL UNIQUE
);

CREATE TABLE commit_log (
  id serial PRIMARY KEY,
  message_id text NOT NULL UNIQUE,
  description text NOT NULL DEFAULT '',
  commit_date timestamp with time zone NOT NULL,
  date_added timestamp with time zone NOT NULL DEFAULT now()
);
CREATE INDEX commit_log_commit_date ON commit_log (commit_date);

CREATE TABLE commit_log_elements (
  id serial PRIMARY KEY,
  commit_log_id integer NOT NULL REFERENCES commit_log ON DELETE CASCADE,
  element_id integer NOT NULL REFERENCES element ON DELETE CASCADE,
  revision_name text,
  change_type char(1) NOT NULL DEFAULT 'M'
);
CREATE INDEX commit_log_elements_clid ON commit_log_elements (commit_log_id);
CREATE INDEX commit_log_elements_ei ON commit_log_elements (element_id);

CREATE TABLE ports (
  id serial PRIMARY KEY,
  element_id integer NOT NULL REFERENCES element,
  category_id integer NOT NULL REFERENCES categories,
  last_commit_id integer REFERENCES commit_log,
  date_added timestamp with time zone DEFAULT now(),
  status char(1) NOT NULL DEFAULT 'A'
);
CREATE INDEX ports_category_id_idx ON ports (category_id);
CREATE INDEX ports_date_added_idx ON ports (date_added);
CREATE INDEX ports_element_id ON ports (element_id);

-- Every category of a port, its first one included.
CREATE TABLE ports_categories (
  port_id integer NOT NULL REFERENCES ports ON DELETE CASCADE,
  category_id integer NOT NULL REFERENCES categories,
  PRIMARY KEY (port_id, category_id)
);
CREATE INDEX ports_categories_categories_idx ON ports_categories (category_id);

CREATE TABLE port_dependencies (
  port_id integer NOT NULL REFERENCES ports ON DELETE CASCADE,
  port_id_dependent_upon integer NOT NULL REFERENCES ports ON DELETE CASCADE,
  dependency_type char(1) NOT NULL,
  PRIMARY KEY (port_id, port_id_dependent_upon, dependency_type)
);

CREATE TABLE commit_log_ports (
  commit_log_id integer NOT NULL REFERENCES commit_log ON DELETE CASCADE,
  port_id integer NOT NULL REFERENCES ports ON DELETE CASCADE,
  needs_refresh smallint NOT NULL DEFAULT 0,
  PRIMARY KEY (commit_log_id, port_id)
);
CREATE INDEX commit_log_ports_port_id ON commit_log_ports (port_id);

-- The dates are text, and as good as what was imported.
CREATE TABLE vuxml (
  id serial PRIMARY KEY,
  vid text NOT NULL,
  date_entry text,
  date_modified text
);

CREATE TABLE commit_log_ports_vuxml (
  id serial PRIMARY KEY,
  commit_log_id integer NOT NULL REFERENCES commit_log ON DELETE CASCADE,
  port_id integer NOT NULL REFERENCES ports ON DELETE CASCADE,
  vuxml_id integer NOT NULL REFERENCES vuxml ON DELETE CASCADE
);
CREATE INDEX commit_log_ports_vuxml_port_id ON commit_log_ports_vuxml (port_id);
CREATE INDEX commit_log_ports_vuxml_vuxml_id_idx ON commit_log_ports_vuxml (vuxml_id);

CREATE TABLE packages_last_checked (
  abi_id integer NOT NULL,
  package_set text,
  last_checked timestamp with time zone,
  processed_date timestamp with time zone
);
