from tests.integration.warehouses.support.places.fixtures import fixtures_of
from tests.integration.warehouses.support.places.snowflake import SNOWFLAKE

served, place, store = fixtures_of(SNOWFLAKE)
