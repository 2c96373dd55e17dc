from petrosa_site.stack import private


def mode(path):
    return path.stat().st_mode & 0o777


def test_files_and_folders_are_closed_and_stay_usable(tmp_path):
    folder = tmp_path / "var"
    (folder / "log").mkdir(parents=True)
    (folder / "log" / "web.log").write_text("token")
    (folder / "run.sh").write_text("")
    folder.chmod(0o755)
    (folder / "log").chmod(0o755)
    (folder / "log" / "web.log").chmod(0o644)
    (folder / "run.sh").chmod(0o755)

    assert private.close(folder) == []
    assert [mode(p) for p in (folder, folder / "log")] == [0o700, 0o700]
    assert [mode(p) for p in (folder / "log" / "web.log", folder / "run.sh")] == [0o600, 0o700]


def test_links_are_not_followed(tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_text("")
    outside.chmod(0o644)
    folder = tmp_path / "var"
    folder.mkdir()
    (folder / "link").symlink_to(outside)

    private.close(folder)
    assert mode(outside) == 0o644


def test_a_file_outside_is_closed_with_what_stands_beside_it(tmp_path):
    names = ("books.db", "books.db-wal", "books.db-shm", "other.db")
    for name in names:
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o644)

    private.close_database(tmp_path / "books.db")
    assert [mode(tmp_path / name) for name in names] == [0o600, 0o600, 0o600, 0o644]


def test_what_is_not_there_is_no_failure(tmp_path):
    assert private.close(tmp_path / "nowhere") == []
    assert private.close_database(tmp_path / "nowhere.db") == []
