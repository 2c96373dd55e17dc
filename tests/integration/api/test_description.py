import pytest
from drf_spectacular.validation import validate_schema


def test_the_description_is_valid_openapi(description):
    validate_schema(description)


@pytest.mark.parametrize(
    "path",
    ["/trade", "/account", "/price/{symbol}", "/order/{symbol}/{order_id}", "/health", "/version"],
)
def test_the_older_paths_are_described(description, path):
    assert path in description["paths"]


def test_trade_comes_with_examples_of_both_generations(description):
    body = description["paths"]["/trade"]["post"]["requestBody"]["content"]["application/json"]
    assert len(body["examples"]) == 2


def test_every_refusal_is_a_problem_document(description):
    content = description["paths"]["/trade"]["post"]["responses"]["400"]["content"]
    assert list(content) == ["application/problem+json"]


def test_the_page_asks_for_a_login(client, db):
    assert client.get("/docs").status_code == 302


def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing_inline(client, operator):
    client.force_login(operator)
    text = client.get("/docs").content.decode()
    assert "https://" not in text
    assert "http://" not in text
    assert "<script>" not in text
    assert "<style>" not in text
    assert text.count("<script src=") == 3


def test_the_pages_script_is_a_file_of_its_own(client, operator):
    client.force_login(operator)
    response = client.get("/docs?script=")
    assert response.headers["Content-Type"].startswith("application/javascript")
    assert "SwaggerUIBundle" in response.content.decode()
