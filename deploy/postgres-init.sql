-- Run once by the postgres image, as superuser, when its volume is empty.
-- A role for each application, owning its own databases and nothing else: whoever gets hold of
-- Headway's password reaches neither the engine's tables nor the superuser, and the other way round.
\getenv headway_password HEADWAY_DB_PASSWORD
\getenv temporal_password TEMPORAL_DB_PASSWORD

CREATE ROLE headway LOGIN PASSWORD :'headway_password';
CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';

CREATE DATABASE headway OWNER headway;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;

-- By default every role may connect to every database.
REVOKE ALL ON DATABASE headway, temporal, temporal_visibility FROM PUBLIC;
