from tinyseq import backend


def pytest_report_header():
    """What is tested: without the extension, it would be NumPy alone and look just as green."""
    info = backend.info()
    return f"tinyseq: {info['backend']}, {info['isa'] or info['missing'] or 'as asked'}"
