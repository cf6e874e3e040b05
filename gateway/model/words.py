"""Numbers in sentences."""


def counted(number: int, one: str, many: str) -> str:
    """ "1 letter is", "2 letters are"."""
    return f"{number} {one if number == 1 else many}"
