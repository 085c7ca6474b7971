"""The web console of the operator and of the editors: `./sirenade console`.

A screen is a module in `screens/`, with a template in `templates/`:

    TEXTS = Screen("Textes", "/textes")                 # its entry in the menu, for Right.LOOK

    @TEXTS.get("/textes/{siret}", Right.LOOK)
    def show(visit: Visit) -> Response:
        with visit.reading() as connections:            # the control database, then other shards
            rows = texts.search(connections, visit.word("q"))
        return visit.page("texts", rows=rows)

    @TEXTS.post("/textes/{siret}/retenir", Right.EDIT)
    def hold(visit: Visit) -> Response:
        if not visit.is_confirmed:                      # before what cannot be undone
            return visit.ask("Retenir ce texte ?", "Retenir", back="/textes")
        with visit.writing() as (control, *shards):     # a transaction in each
            order_id = place_order(…)                   # the function of the command line
            visit.note(control, "avis.hold", f"siret {siret}")
        return visit.done("/textes", "Le texte est retenu.")

Then name it in `screens/__init__.py`, in the order of the menu. `visit.word`, `visit.number` and
`visit.all` read the query of a GET and the form of a POST. `visit.may("edit")` says in a template
who sees a button. Raise `VisitRefused(409, "…")`, in French; a `UserError` of a shared function
is shown with its reason. Each form stands in `form` or `button` of `forms.html.j2`, which add the
session's token; `live=true` lets a script replace `#main` by that of the answer, `part` looks at a
part of the page anew. Tables stand in `<div class="scroll" tabindex="0" role="region"
aria-label="…">`; lists go by keys (`pager`), counts are capped. Scripts stand in `static/`, never
in a page. What the role `console` may do in PostgreSQL stands in `shared/roles/privileges.py`.
"""
