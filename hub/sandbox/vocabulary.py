"""The retailer's words in French, English and German: what a garment is called, made of and where it hangs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Texts = Mapping[str, str]  # by locale: fr, en, de

BRANDS = ("Maison Omni", "Atelier Rivoli", "Côte & Fils")
MODELS = (
    "Capucine", "Marius", "Odile", "Théo", "Solène", "Gaspard", "Inès", "Loïc",
    "Maëlle", "Bastien", "Noémie", "Côme", "Agnès", "Émile", "Héloïse", "Zoé",
)  # fmt: skip


def _texts(fr: str, en: str, de: str) -> Texts:
    return {"fr": fr, "en": en, "de": de}


COLOUR_TEXTS: Mapping[str, Texts] = {
    "BLU": _texts("bleu", "blue", "blau"),
    "NOI": _texts("noir", "black", "schwarz"),
    "BLA": _texts("blanc", "white", "weiß"),
    "ROU": _texts("rouge", "red", "rot"),
    "VER": _texts("vert", "green", "grün"),
    "ECR": _texts("écru", "ecru", "ecru"),
    "GRI": _texts("gris", "grey", "grau"),
    "CAM": _texts("camel", "camel", "camel"),
}
DETAIL = _texts("détail", "detail", "Detail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Garment:
    """A family of articles in the retailer's words."""

    name: Texts
    material: Texts
    category: str
    cut: Texts  # half a sentence of the description


COTTON = _texts("100 % coton", "100% cotton", "100 % Baumwolle")
WOOL = _texts("80 % laine, 20 % polyamide", "80% wool, 20% polyamide", "80 % Wolle, 20 % Polyamid")
GARMENTS: Mapping[str, Garment] = {
    "TS": Garment(
        name=_texts("T-shirt été", "Summer T-shirt", "Sommer-T-Shirt"),
        material=COTTON,
        category="women/tops",
        cut=_texts("col rond et manches courtes", "crew neck and short sleeves", "Rundhals und kurze Ärmel"),
    ),
    "JN": Garment(
        name=_texts("Jean brut", "Raw denim jeans", "Jeans aus Rohdenim"),
        material=_texts("98 % coton, 2 % élasthanne", "98% cotton, 2% elastane", "98 % Baumwolle, 2 % Elasthan"),
        category="men/jeans",
        cut=_texts("coupe droite, cinq poches", "straight cut, five pockets", "gerader Schnitt, fünf Taschen"),
    ),
    "CH": Garment(
        name=_texts("Chemise à rayures", "Striped shirt", "Gestreiftes Hemd"),
        material=COTTON,
        category="men/shirts",
        cut=_texts("col italien, poignets boutonnés", "spread collar, buttoned cuffs", "Kentkragen, Knopfmanschetten"),
    ),
    "RB": Garment(
        name=_texts("Robe légère", "Light dress", "Leichtes Kleid"),
        material=_texts("100 % viscose", "100% viscose", "100 % Viskose"),
        category="women/dresses",
        cut=_texts("taille élastique, longueur midi", "elastic waist, midi length", "elastische Taille, Midilänge"),
    ),
    "PU": Garment(
        name=_texts("Pull côtelé", "Ribbed jumper", "Rippenpullover"),
        material=WOOL,
        category="women/knitwear",
        cut=_texts("grosses côtes, coupe ample", "wide ribs, relaxed fit", "breite Rippen, weiter Schnitt"),
    ),
    "MA": Garment(
        name=_texts("Manteau déperlant", "Water-repellent coat", "Wasserabweisender Mantel"),
        material=_texts("100 % polyester recyclé", "100% recycled polyester", "100 % recyceltes Polyester"),
        category="men/coats",
        cut=_texts(
            "capuche amovible, doublure chaude", "detachable hood, warm lining", "abnehmbare Kapuze, warm gefüttert"
        ),
    ),
    "BA": Garment(
        name=_texts("Basket toilée", "Canvas trainers", "Leinen-Sneaker"),
        material=_texts("Toile de coton, semelle gomme", "Cotton canvas, rubber sole", "Baumwollstoff, Gummisohle"),
        category="accessories/shoes",
        cut=_texts("semelle souple, lacets ronds", "supple sole, round laces", "weiche Sohle, runde Schnürsenkel"),
    ),
    "EC": Garment(
        name=_texts("Écharpe maïs", "Corn yellow scarf", "Maisgelber Schal"),
        material=WOOL,
        category="accessories/scarves",
        cut=_texts("franges courtes, 180 cm", "short fringes, 180 cm", "kurze Fransen, 180 cm"),
    ),
}


def describe(garment: Garment, model: str) -> Texts:
    """Two sentences a language; HTML, as PIMs hold it."""
    return {
        "fr": f"<p>{garment.name['fr']} {model} : {garment.cut['fr']}.</p><p>{garment.material['fr']}.</p>",
        "en": f"<p>{garment.name['en']} {model}: {garment.cut['en']}.</p><p>{garment.material['en']}.</p>",
        "de": f"<p>{garment.name['de']} {model}: {garment.cut['de']}.</p><p>{garment.material['de']}.</p>",
    }
