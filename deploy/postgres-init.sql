-- The role and the database that Atrium works with, for psql as an administrator:
--
--   POSTGRES_PASSWORD=… psql -v ON_ERROR_STOP=1 -f deploy/postgres-init.sql
--
-- The role owns the database and may make the roles that requests run as. It is no superuser: those pass every
-- row-level security policy.
\getenv password POSTGRES_PASSWORD
create role atrium login createrole password :'password';
create database atrium owner atrium encoding 'UTF8' template template0;
