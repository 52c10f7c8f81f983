-- What each store sold of each product a day, with what was known of the day.
select s.sold_at::date as day, s.store_id, s.product_id,
       sum(s.units)::bigint as units,
       sum(s.amount)::bigint as revenue,
       max(case when s.promo then 1 else 0 end)::int as promo,
       max(w.temp_c) as temp_c
from erp.sales s
join erp.stores st on st.store_id = s.store_id
left join weather w on w.day = s.sold_at::date and w.region = st.region
group by 1, 2, 3
