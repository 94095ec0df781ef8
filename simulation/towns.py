# ruff: noqa: E501 -- a table, one row a line
"""Twelve real metropolitan areas, five towns each, with coordinates in degrees (WGS 84) and IANA time zones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.draws import Floats, Ints

EARTH_RADIUS_KM = 6371.0

_METROS = """
US IL America/Chicago USD | Chicago 41.8781 -87.6298; Evanston 42.0451 -87.6877; Naperville 41.7508 -88.1535; Joliet 41.5250 -88.0817; Schaumburg 42.0334 -88.0834
US MA America/New_York USD | Boston 42.3601 -71.0589; Cambridge 42.3736 -71.1097; Quincy 42.2529 -71.0023; Worcester 42.2626 -71.8023; Lowell 42.6334 -71.3162
US TX America/Chicago USD | Dallas 32.7767 -96.7970; Fort Worth 32.7555 -97.3308; Plano 33.0198 -96.6989; Arlington 32.7357 -97.1081; Denton 33.2148 -97.1331
GB ENG Europe/London GBP | London 51.5074 -0.1278; Croydon 51.3762 -0.0982; Watford 51.6565 -0.3903; Slough 51.5105 -0.5950; Luton 51.8787 -0.4200
US CO America/Denver USD | Denver 39.7392 -104.9903; Aurora 39.7294 -104.8319; Boulder 40.0150 -105.2705; Lakewood 39.7047 -105.0814; Longmont 40.1672 -105.1019
DE BE Europe/Berlin EUR | Berlin 52.5200 13.4050; Potsdam 52.3906 13.0645; Oranienburg 52.7548 13.2370; Bernau 52.6786 13.5870; Falkensee 52.5584 13.0915
US CA America/Los_Angeles USD | Los Angeles 34.0522 -118.2437; Long Beach 33.7701 -118.1937; Pasadena 34.1478 -118.1445; Anaheim 33.8366 -117.9143; Torrance 33.8358 -118.3406
FR IDF Europe/Paris EUR | Paris 48.8566 2.3522; Versailles 48.8014 2.1301; Saint-Denis 48.9362 2.3574; Créteil 48.7904 2.4556; Évry 48.6243 2.4294
US GA America/New_York USD | Atlanta 33.7490 -84.3880; Marietta 33.9526 -84.5499; Decatur 33.7748 -84.2963; Roswell 34.0232 -84.3616; Sandy Springs 33.9304 -84.3733
NL NH Europe/Amsterdam EUR | Amsterdam 52.3676 4.9041; Utrecht 52.0907 5.1214; Haarlem 52.3874 4.6462; Leiden 52.1601 4.4970; Almere 52.3508 5.2647
ES MD Europe/Madrid EUR | Madrid 40.4168 -3.7038; Getafe 40.3083 -3.7327; Alcalá de Henares 40.4820 -3.3635; Móstoles 40.3223 -3.8650; Leganés 40.3281 -3.7635
IE L Europe/Dublin EUR | Dublin 53.3498 -6.2603; Swords 53.4597 -6.2181; Bray 53.2028 -6.0983; Naas 53.2159 -6.6669; Drogheda 53.7179 -6.3561
"""


@dataclass(frozen=True)
class Town:
    """One town; `metro` is the number of its metropolitan area, in the order of the table."""

    name: str
    region: str
    country: str
    lat: float
    lon: float
    tz: str
    currency: str
    metro: int

    def location(self) -> dict[str, str | float]:
        """As in DESIGN §3."""
        return {"lat": self.lat, "lon": self.lon, "city": self.name, "region": self.region, "country": self.country}


def _read(table: str) -> tuple[Town, ...]:
    towns = []
    for metro, line in enumerate(table.strip().splitlines()):
        head, _, places = line.partition(" | ")
        country, region, tz, currency = head.split()
        for place in places.split("; "):
            name, lat, lon = place.rsplit(" ", 2)
            towns.append(Town(name, region, country, float(lat), float(lon), tz, currency, metro))
    return tuple(towns)


TOWNS: tuple[Town, ...] = _read(_METROS)
METROS = TOWNS[-1].metro + 1
METRO_OF: Ints = np.array([t.metro for t in TOWNS], dtype=np.int64)


def distances_km() -> Floats:
    """Great-circle distance between every two towns (haversine), shape (towns, towns).

    >>> round(float(distances_km()[0, 1]))  # Chicago to Evanston
    19
    """
    lat = np.radians([t.lat for t in TOWNS])
    lon = np.radians([t.lon for t in TOWNS])
    h = (
        np.sin((lat[:, None] - lat[None, :]) / 2) ** 2
        + np.cos(lat[:, None]) * np.cos(lat[None, :]) * np.sin((lon[:, None] - lon[None, :]) / 2) ** 2
    )
    out: Floats = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(h))
    return out
