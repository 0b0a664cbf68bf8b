"""Typed errors of the worker, the same shape as `src/core/errors.ts`: `{code, message, hint, details, retryable}`.

A code is `boundary.reason`. The boundary decides the exit code of a process that ends with the error.
"""

from __future__ import annotations

from typing import Any, TypedDict

EXIT_CODES = {"config": 2, "data": 3, "images": 3, "engine": 4, "sandbox": 5, "checkpoint": 6}


class ErrorShape(TypedDict):
    """The wire form of an error."""

    code: str
    message: str
    hint: str | None
    details: dict[str, Any]
    retryable: bool


class VarftError(Exception):
    """An error that a person is meant to read.

    `message` says what was wrong, where, and both values; `hint` what to do next, as one imperative sentence;
    `details` what a program needs to react (JSON values, never a secret); `retryable` whether the same call may
    succeed later without a change.

    Example: `raise VarftError("engine.bad_request", "rows[0].tokenIds: expected base64, got 7")`
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str | None = None,
        details: dict[str, Any] | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.details = details if details is not None else {}
        self.retryable = retryable

    @property
    def exit_code(self) -> int:
        """Exit code of a process that ends with this error."""
        return EXIT_CODES.get(self.code.split(".", 1)[0], 1)

    def shape(self) -> ErrorShape:
        """The wire form."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "details": self.details,
            "retryable": self.retryable,
        }


class Cancelled(Exception):
    """Raised inside `sample` and `logprobs` once their `cancelled()` says that nobody waits for the answer."""
