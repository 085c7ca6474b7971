"""The answers of the API, as they are sent and as the OpenAPI describes them.

The names of fields are those of API Recherche d'entreprises where it has one.
"""

import datetime as dt
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Etat = Literal["A", "F"]
Genre = Literal["opened", "changed", "closed", "erased", "text"]


class Reponse(BaseModel):
    """Fields of every answer: they say where its data come from."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(description="La source des données, à citer (Licence Ouverte)")
    a_jour_au: dt.date | None = Field(
        description="Le jour jusqu'auquel les données sont complètes ; null tant que rien ne le dit"
    )


class Resultat(BaseModel):
    """Un établissement d'une liste."""

    siret: str
    siren: str
    nom: str
    activite_principale: str
    libelle_activite: str | None
    code_commune: str
    libelle_commune: str | None
    code_postal: str | None
    etat: Etat = Field(description="A : actif, F : fermé")
    siege: bool
    page: str | None = Field(description="L'adresse de la page ; null d'un établissement fermé")
    distance_m: int | None = Field(description="La distance du point demandé, en mètres")


class Facette(BaseModel):
    valeur: str
    nombre: int


class Compris(BaseModel):
    """Ce que la recherche a compris des mots de `q`."""

    corrections: dict[str, str] = Field(description="Le mot tapé, et celui qui est cherché")
    ignores: list[str] = Field(description="Les mots qui n'ont pas compté")
    communes: list[str] = Field(description="Les codes des communes que des mots nomment")
    activites: list[str] = Field(description="Les codes des activités que des mots désignent")


class RechercheReponse(Reponse):
    resultats: list[Resultat]
    total: int
    total_exact: bool = Field(description="false : il y en a au moins `total`")
    compris: Compris | None
    facettes: dict[str, list[Facette]]
    curseur: str | None = Field(description="Le curseur de la suite ; null à la fin")


class ListeReponse(Reponse):
    resultats: list[Resultat]
    total: int
    total_exact: bool
    curseur: str | None


class Suggestion(BaseModel):
    texte: str
    siret: str
    libelle_commune: str | None
    page: str | None


class SuggestionsReponse(Reponse):
    suggestions: list[Suggestion]


class Adresse(BaseModel):
    """L'adresse ; la voie n'est pas donnée pour un entrepreneur individuel."""

    voie: str | None
    code_postal: str | None
    code_commune: str | None
    libelle_commune: str | None
    departement: str | None
    region: str | None


class UniteFiche(BaseModel):
    """Une unité légale ; non diffusible, elle n'a que son numéro et son état."""

    siren: str
    diffusible: bool
    nom: str | None
    sigle: str | None
    nature_juridique: str | None
    libelle_nature_juridique: str | None
    etat_administratif: Literal["A", "C"] | None = Field(description="A : active, C : cessée")
    date_creation: dt.date | None
    tranche_effectif_salarie: str | None
    annee_effectif_salarie: int | None
    categorie_entreprise: str | None
    economie_sociale_solidaire: bool | None
    societe_mission: bool | None


class EtablissementFiche(BaseModel):
    """Un établissement ; non diffusible, il n'a que son numéro, son état et sa commune."""

    siret: str
    siren: str
    diffusible: bool
    nom: str | None
    enseigne: str | None
    etat: Etat
    siege: bool
    activite_principale: str | None
    libelle_activite: str | None
    date_creation: dt.date | None
    tranche_effectif_salarie: str | None
    libelle_effectif: str | None
    annee_effectif_salarie: int | None
    adresse: Adresse
    unite: UniteFiche
    page: str | None = Field(description="null : l'établissement est fermé, ou n'a pas de page")


class EtablissementReponse(Reponse):
    etablissement: EtablissementFiche


class Lien(BaseModel):
    """Un établissement d'une unité."""

    siret: str
    nom: str | None
    etat: Etat
    siege: bool
    activite_principale: str | None
    code_commune: str | None
    libelle_commune: str | None
    page: str | None


class UniteReponse(Reponse):
    unite: UniteFiche
    etablissements: list[Lien]
    curseur: str | None


class Texte(BaseModel):
    """Le texte d'une page, avec la mention qui doit l'accompagner."""

    texte: str
    mention: str = Field(description="Comment le texte a été fait : à montrer avec lui")
    provenance: dict[str, object] = Field(description="JSON-LD")
    accepte_le: dt.datetime


class PageReponse(Reponse):
    adresse: str
    etablissement: EtablissementFiche
    notice: Texte | None
    synthese: Texte | None


class Changement(BaseModel):
    """Un changement ; `erased` n'a que le numéro : ce qui était copié est à effacer."""

    id: str
    genre: Genre
    siret: str
    change_le: dt.datetime
    page: str | None = None


class ChangementsReponse(Reponse):
    changements: list[Changement]
    suite: str = Field(description="À renvoyer comme `depuis`")


class Faute(BaseModel):
    parametre: str
    detail: str


class Probleme(BaseModel):
    """Un problème (RFC 9457)."""

    type: str = Field(description="/problemes/GENRE, ou about:blank")
    title: str
    status: int
    detail: str | None = None
    erreurs: list[Faute] | None = None
