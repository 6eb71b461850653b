"""Company identifiers this project speaks about: those of the formats it knows and of the chip makers it bridges to.

Source: Bluetooth Assigned Numbers 7.1 "Company Identifiers", state of January 2026. The full list has more than
3000 rows; an identifier that is not here is shown as its number. Data only.
"""

from __future__ import annotations

from typing import Final

__all__ = ["COMPANIES", "company_name"]

COMPANIES: Final[dict[int, str]] = {
    0x0002: "Intel",
    0x0006: "Microsoft",
    0x000D: "Texas Instruments",
    0x000F: "Broadcom",
    0x001D: "Qualcomm",
    0x004C: "Apple",
    0x0059: "Nordic Semiconductor",
    0x0075: "Samsung Electronics",
    0x0087: "Garmin International",
    0x00DC: "Procter & Gamble",
    0x00E0: "Google",
    0x0118: "Radius Networks",
    0x0131: "Cypress Semiconductor",
    0x0157: "Anhui Huami Information Technology",
    0x0171: "Amazon.com Services",
    0x0225: "Nestlé Nespresso",
    0x02E5: "Espressif Systems",
    0x038F: "Xiaomi",
    0x0499: "Ruuvi Innovations",
    0x0969: "Woan Technology",
    0xFFFF: "for internal tests only",
}


def company_name(identifier: int) -> str | None:
    """Name of a company, None when it is not in the table."""
    return COMPANIES.get(identifier)
