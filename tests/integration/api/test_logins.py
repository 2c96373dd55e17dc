import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from tests.integration.api.conftest import signal, trade

PASSWORD = "a-long-password-1"


@pytest.fixture
def ann(db):
    user = User.objects.create_user("ann", password=PASSWORD)
    user.user_permissions.add(Permission.objects.get(codename="trade"))
    return user


def post(client, path, **body):
    return client.post(f"/api/v1/auth/{path}", body, format="json")


def test_a_token_by_name_and_password_opens_the_api(ann, exchange):
    client = APIClient()
    token = post(client, "token/", username="ann", password=PASSWORD).json()["token"]
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert trade(client).status_code == 200


def test_a_deleted_token_opens_nothing(ann):
    client = APIClient()
    token = post(client, "token/", username="ann", password=PASSWORD).json()["token"]
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert client.delete("/api/v1/auth/token/").status_code == 204
    assert client.get("/api/v1/orders/").status_code == 401


def test_a_wrong_password_gets_no_token(ann):
    response = post(APIClient(), "token/", username="ann", password="wrong")
    assert response.status_code == 400
    assert PASSWORD not in response.content.decode()


def test_a_jwt_opens_the_api_and_can_be_refreshed(ann, exchange):
    client = APIClient()
    pair = post(client, "jwt/", username="ann", password=PASSWORD).json()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access']}")
    assert trade(client).status_code == 200
    fresh = post(APIClient(), "jwt/refresh/", refresh=pair["refresh"]).json()["access"]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {fresh}")
    assert client.get("/api/v1/orders/").status_code == 200


@pytest.mark.parametrize("scheme", ["Bearer x.y.z", "Token ", "Basic YTpi", "Bearer"])
def test_a_broken_credential_is_a_401_problem(db, scheme):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=scheme)
    response = client.get("/api/v1/orders/")
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"


def test_a_session_opens_reading(ann):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(ann)
    assert client.get("/api/v1/orders/").status_code == 200


def test_a_session_without_a_csrf_token_cannot_trade(ann, exchange):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(ann)
    response = client.post("/trade", signal(), format="json")
    assert response.status_code == 403
    assert response.json()["code"] == "CSRF_FAILED"
    assert exchange.count("place_order") == 0


def test_a_session_with_a_csrf_token_can(ann, exchange):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(ann)
    client.cookies["csrftoken"] = "c" * 32
    response = client.post("/trade", signal(), format="json", headers={"X-CSRFToken": "c" * 32})
    assert response.status_code == 200, response.content


def test_a_person_switched_off_is_locked_out(ann):
    client = APIClient()
    token = post(client, "token/", username="ann", password=PASSWORD).json()["token"]
    User.objects.update(is_active=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert client.get("/api/v1/orders/").status_code == 401


def test_guessing_passwords_is_slowed_down(ann, settings):
    rates = {**settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "login": "3/day"}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
    paths = ["token/", "jwt/", "token/", "jwt/"]
    codes = [post(APIClient(), p, username="ann", password="wrong").status_code for p in paths]
    assert codes[-1] == 429
