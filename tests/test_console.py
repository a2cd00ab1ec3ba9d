from colorizer.console import markdown_table, text_table
from colorizer.metrics.tables import metric_cells, metric_titles


def test_cells_have_the_digits_of_the_protocol() -> None:
    names = ["mse", "psnr", "ssim", "acc2"]
    cells = metric_cells({"mse": 0.0066172, "psnr": None, "acc2": 26.43}, names)
    row = dict(zip(metric_titles(names), cells, strict=True))
    assert row["MSE"] == "0.00662"
    assert row["PSNR"] == "inf"
    assert row["acc@2"] == "26.4"
    assert row["SSIM"] == ""


def test_columns_line_up() -> None:
    table = text_table(["run", "PSNR"], [["a long name", "1.5"], ["b", "22.14"]])
    assert table.splitlines() == [
        "run           PSNR",
        "-----------  -----",
        "a long name    1.5",
        "b            22.14",
    ]


def test_markdown_aligns_numbers_to_the_right() -> None:
    table = markdown_table(["run", "PSNR"], [["b", "22.14"]])
    assert table.splitlines() == ["| run |  PSNR |", "| --- | ----: |", "| b   | 22.14 |"]
    assert r"\|ΔY\|" in markdown_table(["run", "|ΔY|"], [])
