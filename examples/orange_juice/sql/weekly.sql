-- Units instead of their logarithm; each brand's own price and how it stands to the others of the store and week.
with prices as (
  select *, [price1, price2, price3, price4, price5, price6, price7, price8, price9, price10, price11] as all_prices
  from shop.sales
)
select store, brand, week, round(exp(logmove)) as units, deal, feat,
       list_extract(all_prices, brand) as price,
       list_extract(all_prices, brand) / list_avg(all_prices) as price_to_mean,
       list_extract(all_prices, brand) / list_min(all_prices) as price_to_least
from prices
