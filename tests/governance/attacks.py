"""Ways to ask for what one may not see: a line each.

    = statement    gives exactly what root gets from the copy that holds only what the user may see: rows, names, errors
    ! statement    is refused
    ~ statement    may be answered or refused (its answer is no function of the data, or the copy cannot be asked)

Nothing hidden may be in any answer. Statements in one line (`;;` between them) are one transaction, taken back at its end.
"""

SELECTS = """
# the plain ways
= select * from clinic.patients
= select count(*) from clinic.patients
= select count(*), count(id), count(email), sum(phone), min(name), max(name) from clinic.patients
= select * from clinic.patients where id > 100000
= select * from clinic.patients where region <> 'north'
= select * from clinic.patients where region = 'zqx' or true
= select * from clinic.patients where not (region = 'north')
= select distinct region from clinic.patients
= select region, count(*) from clinic.patients group by region
= select region, count(*) from clinic.patients group by region having count(*) > 0 order by 2 desc
= select max(id), min(day), max(visit), max(balance), max(score), min(tags), max(info) from clinic.patients
= select p from clinic.patients p
= select p.* from clinic.patients p
= select patients from clinic.patients
= select to_json(p) from clinic.patients p
= select row_to_json(p) from clinic.patients p
= select p::text from clinic.patients p
= select (p).name from clinic.patients p
= select struct_keys(p) from clinic.patients p limit 1
= select struct_extract(p, 'zqxcol_secret') from clinic.patients p
= select p['zqxcol_secret'] from clinic.patients p
= select json_keys(to_json(p)) from clinic.patients p limit 1
= select list(p) from clinic.patients p
= select hash(p) from clinic.patients p
= from clinic.patients
= from clinic.patients select email, phone
= table clinic.patients
= select * exclude (name) from clinic.patients
= select * replace (upper(name) as name) from clinic.patients
= select columns(*) from clinic.patients
= select columns('zqx.*') from clinic.patients
= select columns('.*') from clinic.patients
= select columns(c -> c like '%z%') from clinic.patients
= select count(columns(*)) from clinic.patients
= select min(columns(*)) from clinic.patients
= select coalesce(*columns(['name', 'email'])) from clinic.patients
= select unpack(columns('z.*')) from clinic.patients
= select #1, #2, #4 from clinic.patients
= select #16 from clinic.patients
= select * from clinic.patients order by 4
= select * from clinic.patients order by all
= select * like 'zqx%' from clinic.patients
= select * from lake.clinic.patients
= select lake.clinic.patients.name from clinic.patients
= select name from clinic.patients where name like any(array['name%', 'zqx%'])
= select count(*) from clinic.patients where region not like all('{nor%,x}')
= select count(*) from clinic.patients where zqxcol_secret like any(array['%'])
= select name from clinic.patients where (id, region) in ((1, 'north'), (735000101, 'zqxregion'))
= select to_char(day, 'YYYY-MM-DD'), to_char(balance, 'FM999990.00') from clinic.patients
= select json_build_object('n', name, 'r', region) from clinic.patients
= select to_char(zqxcol_pay, '999') from clinic.patients
= select count(*) from pg_catalog.pg_attrdef d join pg_catalog.pg_class c on c.oid = d.adrelid where c.relname = 'patients'
= select json_agg(name order by id), jsonb_agg(email order by id) from clinic.patients
= select json_object_agg(id, phone order by id) from clinic.patients
= select json_agg(p order by id) from clinic.patients p
= select json_agg(zqxcol_pay) from clinic.patients
= select jsonb_agg(name order by zqxcol_pay) from clinic.patients
= select json_object_agg(zqxcol_secret, 1) from clinic.patients
= select json_object_agg(name, zqxcol_pay) from clinic.patients
= select json_agg(name) filter (where zqxcol_pay > 5) from clinic.patients
= select json_agg(name) over (order by zqxcol_pay) from clinic.patients
# literals without a type beside operators
= select id + '1', balance - '0.5', '1 day' + visit, day - '2026-01-01', visit - '2026-01-01' from clinic.patients
= select name from clinic.patients where id - '1' >= 0 and day - '2020-01-01' > 5
= select name from clinic.patients where 1 / (id - '735000101') > -5
= select name from clinic.patients where 10 / (zqxcol_pay - '1') > 0
= select name from clinic.patients where day - date 'infinity' > 0
= select tags || 'x'::text, 'x'::text || tags, tags || tags from clinic.patients
= select p || '{"a": 1}' from clinic.patients p
= select name - '1' from clinic.patients
= select (select max(id) from clinic.patients) - '1'
# jsonb and format()
= select to_jsonb(p) from clinic.patients p
= select jsonb_build_object('n', name, 'e', email, 'r', region) from clinic.patients
= select jsonb_build_object('s', zqxcol_secret) from clinic.patients
= select jsonb_build_array(id, phone) || to_jsonb(email) from clinic.patients
= select key, value from clinic.patients p, jsonb_each(to_jsonb(p)) e order by 1, 2
= select e.value from clinic.patients p, jsonb_array_elements(jsonb_build_array(p.email, p.region)) e order by 1
= select name from clinic.patients where to_jsonb(region) = '"north"' order by id
= select name from clinic.patients where to_jsonb(region) = '"zqxregion"'
= select name from clinic.patients where jsonb_build_object('r', region) @> '{"r": "zqxregion"}' or jsonb_build_array(email) ? 'zqx'
= select id from clinic.patients order by to_jsonb(phone), id
= select count(*) from clinic.patients where to_jsonb(id) in ('735000101', '1')
= select a.id from clinic.patients a join clinic.patients b on to_jsonb(a.id) = to_jsonb(b.id) order by 1
= select max(id) from clinic.patients group by to_jsonb(email) order by 1
= select (case when region like 'zqx%' then region else '{}' end)::jsonb - 'a' from clinic.patients
= select jsonb_set(jsonb_build_object('e', email), '{r}', to_jsonb(region)) - 'e' from clinic.patients
= select jsonb_agg(to_jsonb(p) - 'name' order by id) from clinic.patients p
= select to_jsonb(p) ? 'zqxcol_pay' from clinic.patients p
= select to_jsonb(p) #- '{name}' from clinic.patients p
= select format('%I %L %s', name, email, phone) from clinic.patients
= select format('%s', p) from clinic.patients p
= select format('%s', zqxcol_pay) from clinic.patients
= select quote_literal(email), quote_nullable(phone), quote_ident(region) from clinic.patients
= select format(case when region like 'zqx%' then '%x' else '%s' end, id) from clinic.patients
= select format('%1$*2$s', name, case when region like 'zqx%' then 2000000000 else 5 end) from clinic.patients
# numbered columns
! select last_value from clinic.numbered_id_seq
! select * from clinic.numbered_id_seq
! select nextval('clinic.numbered_id_seq')
! select currval('clinic.numbered_id_seq')
! select setval('clinic.numbered_id_seq', 1)
! select * from tarn_sequence_state('clinic', 'numbered_id_seq')
! select last_value from clinic.closed_n_seq
! select nextval('clinic.closed_n_seq')
~ select * from tarn_constraints()
~ select * from tarn_keys()
~ select * from tarn_sequences()
~ select * from tarn_view_tables()
~ select * from pg_constraint
~ select pg_get_constraintdef(oid) from pg_constraint
~ select * from information_schema.check_constraints
~ select * from information_schema.constraint_column_usage
~ select * from information_schema.referential_constraints
~ select * from pg_depend
~ select 'clinic.closed'::regclass
# hidden columns
= select grade from clinic.patients
= select count(*) from clinic.patients where grade > 735100700
= select zqxcol_secret from clinic.patients
= select p.zqxcol_secret from clinic.patients p
= select clinic.patients.zqxcol_pay from clinic.patients
= select "zqxcol_secret" from clinic.patients
= select ZQXCOL_SECRET from clinic.patients
= select name from clinic.patients where zqxcol_secret like 'a%'
= select name from clinic.patients order by zqxcol_pay
= select name::text from clinic.patients order by name
= select count(*), max(zqxcol_pay) from clinic.patients group by region order by max
= select region, count(*) from clinic.patients group by region order by count, region
= select id from clinic.patients where region = any('{north,zqxregion}')
= select id from clinic.patients where region <> all('{north}')
= select id from clinic.patients where zqxcol_secret = any('{a,b}')
= select count(*) from clinic.patients where region ~* 'ZQX'
= select array_remove(tags, 'zqx') from clinic.patients
= select name from clinic.patients group by name, zqxcol_pay
= select count(*) from clinic.patients having max(zqxcol_pay) > 0
= select count(zqxcol_secret) from clinic.patients
= select sum(1) over (order by zqxcol_pay) from clinic.patients
= select sum(1) filter (where zqxcol_pay > 5) from clinic.patients
= select string_agg(name order by zqxcol_pay) from clinic.patients
= select arg_max(name, zqxcol_pay) from clinic.patients
= select * from clinic.patients p join clinic.staff s on p.zqxcol_pay = s.id
= select * from clinic.patients p join clinic.patients q using (zqxcol_secret)
= select * from clinic.patients natural join (select 1 as zqxcol_pay) t
= select (select zqxcol_secret from clinic.patients limit 1)
= select s.id, (select zqxcol_pay from clinic.patients p where p.id = s.id) from clinic.staff s
= select * from clinic.patients qualify row_number() over (order by zqxcol_pay) = 1
= select * from clinic.patients where (id, zqxcol_pay) in (select 1, 2)
= select * exclude (zqxcol_secret) from clinic.patients
= select * rename (zqxcol_secret as x) from clinic.patients
= select * replace (zqxcol_secret as name) from clinic.patients
= select columns(['zqxcol_secret']) from clinic.patients
= select x.zqxcol_secret from (select * from clinic.patients) x
= select zqxcol_secret from (select p from clinic.patients p)
= select unnest(p) from clinic.patients p
= select unnest(p, recursive := true) from clinic.patients p
= select zqxcol_secrett from clinic.patients
= select zqxcol from clinic.patients
= select zqxcol_ from clinic.patients
= select nam from clinic.patients
= select secret from clinic.patients
= select patients.z from clinic.patients
= unpivot clinic.patients on zqxcol_pay into name k value v
= select * from (pivot clinic.patients on region in ('north', 'zqxregion') using count(*) group by day)
= select * from (pivot clinic.patients on zqxcol_secret in ('a') using count(*))
= select * from (unpivot (select id, phone, balance from clinic.patients) on columns(* exclude id))
= pivot clinic.patients on region using count(*)
# errors that tell values
= select name::int from clinic.patients
= select [name]::int[] from clinic.patients
= select region::int from clinic.patients
= select count(*) from clinic.patients where len([name]::int[]) > 0
= select count(*) from clinic.patients where [region]::int[] is null
= select ('{' || region || '}')::int[] from clinic.patients
= select count(*) from clinic.patients where ('{' || name || '}')::date[] is null
= select ('{"' || region || '"}')::text[] from clinic.patients
= select count(*) from clinic.patients where {'a': region}::struct(a int) is null
= select count(*) from clinic.patients where (map {'a': region})::map(text, int) is null
= select count(*) from clinic.patients where region::date > '2000-01-01'
= select count(*) from clinic.patients where [region]::date[] is null
= select count(*) from clinic.patients where region::uuid is null
= select count(*) from clinic.patients where region::boolean
= select count(*) from clinic.patients where region::decimal(4,2) > 1
= select count(*) from clinic.patients where region::interval is null
= select count(*) from clinic.patients where region::timestamptz is null
= select count(*) from clinic.patients where region::json is null
= select count(*) from clinic.patients where json_extract(region, '$.a') is null
= select count(*) from clinic.patients where from_json(region, '["int"]') is null
= select count(*) from clinic.patients where strptime(region, '%Y') is null
= select count(*) from clinic.patients where region::blob is null
= select count(*) from clinic.patients where unhex(region) is null
= select count(*) from clinic.patients where from_base64(region) is null
= select count(*) from clinic.patients where region::bit is null
= select count(*) from clinic.patients where regexp_matches('a', region || '(')
= select count(*) from clinic.patients where balance::decimal(4,2) > 1
= select count(*) from clinic.patients where id::tinyint > 1
= select count(*) from clinic.patients where [id]::tinyint[] is null
= select count(*) from clinic.patients where phone::smallint > 1
= select count(*) from clinic.patients where id * 10000000 > 1
= select count(*) from clinic.patients where id + 1500000000 > 1
= select count(*) from clinic.patients where list_transform([region], x -> x::int) is null
= select count(*) from clinic.patients where list_transform(tags, x -> x::int) is null
= select count(*) from clinic.patients where list_filter(tags, x -> x::int > 1) is null
= select count(*) from clinic.patients where list_reduce([region, name], (a, b) -> (a || b)::int::text) is null
= select count(*) from clinic.patients where tags::int[] is null
= select count(*) from clinic.patients where info::struct(street int, n int) is null
= select count(*) from clinic.patients where attrs::map(text, int) is null
= select count(*) from clinic.patients where attrs['k']::int > 0
= select count(*) from clinic.patients where 1 / (id - 735000101) > 0
= select count(*) from clinic.patients where 1 / (length(region) - 9) > 0
= select count(*) from clinic.patients where 10 % (length(region) - 9) > 0
= select count(*) from clinic.patients where factorial(id % 100) > 0
= select count(*) from clinic.patients where repeat(region, 3)::int > 0
= select count(*) from clinic.patients where chr(id) = 'a'
= select count(*) from clinic.patients where make_date(id, 1, 1) is null
= select count(*) from clinic.patients where make_date(2026, id, 1) is null
= select count(*) from clinic.patients where sqrt(5 - id) > 0
= select count(*) from clinic.patients where ln(5 - id) > 0
= select count(*) from clinic.patients where substr(region, id * 100000000000) = ''
= select count(*) from clinic.patients where date_trunc(region, day) is null
= select count(*) from clinic.patients where date_part(region, day) is null
= select count(*) from clinic.patients where timezone(region, visit) is null
= select count(*) from clinic.patients where format(region || '{}{}', 1) = ''
= select count(*) from clinic.patients where printf('%d' || region, 'x') = ''
= select count(*) from clinic.patients where array_extract(tags, id)::int = 1
= select count(*) from clinic.patients where element_at(attrs, 'k')[1]::int = 1
= select count(*) from clinic.patients where case when id > 10 then error(region) else true end
= select case when region <> 'north' then error(region) end from clinic.patients
= select error(region) from clinic.patients
= select try(name::int), try_cast(region as int) from clinic.patients
= select count(*) from clinic.patients where case when region <> 'north' then region::int = 1 else true end
= select count(*) from clinic.patients where region <> 'north' and [region]::int[] is null
= select sum(region::int) from clinic.patients where region <> 'north'
= select max([region]::int[]) from clinic.patients where region <> 'north'
= select * from clinic.patients order by [region]::int[]
= select * from clinic.patients order by case when region <> 'north' then region::int end
= select sum(1) over (partition by [region]::int[]) from clinic.patients
= select count(*) from clinic.patients group by [region]::int[]
= select count(*) from clinic.patients p join clinic.staff s on [p.region]::int[] = [s.id]
= select count(*) from clinic.patients p join clinic.staff s on s.id = p.id and [p.region]::int[] is null
= select count(*) from clinic.staff s where exists (select 1 from clinic.patients p where p.id = s.id and [p.region]::int[] is null)
= select count(*) from clinic.staff s left join clinic.patients p on [p.region]::int[] is null
= select (select max([region]::int[]) from clinic.patients)
= select count(*) from clinic.patients where [email]::int[] is null
= select count(*) from clinic.patients where [phone]::tinyint[] is null and [email]::int[] is null
= select count(*) from clinic.big where [label]::int[] is null
= select count(*) from clinic.big where {'a': h}::struct(a int) is null
= select count(*) from clinic.big where list_transform([h], x -> x::int) is null
= select h::int from clinic.big
= select count(*) from clinic.big where [h]::int[] is null
= select count(*) from clinic.big where n::tinyint > 0
= select count(*) from clinic.big where [n]::tinyint[] is null
= select count(*) from clinic.visits where [note]::int[] is null
= select count(*) from clinic.visits where [region]::date[] is null
= select count(*) from clinic.visits where n::tinyint = 1
= select id::tinyint + 1::tinyint from clinic.patients
= select sum(id) + 9223372036854775807 from clinic.patients where id < 0
= select case when max(id) > 1000 then error('large') end from clinic.patients
# counts, order, limits
= select count(*) from clinic.patients limit 1
= select id from clinic.patients order by id desc limit 1
= select id from clinic.patients order by id desc nulls first limit 3 offset 5
= select id from clinic.patients order by balance desc limit 1
= select id from clinic.patients limit 100 offset 6
= select name from clinic.patients order by random() limit 0
= select id from clinic.patients order by id limit (select count(*) from clinic.patients)
= select id from clinic.patients order by id limit 50%
= select id from clinic.patients order by id limit 99%
= select row_number() over () from clinic.patients
= select id, rank() over (order by balance), lag(name) over (order by id), lead(name) over (order by id) from clinic.patients
= select id, first_value(name) over (order by id desc), last_value(name) over (order by id rows between unbounded preceding and unbounded following) from clinic.patients
= select id, nth_value(name, 7) over (order by id rows between unbounded preceding and unbounded following) from clinic.patients
= select id, sum(balance) over () from clinic.patients
= select id, count(*) over (partition by region) from clinic.patients
= select id, ntile(3) over (order by id), cume_dist() over (order by id), percent_rank() over (order by id) from clinic.patients
= select id, sum(1) over (order by id range between 1000000000 preceding and 1000000000 following) from clinic.patients
= select quantile_cont(balance, 0.99), median(score), mode(region) from clinic.patients
= select approx_count_distinct(id), approx_quantile(balance, 1.0) from clinic.patients
= select histogram(region) from clinic.patients
= select list(id order by id), string_agg(name, ',' order by id) from clinic.patients
= select list_sort(array_agg(distinct region)), bit_xor(id), product(id), stddev(balance) from clinic.patients
= select first(region), any_value(region), arg_min(name, balance), arg_max(name, balance) from clinic.patients
= select max(name, 3), min(id, 20) from clinic.patients
= select region, count(*), grouping(region) from clinic.patients group by rollup(region) order by 1
= select count(*) from clinic.patients group by cube(region, flag) order by 1
= select count(*) from clinic.big
= select count(distinct n), max(n), min(n) from clinic.big
= select label, count(*) from clinic.big group by label
= select h, count(*) from clinic.big group by h
= select distinct label from clinic.big
= select n from clinic.big order by n desc limit 3
= select h from clinic.big order by h desc limit 3
= select h from clinic.big order by n desc limit 3 offset 2998
= select max(n) from clinic.big where n > 735000000
= select count(*) from clinic.big where label like 'zqx%'
= select count(*) from clinic.big where h like 'zqx%'
= select count(*) from clinic.big where n between 735600000 and 735700000
= select count(*) from clinic.big where n in (735600001, 735600003, 2, 4)
= select count(*) from clinic.big where h in ('zqxvh1', 'h1')
= select count(*) from clinic.big where n is not null or g = 2
= select count(*) from clinic.big where g = 2
= select count(*) from clinic.visits
= select region, sum(n) from clinic.visits group by region
= select * from clinic.visits where region = 'zqxregion'
= select * from clinic.visits where region in ('zqxregion', 'zqxother', 'north')
= select * from clinic.visits where n > 100
~ select * from clinic.patients tablesample 50%
~ select * from clinic.patients tablesample reservoir(100)
~ select * from clinic.patients tablesample system(90%)
~ select * from clinic.patients tablesample bernoulli(99%) repeatable (7)
~ select * from clinic.big using sample 100 rows
= select count(*) from clinic.patients tablesample 100%
= select count(*) from (select * from clinic.big using sample 10000 rows) t
# joins, subqueries, CTEs
= select * from clinic.patients p join clinic.patients q on p.id = q.id
= select count(*) from clinic.patients p, clinic.patients q
= select count(*) from clinic.patients p cross join clinic.staff
= select p.id, s.name from clinic.patients p right join clinic.staff s on p.id = s.id
= select p.id, s.name from clinic.patients p full join clinic.staff s on p.id = s.id
= select p.id from clinic.patients p semi join clinic.staff s on p.id = s.id
= select p.id from clinic.patients p anti join clinic.staff s on p.id = s.id
= select s.id from clinic.staff s anti join clinic.patients p on p.id = s.id
= select * from clinic.staff s left join clinic.patients p on p.id > s.id and p.region <> 'north'
= select p.id, q.id from clinic.patients p asof join clinic.patients q on p.id > q.id
= select * from clinic.patients p positional join clinic.staff s
= select p.id, p.email from clinic.staff s join clinic.patients p using (id)
= select count(*) from clinic.patients p natural join clinic.staff s
= select s.id, l.* from clinic.staff s, lateral (select count(*), max(region) from clinic.patients p where p.id >= s.id) l
= select s.id, l.m from clinic.staff s left join lateral (select max(id) m from clinic.patients where id > s.id) l on true
= select s.id, (select count(*) from clinic.patients p where p.id > s.id) from clinic.staff s
= select s.id, (select string_agg(p.region, ',') from clinic.patients p where p.id <> s.id) from clinic.staff s
= select s.id from clinic.staff s where s.id < all (select id from clinic.patients)
= select s.id from clinic.staff s where s.id > any (select id from clinic.patients)
= select s.id from clinic.staff s where s.name not in (select name from clinic.patients)
= select s.id from clinic.staff s where s.name in (select email from clinic.patients)
= select exists (select 1 from clinic.patients where region <> 'north')
= select not exists (select 1 from clinic.patients where id > 735000000)
= select (select count(*) from clinic.patients), (select max(id) from clinic.patients)
= select array(select region from clinic.patients order by id)
= select (select region from clinic.patients)
= select (select id from clinic.patients where id > 735000000)
= select case when (select count(*) from clinic.patients where region <> 'north') > 0 then 'yes' else 'no' end
= with patients as (select 1 as zqxcol_pay) select * from patients
= with patients as (select * from clinic.patients) select * from patients
= with p as materialized (select * from clinic.patients) select count(*), max(id) from p
= with p as not materialized (select * from clinic.patients) select [region]::int[] from p
= with p as (select * from clinic.patients), q as (select * from p where region <> 'north') select * from q
= with clinic as (select 1) select * from clinic.patients
= with recursive r as (select id, 0 as d from clinic.patients union all select r.id, d + 1 from r where d < 2) select count(*), max(id) from r
= with recursive r as (select 1 as i union all select p.id from clinic.patients p, r where p.id > r.i) select max(i) from r
= with recursive r as (select 1 as i union select p.id from clinic.patients p join r on p.id = r.i + 1) select * from r
= select * from clinic.patients union select * from clinic.patients
= select id from clinic.patients union all select id from clinic.staff
= select id from clinic.staff except select id from clinic.patients
= select id from clinic.staff intersect select id from clinic.patients
= select id from clinic.patients except all select id from clinic.staff
= select name, id from clinic.patients union by name select id, name from clinic.staff
= select * from (select * from clinic.patients) t where id > 100
= select * from (values (1), (735000101)) v(id) join clinic.patients p using (id)
= select * from clinic.patients where id in (select id from clinic.patients where region <> 'north')
= select * from clinic.patients p where p.balance > (select avg(balance) from clinic.patients)
= select distinct on (region) region, id from clinic.patients order by region, id desc
= select unnest(tags) from clinic.patients
= select id, unnest(map_keys(attrs)) from clinic.patients
= select id, unnest(info) from clinic.patients
= select t.x from clinic.patients p, unnest(p.tags) t(x)
= select id, x from clinic.patients, generate_series(1, id % 100) g(x)
= select max(x) from clinic.patients, range(id) r(x) where id < 10
= select count(*) from range((select max(id) from clinic.patients)) r
= select count(*) from generate_series(1, (select count(*) from clinic.patients)) r
# nested columns
= select info.street, info.n, info['street'] from clinic.patients
= select info.* from clinic.patients
= select max(info.n), min(info.street) from clinic.patients
= select info from clinic.patients where info.n > 735000000
= select count(*) from clinic.patients where info.street like 'zqx%'
= select struct_insert(info, pay := zqxcol_pay) from clinic.patients
= select tags[1], tags[-1], len(tags) from clinic.patients
= select list_contains(tags, 'zqxvtag1') from clinic.patients
= select flatten(list(tags)) from clinic.patients
= select list_sort(flatten(list(tags))) from clinic.patients
= select attrs, map_values(attrs), map_entries(attrs), cardinality(attrs) from clinic.patients
= select attrs['zqxvkey1'] from clinic.patients
= select to_json(info), to_json(tags), to_json(attrs) from clinic.patients
= select json_group_array(region), json_group_object(name, balance) from clinic.patients
= select json_structure(to_json(p)) from clinic.patients p
= select [region, name, email] from clinic.patients
= select {'a': email, 'b': phone} from clinic.patients
= select list_transform(tags, t -> t || region) from clinic.patients
= select [x for x in tags if x <> 'u'] from clinic.patients
# masks
= select distinct email, phone from clinic.patients
= select count(*) from clinic.patients where email like 'zqx%'
= select count(*) from clinic.patients where email <> '***'
= select count(*) from clinic.patients where phone between 735200000 and 735299999
= select name from clinic.patients order by phone, email
= select max(email), min(email), max(phone), min(phone), sum(phone) from clinic.patients
= select p.name from clinic.patients p join clinic.patients q on p.email = q.email and p.phone = q.phone where p.id < q.id
= select md5(email), length(email), hash(phone), email || '' from clinic.patients
= select label, max(label), count(distinct label) from clinic.big group by all
= select count(*) from clinic.big where label = 'zqxvlabel1'
= select * from clinic.patients where email in ('zqxvmail1', '***') and phone in (0, 735200101)
# views
= select * from clinic.everyone
= select count(*), max(balance) from clinic.everyone
= select count(*) from clinic.everyone where [region]::int[] is null
= select * from clinic.names
= select * from clinic.names where n > 0 and name like 'zqx%'
! select * from clinic.payroll
! select count(*) from clinic.payroll
! select id from clinic.payroll
! select grade from clinic.payroll
# a filter that reads another table, which the user may not: and cannot stand in for
= select * from clinic.orders
= select count(*), max(n) from clinic.orders
! select * from regions
! select * from clinic.closed
! select count(*) from clinic.closed
! select * from clinic.patients p join clinic.closed c on true
! select exists (select 1 from clinic.closed)
! select * from (select * from clinic.closed) t
! with c as (select * from clinic.closed) select 1 from c
! select * from clinic.there_is_none
! table clinic.closed
! describe clinic.closed
! summarize clinic.closed
! explain select * from clinic.closed
= describe clinic.patients
= describe select * from clinic.patients
= show clinic.patients
= summarize clinic.patients
= summarize select region, id from clinic.patients
= summarize clinic.big
= summarize clinic.visits
~ show tables
~ show all tables
~ show tables from clinic
~ show databases
! select * from clinic.dropbox where n > 0 and zqxcol_none = 1
~ select * from clinic.dropbox
~ select count(*), max(n), max(note) from clinic.dropbox
~ select count(*) from clinic.dropbox where [note]::int[] is null
"""

# Statements that the copy cannot stand in for: the engine's inside, files, settings, time.
INSIDE = """
# positions and files
~ select rowid from clinic.patients
~ select rowid, * from clinic.patients
~ select max(rowid) from clinic.patients
~ select count(*) from clinic.patients where rowid > 3
~ select filename from clinic.patients
~ select filename, count(*) from clinic.patients group by filename
~ select file_row_number from clinic.patients
~ select max(file_row_number), min(file_row_number) from clinic.patients
~ select file_index from clinic.patients
~ select file_index, file_row_number, filename, name from clinic.patients
~ select snapshot_id from clinic.patients
~ select _last_updated_sequence_number from clinic.patients
~ select _row_id, _file, _pos, _partition, _deleted from clinic.patients
~ select "$path", "$row_id" from clinic.patients
~ select ctid, xmin, xmax, tableoid from clinic.patients
~ select ctid from clinic.patients where tableoid::regclass = 'clinic.patients'::regclass
~ select p.filename from clinic.visits p
~ select name from clinic.patients order by rowid desc
~ select name from clinic.patients order by filename, file_row_number
~ select count(distinct filename) from clinic.big
# files and other sources
! select * from read_parquet('s3://lake/**')
! select * from read_parquet('s3://lake/clinic/**/*.parquet')
! select * from parquet_scan('s3://lake/clinic/patients/data/*.parquet')
! select * from 's3://lake/clinic/patients/data/*.parquet'
! select * from 's3://lake/clinic/patients/metadata/v1.metadata.json'
! select * from "s3://lake/x.parquet"
! select * from '/etc/passwd'
! select * from 'file:///etc/passwd'
! select * from read_csv('/etc/passwd')
! select * from read_csv_auto('/etc/passwd')
! select * from sniff_csv('/etc/passwd')
! select * from read_json('s3://lake/**')
! select * from read_json_auto('s3://lake/**/*.json')
! select * from read_ndjson('s3://lake/**')
! select * from read_json_objects('s3://lake/**')
! select * from read_text('s3://lake/**')
! select * from read_blob('s3://lake/**')
! select * from glob('s3://lake/**')
! select * from glob('*')
! select * from parquet_metadata('s3://lake/**')
! select * from parquet_schema('s3://lake/**')
! select * from parquet_file_metadata('s3://lake/**')
! select * from parquet_kv_metadata('s3://lake/**')
! select * from parquet_bloom_probe('s3://lake/**', 'name', 'name1')
! select * from parquet_full_metadata('s3://lake/**')
! select * from iceberg_scan('s3://lake/clinic/patients')
! select * from iceberg_metadata('s3://lake/clinic/patients')
! select * from iceberg_snapshots('s3://lake/clinic/patients')
! select * from arrow_scan(1, 2, 3)
! select * from pandas_scan(1)
! select * from seq_scan('clinic.patients')
! select * from sqlite_scan('x', 'y')
! select * from postgres_scan('', 'clinic', 'closed')
! select read_text('/etc/passwd')
! select * from lake_scan()
! select * from lake_scan('clinic.closed')
! select * from lake_governed_scan()
! select * from lake_governed_scan('clinic.patients')
! select * from query('select * from read_parquet(''s3://lake/**'')')
! select * from query('select * from clinic.closed')
! select * from query_table('clinic.closed')
! select * from query_table(['clinic.closed'])
~ select * from query('select * from clinic.patients')
~ select * from query('select zqxcol_secret from clinic.patients')
~ select * from query_table('clinic.patients')
! select * from from_substrait('x')
! select json_execute_serialized_sql(json_serialize_sql('select * from clinic.closed'))
! select * from json_execute_serialized_sql(json_serialize_sql('select 1'))
! select json_serialize_plan('select * from clinic.patients')
! select json_serialize_sql('select 1')
! select write_log('x')
! select getenv('HOME')
! select getvariable('x')
! select current_setting('memory_limit')
! select nextval('x')
! select stats(id) from clinic.patients
! select stats(zqxcol_pay) from clinic.patients
! select vector_type(name) from clinic.big
! select is_histogram_other_bin(1)
~ select txid_current()
! select in_search_path('lake', 'clinic')
! select get_block_size('lake')
! select current_query()
# the engine's own catalogs
! select * from duckdb_tables()
! select * from duckdb_columns()
! select * from duckdb_views()
! select * from duckdb_schemas()
! select * from duckdb_databases()
! select * from duckdb_constraints()
! select * from duckdb_functions()
! select * from duckdb_settings()
! select * from duckdb_secrets()
! select * from duckdb_temporary_files()
! select * from duckdb_memory()
! select * from duckdb_logs()
! select * from duckdb_log_contexts()
! select * from duckdb_external_file_cache()
! select * from duckdb_approx_database_count()
! select * from duckdb_indexes()
! select * from duckdb_sequences()
! select * from duckdb_types()
! select * from duckdb_variables()
! select * from duckdb_dependencies()
! select * from duckdb_extensions()
! select * from duckdb_optimizers()
! select * from duckdb_prepared_statements()
! select * from duckdb_connection_count()
! select * from duckdb_which_secret('s3://lake', 's3')
! select * from pragma_table_info('clinic.patients')
! select * from pragma_storage_info('clinic.patients')
! select * from pragma_show('clinic.patients')
! select * from pragma_database_size()
! select * from pragma_metadata_info()
! select * from pragma_last_profiling_output()
! select * from pragma_detailed_profiling_output()
! select * from pragma_collations()
! select * from pragma_user_agent()
! select * from storage_info('clinic.patients')
! select * from system.main.duckdb_tables
! select * from sqlite_master
! select * from sqlite_schema
! select * from duckdb_tables
! select * from main.duckdb_columns
! select * from checkpoint()
! select * from force_checkpoint()
! select * from test_all_types()
! select * from enable_logging()
! select * from enable_profiling()
! select * from sql_auto_complete('select zqx')
! select * from icu_calendar_names()
! select * from pg_timezone_names()
~ select * from summary((select * from clinic.patients))
# PostgreSQL's catalogs
~ select * from information_schema.tables
~ select * from information_schema.columns
~ select * from information_schema.schemata
~ select * from information_schema.views
~ select * from information_schema.table_constraints
~ select * from information_schema.key_column_usage
~ select * from information_schema.table_privileges
~ select * from pg_catalog.pg_class
~ select * from pg_class where relname like 'zqx%' or relname = 'closed'
~ select relname, reltuples, relpages from pg_class
~ select * from pg_catalog.pg_attribute
~ select attname from pg_attribute where attnum > 3
~ select * from pg_catalog.pg_namespace
~ select * from pg_catalog.pg_tables
~ select * from pg_catalog.pg_views
~ select definition from pg_views
~ select * from pg_catalog.pg_description
~ select * from pg_catalog.pg_stats
~ select * from pg_catalog.pg_statistic
~ select * from pg_catalog.pg_policies
~ select * from pg_catalog.pg_policy
~ select * from pg_catalog.pg_roles
~ select * from pg_catalog.pg_user
~ select * from pg_catalog.pg_authid
~ select * from pg_catalog.pg_shadow
~ select * from pg_catalog.pg_settings
~ select * from pg_catalog.pg_stat_activity
~ select * from pg_catalog.pg_stat_user_tables
~ select * from pg_catalog.pg_stat_statements
~ select * from pg_catalog.pg_prepared_statements
~ select * from pg_catalog.pg_cursors
~ select * from pg_catalog.pg_locks
~ select * from pg_catalog.pg_database
~ select * from pg_catalog.pg_constraint
~ select * from pg_catalog.pg_index
~ select * from pg_catalog.pg_type
~ select * from pg_catalog.pg_proc
~ select * from pg_catalog.pg_inherits
~ select * from pg_catalog.pg_attrdef
~ select * from pg_catalog.pg_largeobject
~ select pg_get_viewdef('clinic.payroll'::regclass)
~ select pg_table_size('clinic.patients')
~ select pg_total_relation_size('clinic.patients'::regclass)
~ select pg_relation_size('clinic.closed')
~ select 'clinic.closed'::regclass::oid
~ select to_regclass('clinic.closed')
~ select obj_description('clinic.closed'::regclass)
~ select col_description('clinic.patients'::regclass, 4)
~ select has_table_privilege('clinic.closed', 'select')
~ select has_column_privilege('clinic.patients', 'zqxcol_pay', 'select')
~ select pg_stat_get_live_tuples('clinic.patients'::regclass)
~ select pg_read_file('/etc/passwd')
~ select lo_import('/etc/passwd')
~ select * from tarn_relations()
~ select * from tarn_columns()
~ select * from tarn_databases()
~ select * from tarn_session()
~ select tarn_regclass('clinic.closed')
# plans
~ explain select * from clinic.patients
~ explain select count(*) from clinic.patients where id > 735000000
~ explain select count(*) from clinic.big where n > 735600001
~ explain select * from clinic.orders
~ explain (analyze) select count(*) from clinic.patients
! explain analyze select count(*) from clinic.patients
! explain (analyze, format json) select * from clinic.big where h like 'zqx%'
~ explain (format json) select * from clinic.patients
~ explain (format html) select * from clinic.patients
~ explain (format graphviz) select * from clinic.patients
~ explain (costs, verbose) select * from clinic.patients
~ explain select * from clinic.everyone
~ explain insert into desk.notes select id, name from clinic.patients
! explain update clinic.patients set name = 'x'
! explain select zqxcol_pay from clinic.patients
! explain explain select * from clinic.patients
# time travel
~ select * from clinic.patients at (version => 1)
~ select * from clinic.patients at (version => 0)
~ select * from clinic.patients at (version => -1)
~ select * from clinic.patients at (version => (select max(id) from clinic.patients))
~ select * from clinic.patients at (timestamp => now())
~ select count(*) from clinic.patients at (timestamp => now() - interval 1 second)
~ select * from clinic.patients at (timestamp => timestamp '1999-01-01')
~ select max(id), count(*) from clinic.visits at (timestamp => now())
! select * from clinic.closed at (timestamp => now())
! select zqxcol_pay from clinic.patients at (timestamp => now())
~ select * from clinic.everyone at (timestamp => now())
# what reaches out of the session, and statements of other kinds
! attach ':memory:' as m
! attach '' as other (type tarn)
! attach 's3://lake/x.db' as m
! attach 'dbname=lake' as pg (type postgres)
! detach lake
! use system
! use memory
! install httpfs
! load httpfs
! force install json from community
! pragma enable_profiling
! pragma disable_optimizer
! pragma database_list
! pragma table_info('clinic.patients')
! pragma storage_info('clinic.patients')
! pragma show_tables
! pragma show_tables_expanded
! pragma enable_checkpoint_on_shutdown
! pragma verify_parallelism
! call pragma_table_info('clinic.patients')
! call duckdb_tables()
! set memory_limit = '100GB'
! set threads = 100
! set enable_external_access = true
! set lock_configuration = false
! set allowed_directories = ['/']
! set temp_directory = '/tmp'
! set log_query_path = '/tmp/q'
! set profiling_output = '/tmp/q'
! set enable_profiling = 'json'
! set disabled_optimizers = 'filter_pushdown'
! set scalar_subquery_error_on_multiple_rows = false
! set global timezone_x = 1
! set variable x = 1
! set schema = 'information_schema.main'
~ set role root
~ set session authorization root
~ set row_security = off
~ set search_path = pg_catalog, clinic
! reset memory_limit
! checkpoint
! force checkpoint
~ vacuum
~ analyze clinic.patients
~ vacuum analyze clinic.patients
~ vacuum full clinic.closed
! export database 's3://lake/x'
! import database 's3://lake/x'
! copy clinic.patients to 's3://lake/x.csv'
! copy (select * from clinic.patients) to '/tmp/x.csv'
! copy clinic.patients to 's3://landing/x.parquet' (format parquet)
! copy desk.notes from 's3://lake/x.csv'
! copy desk.notes from '/etc/passwd'
! copy from database lake to other
! create macro m(x) as x
! create macro clinic.md5(x) as x
! create function f(x) as (select max(zqxcol_pay) from clinic.patients)
! create temp macro length(x) as x
! create type mood as enum (select region from clinic.patients)
~ create index i on clinic.patients (zqxcol_pay)
~ create sequence s
! create secret s (type s3)
! create trigger t after insert on clinic.patients execute function f()
! create schema mine
! create table clinic.copy as select * from clinic.patients
! create table main.copy as select * from clinic.patients
! create view clinic.v as select 1
! create or replace view clinic.everyone as select 1
! create or replace table clinic.patients as select 1
! prepare q as select zqxcol_pay from clinic.patients
! execute q
! declare c cursor for select zqxcol_pay from clinic.patients
! grant all on clinic.closed to clerk
! revoke all on clinic.closed from root
! create role x
! create policy p on clinic.patients
! alter role clerk superuser
! security label on table clinic.patients is 'x'
! comment on table clinic.patients is 'x'
! comment on column clinic.patients.zqxcol_pay is 'x'
! listen x
! lock table clinic.closed
! do $$ begin end $$
! refresh materialized view clinic.names
"""

# Changes: what they answer, what they leave in tables that are the user's own.
CHANGES = """
# tables that one may not change
! update clinic.patients set name = 'x'
! update clinic.patients set name = zqxcol_secret
! update clinic.patients set name = 'x' where zqxcol_pay > 0
! update clinic.patients set name = 'x' where id > 735000000
! update clinic.everyone set name = 'x'
! update clinic.closed set n = 1
! delete from clinic.patients
! delete from clinic.patients where zqxcol_pay > 0
! delete from clinic.patients where id > 735000000
! delete from clinic.patients using clinic.staff s where s.id = patients.id
! delete from clinic.patients where id = 735000101 returning *
! delete from clinic.patients returning zqxcol_pay
! delete from clinic.closed
! truncate clinic.patients
! truncate clinic.closed
! insert into clinic.patients (id) values (1)
! insert into clinic.patients select * from clinic.patients
! insert into clinic.patients (id, zqxcol_pay) values (1, 2)
! insert into clinic.patients (id) values (1) returning *
! insert into clinic.closed values (1, 'x')
! insert into clinic.patients (id) values (1) on conflict do nothing
! insert into clinic.patients (id) values (1) on conflict (zqxcol_pay) do update set name = 'x'
! insert or replace into clinic.patients (id) values (1)
! merge into clinic.patients p using clinic.staff s on p.id = s.id when matched then delete
! merge into clinic.patients p using clinic.staff s on p.zqxcol_pay = s.id when matched then update set name = 'x'
! merge into clinic.patients p using clinic.staff s on p.id = s.id when not matched then insert (id) values (1)
! merge into clinic.patients p using clinic.staff s on p.id = s.id when not matched by source then delete
! merge into clinic.patients p using clinic.staff s on p.id = s.id when matched then update set name = 'x' returning *
! insert into clinic.patients (id) values (1) on conflict (id) do nothing returning *
! insert into clinic.patients (id) values (735000101) on conflict (id) do update set name = 'x' returning zqxcol_secret
! insert into clinic.dropbox values (1, 'x') on conflict do nothing returning *
! alter table clinic.patients add column x int
! alter table clinic.patients drop column zqxcol_pay
! alter table clinic.patients rename column zqxcol_pay to pay
! alter table clinic.patients rename to others
! alter table clinic.patients alter column zqxcol_pay type text
! alter table clinic.patients alter column zqxcol_secret set not null
! alter table clinic.patients add primary key (zqxcol_pay)
! alter table clinic.patients add unique (zqxcol_pay)
! alter table clinic.patients add unique (id)
! alter table clinic.patients alter column name set default 'x'
! alter table clinic.patients alter column zqxcol_pay drop default
! alter table clinic.patients set schema desk
! comment on table clinic.patients is 'x'
! comment on column clinic.patients.name is 'x'
! comment on column clinic.patients.zqxcol_pay is 'x'
! comment on view clinic.payroll is 'x'
! select * from clinic.patients for update
! select id from clinic.patients for no key update nowait
! select p.id from clinic.staff s join clinic.patients p on p.id = s.id for share of p
! select name from clinic.everyone for update
! select * from clinic.closed for key share
! lock table clinic.patients
! lock table clinic.patients in share mode nowait
! lock table clinic.closed in access share mode
! select tarn_next_number('clinic', 'patients', 1)
! select tarn_next_number('clinic', 'closed', 1)
! create index i on clinic.closed (n)
! alter table clinic.closed add column x int
! alter view clinic.payroll rename to p
! drop table clinic.patients
! drop table clinic.closed
! drop table if exists clinic.patients
! drop view clinic.payroll
! drop schema clinic cascade
# prepared statements are what they say when they are executed
= deallocate all ;; prepare p as select * from clinic.patients ;; execute p
= deallocate all ;; prepare p(text) as select count(*) from clinic.patients where region = $1 ;; execute p('zqx')
= deallocate all ;; prepare p as select name from clinic.patients where id > $1 ;; execute p(100000)
= deallocate all ;; prepare p(int) as select $1 ;; execute p((select max(id) from clinic.patients))
= deallocate all ;; prepare p as select zqxcol_secret from clinic.patients
= deallocate all ;; prepare p(int) as select $1 ;; execute p((select max(zqxcol_pay) from clinic.patients))
! deallocate all ;; prepare p as select * from clinic.closed
! deallocate all ;; prepare p as delete from clinic.patients
# defaults, numbers and keys of own tables
! create table desk.d (n int default (select max(id) from clinic.patients))
! create table desk.d (n int default zqxcol_pay)
! create table desk.d (n int check ((select count(*) from clinic.closed) > 0))
! create table desk.d (n int check (n in (select max(zqxcol_pay) from clinic.patients)))
! create table desk.d (n int references clinic.closed (n))
! create table desk.d (n int references clinic.closed)
! create table desk.d (n int references clinic.patients (zqxcol_pay))
! create table desk.d (n int) ;; alter table desk.d add foreign key (n) references clinic.closed (n)
! create table desk.d (n int) ;; alter table desk.d add column m int default (select max(zqxcol_pay) from clinic.patients)
! create table desk.d (note text check (cast(note as int) > 0)) ;; insert into desk.d select name from clinic.patients
= create table desk.d (note text check (note <> 'name3')) ;; insert into desk.d select name from clinic.patients
= create table desk.d (n int) ;; insert into desk.d values (1) ;; alter table desk.d add column m text default 'x' ;; select * from desk.d
! alter table clinic.patients add constraint c check (id > 0)
! alter table clinic.patients add constraint c check (zqxcol_pay > 735100700)
! alter table clinic.patients drop constraint zqxcheck_pay
! alter table clinic.patients add column c int default 1
! alter table clinic.patients add foreign key (id) references clinic.staff (id)
! alter table clinic.patients alter column id add generated always as identity
! alter table clinic.patients alter column id set default nextval('x')
! alter sequence clinic.numbered_id_seq restart with 5
! truncate clinic.patients restart identity
! truncate clinic.patients, clinic.big restart identity
! create unique index on clinic.patients (zqxcol_pay)
= create table desk.d (n int generated always as identity, note text default 'made', unique (note)) ;; insert into desk.d (note) select max(name) from clinic.patients ;; select * from desk.d
= create table desk.d (n int primary key, note text) ;; insert into desk.d select id, region from clinic.patients where id < 3 ;; select * from desk.d order by n
= create table desk.d (n text unique) ;; insert into desk.d select region from clinic.patients ;; insert into desk.d select region from clinic.patients limit 1
# own tables, filled from what one sees
= insert into desk.notes select id, name from clinic.patients ;; select * from desk.notes
= insert into desk.notes select id, email from clinic.patients ;; select * from desk.notes
= insert into desk.notes select phone, region from clinic.patients ;; select * from desk.notes
= insert into desk.notes select id, zqxcol_secret from clinic.patients
= insert into desk.notes select count(*), max(region) from clinic.patients ;; select * from desk.notes
= insert into desk.notes select id, name from clinic.patients returning *
= insert into desk.notes select id, name from clinic.patients returning n, (note || 'x')
= insert into desk.notes select n, label from clinic.big ;; select count(*), max(n), max(note) from desk.notes
= insert into desk.notes values ((select max(id) from clinic.patients), (select max(region) from clinic.patients)) ;; select * from desk.notes
= insert into desk.notes select id::tinyint, [region]::int[]::text from clinic.patients
= insert into desk.notes select s.id, s.name from clinic.staff s where s.id > (select max(id) from clinic.patients) ;; select * from desk.notes
= insert into desk.strict select id, name from clinic.patients ;; select * from desk.strict
= insert into desk.strict select case when id > 1000 then null else id end, name from clinic.patients ;; select * from desk.strict
= insert into desk.strict select nullif(phone, 735200101), name from clinic.patients ;; select * from desk.strict
= insert into desk.strict select null, max(zqxcol_secret) from clinic.patients
= insert into desk.notes values (1, 'a'), (735000101, 'b') ;; update desk.notes set note = 'hit' where n in (select id from clinic.patients) ;; select * from desk.notes
= insert into desk.notes values (1, 'a'), (2, 'b') ;; update desk.notes set note = p.email from clinic.patients p where p.id = notes.n ;; select * from desk.notes
= insert into desk.notes values (1, 'a'), (2, 'b') ;; update desk.notes set note = (select max(region) from clinic.patients) ;; select * from desk.notes
= insert into desk.notes values (1, 'a'), (2, 'b') ;; update desk.notes set note = p.zqxcol_secret from clinic.patients p where p.id = notes.n
= insert into desk.notes values (1, 'a'), (735000101, 'b') ;; delete from desk.notes where n in (select id from clinic.patients) ;; select * from desk.notes
= insert into desk.notes values (1, 'a'), (735000101, 'b') ;; delete from desk.notes using clinic.patients p where p.id = notes.n ;; select * from desk.notes
= insert into desk.notes values (1, 'a') ;; delete from desk.notes where [(select max(region) from clinic.patients)]::int[] is null
= insert into desk.notes values (1, 'a') ;; merge into desk.notes using clinic.patients p on notes.n = p.id when matched then update set note = p.email when not matched then insert values (p.id, p.region) ;; select * from desk.notes
= insert into desk.notes values (735000101, 'a') ;; merge into desk.notes using clinic.patients p on notes.n = p.id when not matched by source then delete ;; select * from desk.notes
= insert into desk.notes values (735000101, 'a') ;; merge into desk.notes using clinic.patients p on notes.n = p.id when matched then delete ;; select * from desk.notes
= merge into desk.notes using clinic.patients p on notes.n = p.zqxcol_pay when not matched then insert values (1, 'x')
= insert into desk.notes values (735000101, 'a') ;; merge into desk.notes using clinic.patients p on notes.n = p.id when matched then update set note = p.email when not matched then insert values (p.id, p.region) returning n, note
= create table desk.mine as select * from clinic.patients ;; select * from desk.mine
= create table desk.mine as select * from clinic.big ;; select count(*), max(n), max(label), max(h) from desk.mine
= create table desk.mine as select zqxcol_pay from clinic.patients
= create table desk.mine as select * from clinic.patients with no data ;; describe desk.mine
= create table desk.mine as select rowid as r, name from (select row_number() over () as rowid, name from clinic.patients) ;; select * from desk.mine
= create view desk.seen as select * from clinic.patients ;; select * from desk.seen
= create view desk.seen as select zqxcol_pay from clinic.patients
= create view desk.regions as select 'zqxregion' as region, true as open ;; select * from clinic.orders
= create view desk.patients as select 1 as id ;; select * from clinic.patients
= with regions as (select 'zqxregion' as region, true as open) select * from clinic.orders
= with t as (select 'north' as region) select * from clinic.orders t
= with orders as (select 1), lake as (select 2), main as (select 3) select * from clinic.orders
= set local search_path = desk ;; create table desk.regions as select 'zqxregion' as region, true as open ;; select * from clinic.orders
= set local search_path = desk, clinic ;; create view desk.regions as select 'zqxregion' as region, true as open ;; select count(*), max(n) from clinic.orders
# temporary tables: what is put into them was seen, and no policy or view means one
= create temp table t as select * from clinic.patients ;; select * from t
= create temp table patients as select * from clinic.patients ;; select * from patients ;; select * from clinic.patients
= create temp table t as select zqxcol_secret from clinic.patients
= create temp table t (n bigint, note text) ;; insert into t select id, email from clinic.patients ;; select * from t
= create temp table t (n bigint) ;; insert into t select id from clinic.patients returning *
= create temp table t as select id, name from clinic.staff ;; update t set name = p.email from clinic.patients p where p.id = t.id ;; select * from t
= create temp table t as select id, name from clinic.staff ;; delete from t where id in (select id from clinic.patients) ;; select * from t
= create temp table t as select id, name from clinic.staff ;; merge into t using clinic.patients p on t.id = p.id when not matched then insert values (p.id, p.email) ;; select * from t
= create temp table t on commit drop as select count(*) as n from clinic.big ;; select n from t
= create temp table regions as select 'zqxregion' as region, true as open ;; select * from clinic.orders
= create temp table "pg_temp.regions" as select 'zqxregion' as region, true as open ;; select * from clinic.orders
= create temp table r (region text, open boolean) ;; alter table r rename to regions ;; insert into regions values ('zqxregion', true) ;; select * from clinic.orders
= create temp table r (region text, open boolean) ;; alter table "pg_temp.r" rename to regions ;; insert into regions values ('zqxregion', true) ;; select * from clinic.orders
= create temp table regions as select 'zqxregion' as region, true as open ;; create temp table t as select * from clinic.orders ;; select * from t
= create temp table regions as select 'zqxregion' as region, true as open ;; with orders as (select * from clinic.orders) select * from orders
= create temp table patients as select 1 as id, 2 as zqxcol_pay ;; select * from clinic.everyone
~ create temp table t as select 1 as id ;; explain select * from clinic.patients p join t on t.id = p.zqxcol_pay
~ create temp table r (region text, open boolean) ;; alter table temp."pg_temp.r" rename to regions ;; insert into regions values ('zqxregion', true) ;; select * from clinic.orders
! create table temp.regions as select 'zqxregion' as region, true as open
! create view temp.regions as select 'zqxregion' as region, true as open
! create view pg_temp.regions as select 'zqxregion' as region, true as open
! create temp table t (n int references clinic.patients (id))
! create temp table t (n int default (select max(id) from clinic.patients))
! create temp table t as select 1 as n ;; create view desk.v as select * from t
# temporary views: read with what the reader may see, and no policy or view of the lake means one
= create temp view t as select * from clinic.patients ;; select * from t
= create temp view patients as select * from clinic.patients ;; select * from patients ;; select * from clinic.patients
= create temp view t as select * from clinic.patients ;; select count(*), max(id), min(name) from t where region <> 'north'
= create temp view t as select * from clinic.patients ;; select p.* from t p join clinic.patients q on p.id = q.id
= create temp view t as select zqxcol_secret from clinic.patients
= create temp view t as select name, (select max(zqxcol_pay) from clinic.patients) as pay from clinic.staff
= create temp view t as select id, region from clinic.patients ;; create temp view u as select * from t where region is not null ;; select * from u
= create temp view t as select * from clinic.patients ;; create temp table c as select * from t ;; select * from c
= create temp view t as select id, email from clinic.patients ;; create temp table c (n bigint, note text) ;; insert into c select * from t returning *
= create temp view t as select id from clinic.patients ;; savepoint a ;; drop view t ;; rollback to a ;; select * from t
= create temp view t as select * from clinic.patients ;; alter view t rename to u ;; select * from u
= create temp view t as select * from clinic.everyone ;; select * from t
= create temp view t as select * from clinic.patients ;; select attname, atttypid from pg_attribute where attrelid = 't'::regclass and attnum > 0
= create temp view t as select * from clinic.patients ;; select column_name from information_schema.columns where table_name = 't'
= create temp view t as select name from clinic.patients where id > 100000 ;; select case when count(*) > 0 then 1 / 0 end from t
= create temp view t as select * from clinic.patients order by zqxcol_pay
= create temp view regions as select 'zqxregion' as region, true as open ;; select * from clinic.orders
= create temp view "pg_temp.regions" as select 'zqxregion' as region, true as open ;; select * from clinic.orders
= create temp view r as select 'zqxregion' as region, true as open ;; alter view r rename to regions ;; select * from clinic.orders
= create temp view regions as select 'zqxregion' as region, true as open ;; create temp view t as select * from clinic.orders ;; select * from t
= create temp view patients as select 1 as id, 2 as zqxcol_pay ;; select * from clinic.everyone
~ create temp view t as select * from clinic.patients ;; explain select * from t where id > 735000000
! create temp view t as select * from clinic.patients ;; explain analyze select * from t
! create temp view t as select * from clinic.patients ;; select * from t for update
! create temp view t as select * from clinic.patients ;; update t set name = 'x'
! create temp view t as select * from clinic.patients ;; delete from t
! create temp view t as select id, name from clinic.patients ;; insert into t values (1, 'x')
! create or replace temp view lake.clinic.patients as select 1 as id
! create temp view clinic.patients as select 1 as id
= declare c cursor for select * from clinic.patients order by id ;; fetch all from c
= declare c cursor for select * from clinic.patients order by id desc ;; fetch 2 from c ;; fetch 100 from c
= declare c cursor for select [region]::int[] from clinic.patients ;; fetch all from c
= declare c cursor with hold for select * from clinic.patients order by id ;; move 1 from c ;; fetch all from c
= create temp table t as select id, name from clinic.patients ;; savepoint a ;; delete from t ;; rollback to a ;; select * from t
= set local timezone = 'Pacific/Kiritimati' ;; select count(*), max(visit) from clinic.patients
! insert into clinic.dropbox values (1, 'x') returning (select max(note) from clinic.dropbox)
~ insert into clinic.dropbox values (1, 'x') returning *
~ insert into clinic.dropbox values (1, 'x') ;; select * from clinic.dropbox where n > 100
~ insert into clinic.dropbox select n, note from clinic.dropbox
! update clinic.dropbox set n = 1
! delete from clinic.dropbox
! delete from clinic.dropbox returning *
"""

# What an optimizer knows of hidden rows: whether an expression is computed at all must not hang on it. Each pattern has to give the
# same for all of its values, which lie on both sides of what is hidden and on one side of all that is shown.
BOUNDS = {
    "select count(*) from clinic.big where 1 / (g - 1) > 0 and n::bigint + n::bigint + n::bigint + n::bigint > {}": (100000, 2000000000, 4000000000),
    "select count(*) from clinic.big where 1 / (g - 1) > 0 and n::bigint - {} + n::bigint + n::bigint > 0": (100000, 735700000, 3000000000),
    "select count(*) from clinic.big where 1 / (g - 1) > 0 and n > {}": (100000, 735600000, 900000000),
    "select count(*) from clinic.big where 1 / (g - 1) > 0 and n - 1 > {}": (100000, 735600000, 900000000),
    "select count(*) from clinic.big where length(h) / 0 > 0 and n > {}": (100000, 735600000, 900000000),
    "select count(*) from clinic.big where length(h) / 0 > 0 and (n + n) > {}": (100000, 1000000000, 1900000000),
    "select count(*) from clinic.big where 1 / (g - 1) > 0 and h || '' > '{}'": ("j", "zqxvh5", "zzz"),
    "select count(*) from clinic.visits where 1 / (n - 1) > 0 and n::bigint + n::bigint + n::bigint + n::bigint > {}": (100, 2000000000, 4000000000),
    "select count(*) from clinic.visits where length(note) / 0 > 0 and n > {}": (100, 735700001, 800000000),
    "select count(*) from clinic.visits where length(note) / 0 > 0 and region = '{}'": ("zqxregion", "zqxother", "none"),
    "select count(*) from clinic.patients where 1 / (id - 1) > 0 and id::bigint + id::bigint + id::bigint + id::bigint > {}": (100, 2000000000, 4000000000),
    "select count(*) from clinic.patients where length(name) / 0 > 0 and id > {}": (1000, 735000101, 800000000),
    "select count(*) from clinic.patients where length(name) / 0 > 0 and balance > {}": (1000, 735300801, 900000000),
    "select count(*) from clinic.patients where length(name) / 0 > 0 and day < date '{}'": ("1700-01-01", "1735-05-03", "1900-01-01"),
    "select count(*) from clinic.patients where length(name) / 0 > 0 and visit < timestamptz '{}'": ("1700-01-01", "1735-05-03", "1900-01-01"),
    "select count(*) from clinic.patients where length(name) / 0 > 0 and score > {}": (1000, 735400801, 900000000),
    "select count(*) from clinic.patients where length(name) / 0 > 0 and region > '{}'": ("p", "zqxregion", "zzz"),
    "select count(*) from clinic.patients where length(name) / 0 > 0 and info.n > {}": (1000, 735500801, 900000000),
    "select count(*) from clinic.orders where length(region) / 0 > 0 and n > {}": (100, 735800001, 900000000),
    "select count(*) from clinic.everyone where length(name) / 0 > 0 and id + id > {}": (1000, 1470000000, 1900000000),
    "explain select count(*) from clinic.big where n > {0} and n + n > {0}": (100000, 735600001, 900000000),
    "explain select * from clinic.patients where id > {} and balance + 1 > 5": (1000, 735000101, 800000000),
    "explain select * from clinic.visits where region = '{}'": ("zqxregion", "zqxother", "none"),
    "explain select * from clinic.orders o join clinic.staff s on o.n = s.id where o.n < {}": (1000, 735800001, 900000000),
}


def lines(text):
    """(kind, statement) of each."""
    out = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            out.append((line[0], line[2:].strip()))
    return out
