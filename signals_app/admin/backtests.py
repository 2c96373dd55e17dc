"""Backtests and sweeps in the admin: asked for, watched while they run, read when they are done."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST
from unfold.decorators import action

from foundation.admin.facts import FactAdmin
from signals_app.admin.backtest_forms import BacktestForm, SweepForm
from signals_app.backtest import metrics, report
from signals_app.models import BacktestReport, BacktestRun, BacktestSweep, BacktestTrial
from signals_app.services import backtest_report, backtests, sweeps
from signals_app.services.backtest_plan import Wish
from signals_app.services.backtests import NotPossible

MAY_RUN = "signals_app.run_backtest"
HEAT_FULL = 2.0  # the Sharpe ratio from which a cell of the heat map has its full colour
View = Callable[..., HttpResponse]


class JobAdmin(FactAdmin):
    """What runs of one backtest and sweeps have in common."""

    list_filter = ("status",)
    search_fields = ("strategy_id__exact", "symbol__exact")
    search_help_text = "Strategy or symbol, exactly"
    actions_list = ["new_one"]  # type: ignore[assignment]
    form_page: type[BacktestForm] = BacktestForm
    form_title = "New backtest"

    @action(description="New", permissions=["run"])  # type: ignore[operator]
    def new_one(self, request: HttpRequest) -> HttpResponse:  # noqa: ARG002
        return redirect(self._url("new"))

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Say who may start one; a permission named in the action would be looked up in the
        database by the system checks, before there is one."""
        return bool(request.user.has_perm(MAY_RUN))

    def get_urls(self) -> list[URLPattern]:
        def door(view: View, way: str, name: str) -> URLPattern:
            return path(way, self.admin_site.admin_view(view), name=self._name(name))

        return [
            door(self._new, "new/", "new"),
            door(self._add, "add/", "add"),
            door(self._progress, "<int:pk>/progress/", "progress"),
            door(require_POST(self._cancel), "<int:pk>/cancel/", "cancel"),
            *self._more_urls(door),
            *super().get_urls(),
        ]

    def _more_urls(self, door: Callable[[View, str, str], URLPattern]) -> list[URLPattern]:  # noqa: ARG002
        return []

    # ---- doors -------------------------------------------------------------------------------

    def _new(self, request: HttpRequest) -> HttpResponse:
        _must_run(request)
        form = self.form_page(request.POST or None)
        if request.method == "POST" and form.is_valid():
            made = form.ask(partial(self._ask, request, form))
            if made is not None:
                job, is_new = made
                if not is_new:
                    messages.info(request, "The same one runs already: here it is.")
                return redirect(self._url("change", job.pk))
        context = {
            **self.admin_site.each_context(request),
            "title": self.form_title,
            "form": form,
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "admin/signals_app/backtest_new.html", context)

    def _add(self, request: HttpRequest) -> HttpResponse:  # noqa: ARG002
        """Lead from where Django has the form of a new row to ours."""
        return redirect(self._url("new"))

    def _progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Answer the page that watches: a bar, or the word to load itself anew."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = get_object_or_404(self.model, pk=pk)
        context = {"job": job, "progress_url": self._url("progress", pk)}
        answer = TemplateResponse(request, "admin/signals_app/backtest_progress.html", context)
        if not job.is_active:
            answer["HX-Refresh"] = "true"
        return answer

    def _cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._act(request, pk, self._cancelled, "Cancelled.")

    def _act(
        self, request: HttpRequest, pk: int, acting: Callable[[int, str], Any], said: str
    ) -> HttpResponse:
        _must_run(request)
        try:
            acting(pk, request.user.get_username())
        except NotPossible as error:
            messages.error(request, f"Nothing was done: {error}.")
        else:
            messages.success(request, said)
        return redirect(self._url("change", pk))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show how far it is, or what it came to."""
        job = self.get_object(request, object_id)
        if job is None:
            raise Http404
        if not self.has_view_permission(request, job):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "title": str(job),
            "job": job,
            "original": job,
            "opts": self.model._meta,
            "may_run": request.user.has_perm(MAY_RUN),
            "progress_url": self._url("progress", job.pk),
            "cancel_url": self._url("cancel", job.pk),
            **self._told(job),
        }
        return TemplateResponse(request, "admin/signals_app/backtest.html", context)

    # ---- what differs ------------------------------------------------------------------------

    def _ask(self, request: HttpRequest, form: Any, wish: Wish) -> Any:
        raise NotImplementedError

    def _cancelled(self, pk: int, actor: str) -> Any:
        raise NotImplementedError

    def _told(self, job: Any) -> dict[str, Any]:
        raise NotImplementedError

    def _name(self, name: str) -> str:
        return f"{self.model._meta.app_label}_{self.model._meta.model_name}_{name}"

    def _url(self, name: str, *args: Any) -> str:
        return reverse(f"admin:{self._name(name)}", args=args)


@admin.register(BacktestRun)
class BacktestRunAdmin(JobAdmin):
    list_display = (
        "created_at",
        "strategy_id",
        "symbol",
        "interval",
        "status",
        "total_return",
        "sharpe",
        "drawdown",
        "trades",
        "actor",
    )

    @admin.display(description="Return")
    def total_return(self, run: BacktestRun) -> str:
        return metrics.percent(_figure(run, "total_return"))

    @admin.display(description="Sharpe")
    def sharpe(self, run: BacktestRun) -> str:
        return metrics.figure(_figure(run, "sharpe"))

    @admin.display(description="Drawdown")
    def drawdown(self, run: BacktestRun) -> str:
        return metrics.percent(_figure(run, "max_drawdown"))

    @admin.display(description="Trades")
    def trades(self, run: BacktestRun) -> str:
        found = _figure(run, "trades")
        return metrics.DASH if found is None else f"{found:.0f}"

    def _more_urls(self, door: Callable[[View, str, str], URLPattern]) -> list[URLPattern]:
        return [
            door(require_POST(self._again), "<int:pk>/again/", "again"),
            door(self._page, "<int:pk>/report.html", "page"),
        ]

    def _ask(self, request: HttpRequest, form: Any, wish: Wish) -> Any:  # noqa: ARG002
        return backtests.ask(wish=wish, actor=request.user.get_username())

    def _cancelled(self, pk: int, actor: str) -> Any:
        return backtests.cancel(pk, actor=actor)

    def _again(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._act(
            request, pk, lambda run, who: backtests.again(run, actor=who), "It waits for a worker."
        )

    def _page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Hand out the report as a file that needs nothing else."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = get_object_or_404(BacktestReport.objects.select_related("run"), run=pk)
        run = found.run
        answer = HttpResponse(backtest_report.page(found.told()), content_type="text/html")
        name = f"backtest-{run.pk}-{run.strategy_id}-{run.symbol}.html".replace('"', "")
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    def _told(self, job: Any) -> dict[str, Any]:
        found = BacktestReport.objects.filter(run=job).first()
        links = {"again_url": self._url("again", job.pk), "page_url": self._url("page", job.pk)}
        if found is None:
            return links
        told = found.told()
        shown = {name: told[name] for name in report.SHOWN}
        return {
            **links,
            "body": mark_safe(report.body(told)),  # noqa: S308  (it escapes every word)
            "data": shown,
        }


@admin.register(BacktestSweep)
class BacktestSweepAdmin(JobAdmin):
    list_display = (
        "created_at",
        "strategy_id",
        "symbol",
        "interval",
        "status",
        "trials_count",
        "percent",
        "actor",
    )
    form_page = SweepForm
    form_title = "New sweep"

    def _ask(self, request: HttpRequest, form: Any, wish: Wish) -> Any:
        return sweeps.ask(
            wish=wish,
            grid=form.tried(),
            windows=form.cleaned_data["windows"],
            ratio=form.cleaned_data["ratio"],
            actor=request.user.get_username(),
        )

    def _cancelled(self, pk: int, actor: str) -> Any:
        return sweeps.cancel(pk, actor=actor)

    def _told(self, job: Any) -> dict[str, Any]:
        if not job.results:
            return {}
        trials = job.trials.exclude(result=None).order_by("number")
        rows = sorted(map(_trial_line, trials), key=lambda row: row["order"], reverse=True)
        return {"results": _words(job.results), "trials": rows, "heat": _coloured(job.results)}


@admin.register(BacktestReport)
class BacktestReportAdmin(FactAdmin):
    list_display = ("run",)
    fields = ("run",)


@admin.register(BacktestTrial)
class BacktestTrialAdmin(FactAdmin):
    list_display = ("sweep", "number", "params", "status", "attempt")
    list_filter = ("status",)
    list_select_related = ("sweep",)


def _must_run(request: HttpRequest) -> None:
    if not request.user.has_perm(MAY_RUN):
        raise PermissionDenied


def _figure(run: BacktestRun, name: str) -> float | None:
    return (run.figures or {}).get(name)


def _trial_line(row: BacktestTrial) -> dict[str, Any]:
    result = row.result or {}
    whole = result.get("whole", {})
    sharpe = whole.get("sharpe")
    return {
        "number": row.number,
        "params": _params(row.params),
        "sharpe": metrics.figure(sharpe),
        "total_return": metrics.percent(whole.get("total_return")),
        "drawdown": metrics.percent(whole.get("max_drawdown")),
        "trades": whole.get("trades", 0),
        "order": -1e9 if sharpe is None else sharpe,
    }


def _words(results: dict[str, Any]) -> dict[str, Any]:
    deflated = results.get("deflated") or {}
    chance = deflated.get("probability")
    return {
        "warning": results["warning"],
        "holes": results.get("warnings", ()),
        "lines": (
            ("Return out of sample", metrics.percent(results["out_of_sample_return"])),
            ("Sharpe in sample, mean", metrics.figure(results["mean_in_sharpe"])),
            ("Sharpe out of sample, mean", metrics.figure(results["mean_out_sharpe"])),
            ("Chance that the best is more than luck", metrics.percent(chance, 1)),
        ),
        "chosen": [
            {
                "number": number,
                "params": _params(one["params"]) if one else "nothing traded",
                "in_sharpe": metrics.figure(one["in"]["sharpe"]) if one else metrics.DASH,
                "out_sharpe": metrics.figure(one["out"]["sharpe"]) if one else metrics.DASH,
                "out_return": metrics.percent(one["out"]["total_return"]) if one else metrics.DASH,
                "out_trades": one["out"]["trades"] if one else 0,
            }
            for number, one in enumerate(results["chosen"], start=1)
        ],
    }


def _coloured(results: dict[str, Any]) -> dict[str, Any] | None:
    heat = results.get("heat")
    if not heat:
        return None
    lines = [
        {"value": line["value"], "cells": [_cell(value) for value in line["cells"]]}
        for line in heat["lines"]
    ]
    return {**heat, "lines": lines}


def _cell(value: float | None) -> dict[str, str]:
    if value is None:
        return {"text": metrics.DASH, "colour": "transparent"}
    strength = min(abs(value) / HEAT_FULL, 1) * 0.6
    colour = "18,128,92" if value > 0 else "211,33,61"
    return {"text": f"{value:.2f}", "colour": f"rgba({colour},{strength:.2f})"}


def _params(params: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in params.items())
