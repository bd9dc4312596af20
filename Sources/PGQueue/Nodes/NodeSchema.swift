// SPDX-License-Identifier: BSD-2-Clause
//
// What many nodes need in the database; docs/nodes.md says why. etc/fanout.sql is generated from it.

/// The tables of the log and its readers.
package enum NodeSchema {
  /// The largest `keep_age`: the server's times reach back some thousand years.
  static let longestAge = "1000 years"

  /// The owner of the queues runs it, as often as needed: existing objects stay.
  package static let sql = """
    -- What fpcache listen --node needs: a log of what is to be cleared, and a cursor for each node.
    -- Run it once as the owner of the queue tables, in their database; running it again changes nothing.
    -- docs/nodes.md says what it is for. If the listeners' role is not called listening, say so below.
    --
    --   fpcache listen --print-schema | psql freshports.org
    --
    -- To retire a node for good:        DELETE FROM fpcache_node WHERE name = 'web3';
    -- To keep the log for less time:    UPDATE fpcache_head SET keep_age = '2 days', keep_rows = 200000;
    -- To be rid of all of it, when no listener runs with --node any more:
    --   DROP TABLE fpcache_owed, fpcache_node, fpcache_log, fpcache_head;

    BEGIN;
    SET LOCAL client_min_messages = warning;

    -- What was moved out of the queues, one row for each of theirs. The numbers have no gaps, and their
    -- order is the order of commits.
    CREATE TABLE IF NOT EXISTS fpcache_log (
      id        bigint PRIMARY KEY,
      queue     text NOT NULL,
      key       text[] NOT NULL,
      moved_at  timestamptz NOT NULL
    );
    -- It is emptied at one end and filled at the other: its dead rows must not wait for a fifth of it.
    ALTER TABLE fpcache_log SET (autovacuum_vacuum_scale_factor = 0.02);

    -- One row, which every mover locks before it gives out numbers.
    CREATE TABLE IF NOT EXISTS fpcache_head (
      is_only     boolean PRIMARY KEY DEFAULT true CHECK (is_only),
      last_id     bigint NOT NULL DEFAULT 0,
      -- Up to here the log may be gone.
      trimmed_to  bigint NOT NULL DEFAULT 0,
      -- The node that moved last, and goes on doing so.
      mover       text,
      keep_age    interval NOT NULL DEFAULT '7 days',
      keep_rows   bigint NOT NULL DEFAULT 1000000,
      CONSTRAINT fpcache_head_keep CHECK (keep_rows >= 0 AND keep_age BETWEEN '0' AND '\(longestAge)')
    ) WITH (fillfactor = 50);
    -- Tables that were made before there was this constraint get it.
    DO $$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'fpcache_head_keep'
        AND conrelid = 'fpcache_head'::regclass) THEN
        UPDATE fpcache_head SET keep_rows = greatest(keep_rows, 0),
          keep_age = least(greatest(keep_age, '0'), '\(longestAge)');
        ALTER TABLE fpcache_head ADD CONSTRAINT fpcache_head_keep
          CHECK (keep_rows >= 0 AND keep_age BETWEEN '0' AND '\(longestAge)');
      END IF;
    END $$;

    -- The nodes, and how far in the log each has come.
    CREATE TABLE IF NOT EXISTS fpcache_node (
      name        text PRIMARY KEY CHECK (name <> ''),
      -- Which cache the cursor belongs to: the node's state directory holds the same.
      token       text NOT NULL,
      cursor      bigint NOT NULL,
      -- Whether the cache has to be emptied, since nobody knows what it holds.
      must_empty  boolean NOT NULL DEFAULT true,
      registered  timestamptz NOT NULL DEFAULT now(),
      -- When it last moved its cursor, or would have if there had been anything.
      seen_at     timestamptz NOT NULL DEFAULT now()
    ) WITH (fillfactor = 50);

    -- What a node has passed and could not clear.
    CREATE TABLE IF NOT EXISTS fpcache_owed (
      node      text NOT NULL REFERENCES fpcache_node (name) ON DELETE CASCADE,
      id        bigint NOT NULL,
      queue     text NOT NULL,
      key       text[] NOT NULL,
      -- When it came into the log.
      moved_at  timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (node, id)
    );

    -- If the row is gone although there are nodes (TRUNCATE, a restore without data), or begins anew, nobody
    -- knows what they have missed: the numbers go on behind all that were given out, and each node empties
    -- its cache.
    INSERT INTO fpcache_head AS head (last_id, trimmed_to)
    SELECT coalesce(known.last + 1, 0), coalesce(known.last + 1, 0)
    FROM (SELECT greatest((SELECT max(id) FROM fpcache_log), (SELECT max(cursor) FROM fpcache_node)) AS last)
      AS known
    ON CONFLICT (is_only) DO UPDATE SET last_id = excluded.last_id, trimmed_to = excluded.trimmed_to
      WHERE head.last_id < excluded.last_id - 1;

    GRANT SELECT, INSERT, DELETE ON fpcache_log TO listening;
    GRANT SELECT, UPDATE ON fpcache_head TO listening;
    GRANT SELECT, INSERT, UPDATE ON fpcache_node TO listening;
    GRANT SELECT, INSERT, DELETE ON fpcache_owed TO listening;
    COMMIT;
    """

  /// Notified when rows have come into the log.
  package static let channel = "fpcache_log"

  /// Nodes use this channel to prove that they are connected, for each other too.
  package static let probeChannel = "fpcache_probe"
}
