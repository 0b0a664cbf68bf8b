"""Sizes of files on a package index: a list of addresses on stdin, an object of address to bytes (or null) on stdout.

Runs in the new environment and asks through pip's own session, so that the proxies, certificates and passwords of pip's
configuration hold. That session is not pip's public interface: a failure means "size unknown", never a failed set-up.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor


def main() -> None:
    """Ask for every address at once; an address that does not answer within five seconds has no size."""
    from pip._internal.commands import create_command

    command = create_command("install")
    session = command._build_session(command.parse_args([])[0], retries=0, timeout=5)

    def size(url: str) -> int | None:
        try:
            answer = session.head(url, allow_redirects=True)
            return int(answer.headers["content-length"]) if answer.ok else None
        except Exception:  # whatever went wrong, the size is unknown
            return None

    urls: list[str] = json.load(sys.stdin)
    with ThreadPoolExecutor(8) as pool:
        print(json.dumps(dict(zip(urls, pool.map(size, urls), strict=True))))


if __name__ == "__main__":
    main()
