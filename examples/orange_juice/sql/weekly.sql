-- Units instead of their logarithm; each brand's own price and how it stands to the others of the store and week.
with priced as (
  select store, brand, week, exp(logmove) as units, deal::int as deal, feat,
         case brand when 1 then price1 when 2 then price2 when 3 then price3 when 4 then price4 when 5 then price5
                    when 6 then price6 when 7 then price7 when 8 then price8 when 9 then price9 when 10 then price10
                    else price11 end as price,
         (price1 + price2 + price3 + price4 + price5 + price6 + price7 + price8 + price9 + price10 + price11) / 11 as price_mean
  from shop.sales
)
select store, brand, week, units, deal, feat, price, price / price_mean as price_ratio from priced
