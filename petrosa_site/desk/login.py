"""The one login form of pages and admin. Guessing is slowed down."""

from __future__ import annotations

import math
from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from petrosa_site import people
from petrosa_site.rest import throttles


class Login(LoginView):
    """Ask for name and password; too many tries from one address are answered with 429."""

    template_name = "desk/login.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Tell who is logged in already why the page they wanted sent them here."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        user = self.request.user
        if user.is_authenticated and self.request.method == "GET":
            wanted = self.get_redirect_url()
            context["signed_in"] = user.get_username()
            context["lacks_staff"] = wanted.startswith("/admin/") and not user.is_staff
        return context

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        with transaction.atomic():
            answer = super().form_valid(form)
            people.logged_in(form.get_user(), self.request, by="form")
        return answer

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        is_allowed, wait = throttles.take_login(request)
        if is_allowed:
            return super().post(request, *args, **kwargs)
        form = self.form_class(request)
        context = self.get_context_data(form=form, wait=math.ceil(wait))
        response = self.render_to_response(context, status=429)
        response["Retry-After"] = str(math.ceil(wait))
        return response
