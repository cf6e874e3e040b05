from tests.integration.warehouses.support.places.fixtures import fixtures_of
from tests.integration.warehouses.support.places.redshift import REDSHIFT

served, place, store = fixtures_of(REDSHIFT)
