from tests.integration.warehouses.support.places.bigquery import BIGQUERY
from tests.integration.warehouses.support.places.fixtures import fixtures_of

served, place, store = fixtures_of(BIGQUERY)
