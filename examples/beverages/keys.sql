-- Keys and indexes, after two years were loaded.
alter table deliveries add primary key (delivery_id);
alter table sales add primary key (sale_id);
create index on deliveries (updated_at);
create index on sales (updated_at);

-- The lake reads with a user of its own that may read and nothing else.
create role lake login password :'lake_password';
grant usage on schema public to lake;
grant select on all tables in schema public to lake;
