from tests.integration.warehouses.support.places.fixtures import fixtures_of
from tests.integration.warehouses.support.places.postgres import POSTGRES

served, place, store = fixtures_of(POSTGRES)
