"""Money: exact decimals, and currencies with as many decimals as each of them has; never a float."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

# ISO 4217, list one, without the codes for metals, funds, testing (XTS) and "no currency" (XXX).
_CODES = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR
    ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT
    MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD
    SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES
    VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CODES.split())
_WITHOUT = frozenset(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"))
_WITHOUT |= frozenset(("PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"))
_WITH_THREE = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))


def decimals(currency: str) -> int:
    """Decimals of ``currency`` by ISO 4217: the yen has none, the Tunisian dinar three."""
    return 0 if currency in _WITHOUT else 3 if currency in _WITH_THREE else 2


def exact(amount: str, currency: str) -> bool:
    """Whether ``amount`` needs no more decimals than ``currency`` has; zeros at the end do not count."""
    _, _, fraction = amount.partition(".")
    return len(fraction.rstrip("0")) <= decimals(currency)


def written(amount: Decimal, currency: str) -> str:
    """``19.90``: with all the decimals of ``currency``, so that two systems' words can be compared as text."""
    return str(amount.quantize(Decimal(1).scaleb(-decimals(currency)), rounding=ROUND_HALF_UP))
