from concurrent.futures import ThreadPoolExecutor

from petrosa_site.stack.secrets import local_secret


def test_it_is_long_and_for_its_owner_only(tmp_path):
    path = tmp_path / "var" / "secret_key"
    assert len(local_secret(path)) >= 50
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_stays_the_same(tmp_path):
    assert local_secret(tmp_path / "key") == local_secret(tmp_path / "key")


def test_each_installation_has_its_own(tmp_path):
    assert local_secret(tmp_path / "a") != local_secret(tmp_path / "b")


def test_processes_that_start_together_agree(tmp_path):
    for attempt in range(20):
        with ThreadPoolExecutor(8) as pool:
            path = tmp_path / str(attempt)
            assert len(set(pool.map(lambda _, p=path: local_secret(p), range(8)))) == 1
