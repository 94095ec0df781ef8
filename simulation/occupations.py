# ruff: noqa: E501 -- a table, one row a line
"""Occupations: what jobs are called, where they are done, what they pay, and whether a licence is needed.

A *kind* is an occupation in a setting ("Nurse, ICU"): the unit in which people's tastes are expressed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.draws import Ints

SETTINGS_PER_FAMILY = 4
OCCUPATIONS_PER_FAMILY = 4

_FAMILIES = """
nursing | Registered Nurse 74 L; Nurse Practitioner 104 L; Licensed Practical Nurse 52 L; Nursing Assistant 35 - | ICU; Emergency Room; Pediatrics; Surgery | patients vital signs ward clinical
care | Caregiver 31 -; Home Health Aide 30 -; Companion for Seniors 29 -; Respite Care Worker 32 - | Home Visits; Assisted Living; Memory Care; Hospice | residents meals bathing mobility
retail | Sales Associate 31 -; Cashier 28 -; Store Manager 56 -; Visual Merchandiser 39 - | Fashion; Grocery; Electronics; Furniture | customers till shelves display
warehouse | Order Picker 34 -; Forklift Operator 40 L; Shipping Clerk 37 -; Warehouse Supervisor 55 - | Cold Storage; Parcel Hub; Pharmacy Logistics; Automotive Parts | pallets scanner inventory dock
driving | Delivery Driver 38 -; Truck Driver 58 L; School Bus Driver 36 L; Courier 34 - | Local Routes; Long Haul; Refrigerated; Furniture Delivery | route vehicle loading deliveries
kitchen | Line Cook 34 -; Pastry Chef 42 -; Dishwasher 27 -; Sous Chef 52 - | Bistro; Hotel; Hospital Cafeteria; Sushi Bar | kitchen menu prep hygiene
office | Administrative Assistant 42 -; Receptionist 34 -; Data Entry Clerk 36 -; Office Manager 58 - | Law Firm; Medical Practice; University; Real Estate | calendar phone filing correspondence
software | Backend Developer 118 -; Frontend Developer 108 -; Data Engineer 122 -; QA Engineer 88 - | Python; Java; Fintech; Games | code review deployment tests services
finance | Accountant 68 -; Bookkeeper 46 -; Payroll Specialist 52 -; Financial Analyst 82 - | Tax; Nonprofit; Manufacturing; Banking | ledgers reconciliation month-end reporting
trades | Electrician 62 L; Plumber 61 L; Carpenter 52 -; HVAC Technician 58 L | Residential; Commercial; Solar; Maintenance | tools wiring repair site
teaching | Preschool Teacher 36 L; Math Teacher 58 L; Teaching Assistant 30 -; Tutor 38 - | Montessori; Public School; Special Needs; After School | classroom children lessons parents
security | Security Guard 35 -; Patrol Officer 40 L; Surveillance Operator 38 -; Event Steward 30 - | Hospital Campus; Shopping Mall; Airport; Data Center | patrol incidents access monitoring
"""


@dataclass(frozen=True)
class Occupation:
    """`pay_k` is the usual yearly pay in thousands of the local currency."""

    name: str
    family: int
    pay_k: float
    licence: bool


@dataclass(frozen=True)
class Family:
    """A field of work: its settings appear in titles, its words in texts and queries."""

    name: str
    settings: tuple[str, ...]
    words: tuple[str, ...]


def _read(table: str) -> tuple[tuple[Family, ...], tuple[Occupation, ...]]:
    families, occupations = [], []
    for number, line in enumerate(table.strip().splitlines()):
        name, jobs, settings, words = (part.strip() for part in line.split("|"))
        families.append(Family(name, tuple(settings.split("; ")), tuple(words.split())))
        for job in jobs.split("; "):
            title, pay, licence = job.rsplit(" ", 2)
            occupations.append(Occupation(title, number, float(pay), licence == "L"))
    return tuple(families), tuple(occupations)


FAMILIES, OCCUPATIONS = _read(_FAMILIES)
KINDS = len(OCCUPATIONS) * SETTINGS_PER_FAMILY
OCCUPATION_OF: Ints = np.arange(KINDS) // SETTINGS_PER_FAMILY
SETTING_OF: Ints = np.arange(KINDS) % SETTINGS_PER_FAMILY
FAMILY_OF: Ints = OCCUPATION_OF // OCCUPATIONS_PER_FAMILY


def setting_name(kind: int) -> str:
    """The setting of a kind, as in titles.

    >>> OCCUPATIONS[OCCUPATION_OF[0]].name, setting_name(0)
    ('Registered Nurse', 'ICU')
    """
    return FAMILIES[int(FAMILY_OF[kind])].settings[int(SETTING_OF[kind])]
