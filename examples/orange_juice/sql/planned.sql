-- What is known ahead of each week: prices and promotions, not sales.
select store, brand, week, price, price_to_mean, price_to_least, deal, feat from weekly
