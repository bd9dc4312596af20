# SPDX-License-Identifier: BSD-2-Clause
"""A PostgreSQL of the suite's own, that waits for the disk, and the site's databases in it."""

import os
import subprocess

import psycopg2

from suite.failure import Failure
from suite.interruption import undisturbed

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Server:
    def __init__(self, folder):
        self.folder = folder
        self.script = f"{ROOT}/scripts/throwaway-postgres"
        self.made = {}
        self.maintenance = None

    def start(self):
        os.mkdir(self.folder)
        with undisturbed():
            started = subprocess.run(
                [self.script, "start", "--synced", self.folder], stdout=subprocess.PIPE,
                start_new_session=True)
        if started.returncode != 0:
            raise Failure("PostgreSQL did not start", "see its words above")
        self.bindir = subprocess.check_output(
            [f"{ROOT}/scripts/postgres-bindir"], text=True).strip()
        self.maintenance = psycopg2.connect(
            host=self.folder, port=5432, dbname="postgres", user="postgres")
        self.maintenance.autocommit = True
        with self.maintenance.cursor() as cursor:
            cursor.execute("SHOW server_version")
            self.version = cursor.fetchone()[0].split()[0]

    def database(self, name, shape=3):
        """A site's database with triggers of a shape, made when it is first asked for."""
        if name not in self.made:
            with self.maintenance.cursor() as cursor:
                cursor.execute(f"CREATE DATABASE {name} TEMPLATE freshports")
            self.made[name] = Database(self.folder, name)
            with open(f"{ROOT}/Tests/TestSupport/SQL/trigger-shape-{shape}.sql") as file:
                self.made[name].run(file.read())
            # A vacuum that happens to come keeps a queue's rows where they are for as long as it takes.
            self.made[name].run(
                *(f"ALTER TABLE cache_clearing_{queue} SET (autovacuum_enabled = off)"
                  for queue in ("ports", "dates")))
        return self.made[name]

    def stop(self):
        for database in self.made.values():
            database.connection.close()
        if self.maintenance:
            self.maintenance.close()
        subprocess.run([self.script, "stop", self.folder])


class Database:
    def __init__(self, folder, name):
        connection = f"host={folder} port=5432 dbname={name}"
        # For programs that stand in for the listener, and for those that stand in for the site.
        self.listener = f"{connection} user=listening"
        self.site = f"{connection} user=postgres"
        self.connection = psycopg2.connect(self.site)
        self.connection.autocommit = True

    def run(self, *statements):
        """Each in a transaction of its own, which VACUUM insists on."""
        with self.connection.cursor() as cursor:
            for sql in statements:
                cursor.execute(sql)

    def value(self, sql):
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0]

    def waiting(self):
        return self.value("SELECT (SELECT count(*) FROM cache_clearing_ports)"
                          " + (SELECT count(*) FROM cache_clearing_dates)")

    def register_ports(self, ports, categories):
        """The ports in the site's own tables, so that an UPDATE of one fires its trigger."""
        self.run(f"""
            TRUNCATE ports, categories;
            INSERT INTO categories SELECT n, 'category' || n
              FROM generate_series(0, {categories - 1}) n;
            INSERT INTO ports (id, category_id, name)
              SELECT n, n % {categories}, 'p5-Tool-Box' || n FROM generate_series(0, {ports - 1}) n;
            ANALYZE ports, categories""")

    def queue(self, rows, keys, categories, days=()):
        """Fills the queues with rows that name so many different ports, one after the other, as
        a server leaves them that has had the time to look after its tables."""
        self.run(f"""
            TRUNCATE cache_clearing_ports, cache_clearing_dates;
            INSERT INTO cache_clearing_ports (port_id, category, port)
              SELECT key, 'category' || key % {categories}, 'p5-Tool-Box' || key
              FROM (SELECT n % {keys} AS key FROM generate_series(0, {rows - 1}) n) changes""")
        if days:
            self.run("INSERT INTO cache_clearing_dates (date_to_clear) VALUES "
                     + ",".join(f"('{day}')" for day in days))
        self.run("VACUUM ANALYZE cache_clearing_ports", "VACUUM ANALYZE cache_clearing_dates",
                 "CHECKPOINT")
