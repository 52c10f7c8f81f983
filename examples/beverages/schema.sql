-- The company's own database, as a small ERP would have it.
create table stores (
  store_id int primary key, name text not null, region text not null, city text not null,
  latitude double precision, longitude double precision, size numeric(4, 2));
create table products (
  product_id int primary key, name text not null, category text not null, price int not null, unit_g int not null);
create table customers (
  customer_id int primary key, name text not null, email text, phone text, region text);
create table shelf_map (
  shelf_id int primary key, store_id int not null references stores, product_id int not null references products,
  capacity int not null, tare_g int not null, unit_g int not null);
create table deliveries (
  delivery_id bigint, shelf_id int not null, ordered_at timestamptz not null,
  due_at timestamptz not null, delivered_at timestamptz, units int not null, updated_at timestamptz not null default now());
create table sales (
  sale_id bigint, sold_at timestamptz not null, store_id int not null, product_id int not null,
  units int not null, price int not null, amount int not null, promo boolean not null,
  updated_at timestamptz not null default now());
