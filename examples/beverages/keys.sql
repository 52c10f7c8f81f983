-- Keys and indexes, after two years were loaded.
alter table deliveries add primary key (delivery_id);
alter table sales add primary key (sale_id);
create index on deliveries (updated_at);
create index on sales (updated_at);

-- The lake reads with a user of its own: tables, and the log of their changes. Only who owns a table may publish its changes,
-- so the tables belong to a role that the lake is a member of.
create role shop_owner;
grant shop_owner to current_user;
grant usage on schema public to shop_owner;
create role lake login replication password :'lake_password' in role shop_owner;
do $$
declare name text;
begin
  for name in select tablename from pg_tables where schemaname = 'public' loop
    execute format('alter table %I owner to shop_owner', name);
  end loop;
  execute format('grant create on database %I to lake', current_database());
end $$;
