import io

from petrosa_site.stack.console import Console


def write(folder, name, text):
    with (folder / f"{name}.log").open("a") as file:
        file.write(text)


def test_each_line_carries_the_name_of_its_process(tmp_path):
    out = io.StringIO()
    console = Console(tmp_path, ["web", "worker"], out)
    write(tmp_path, "web", "one\ntwo\n")
    write(tmp_path, "worker", "three\n")
    console.show()
    assert out.getvalue() == "web    | one\nweb    | two\nworker | three\n"


def test_half_a_line_waits_for_its_end(tmp_path):
    out = io.StringIO()
    console = Console(tmp_path, ["web"], out)
    write(tmp_path, "web", "ha")
    console.show()
    assert out.getvalue() == ""
    write(tmp_path, "web", "lf\n")
    console.show()
    assert out.getvalue() == "web | half\n"


def test_lines_of_an_earlier_run_are_not_shown_again(tmp_path):
    write(tmp_path, "web", "yesterday\n")
    out = io.StringIO()
    console = Console(tmp_path, ["web"], out)
    write(tmp_path, "web", "today\n")
    console.show()
    assert out.getvalue() == "web | today\n"


def test_a_rotated_file_is_followed_from_its_start(tmp_path):
    out = io.StringIO()
    write(tmp_path, "web", "a long line that was there before\n")
    console = Console(tmp_path, ["web"], out)
    (tmp_path / "web.log").rename(tmp_path / "web.log.1")
    write(tmp_path, "web", "new\n")
    console.show()
    assert out.getvalue() == "web | new\n"


def test_closing_shows_what_was_left(tmp_path):
    out = io.StringIO()
    console = Console(tmp_path, ["web"], out)
    console.start()
    write(tmp_path, "web", "last words\n")
    console.close()
    assert out.getvalue() == "web | last words\n"
