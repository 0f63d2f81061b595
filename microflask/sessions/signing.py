"""How session cookies are signed: itsdangerous's format, with the keys derived once. Imported on first use."""

from __future__ import annotations

import hmac
import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from itsdangerous import (
    BadData,
    BadTimeSignature,
    Serializer,
    SignatureExpired,
    TimestampSigner,
    URLSafeTimedSerializer,
    base64_decode,
    base64_encode,
    want_bytes,
)

#: The beginning of 2011 in Unix seconds. itsdangerous counted from there until 0.24, which Flask 0.10 came with; its
#: timestamps stay below this number until 2052, and no others have been below it since 2011.
_EPOCH_2011 = 1293840000
#: The end of the year 9999, which is as far as datetime reaches.
_LAST_SECOND = 253402300799

#: Up to here the small window holds the whole text, and finds what the large one finds.
_SHORT = 240
#: zlib's header and checksum, which the trial does without.
_ZLIB_FRAME = 6


class SessionSigner(TimestampSigner):
    """Sign and verify as TimestampSigner does, and accept the timestamps of itsdangerous before 1.0."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._macs = [
            hmac.new(self.derive_key(key), digestmod=self.digest_method) for key in reversed(self.secret_keys)
        ]

    def _signature(self, mac: hmac.HMAC, value: bytes) -> bytes:
        mac = mac.copy()
        mac.update(value)
        return base64_encode(mac.digest())

    def get_signature(self, value: str | bytes) -> bytes:
        """Return the signature of `value` by the newest key."""
        return self._signature(self._macs[0], want_bytes(value))

    def verify_signature(self, value: str | bytes, sig: str | bytes) -> bool:
        """Return whether `sig` is the signature of `value` by one of the keys."""
        data, given = want_bytes(value), want_bytes(sig)
        return any(hmac.compare_digest(given, self._signature(mac, data)) for mac in self._macs)

    def unsign(self, signed_value: str | bytes, max_age: int | None = None, return_timestamp: bool = False) -> Any:
        """Return the value without its signature, and when it was signed if `return_timestamp` is set.

        :raises itsdangerous.BadSignature: it was not signed with one of the keys
        :raises itsdangerous.SignatureExpired: it was signed more than `max_age` seconds ago, or in the future
        """
        signed, _, signature = want_bytes(signed_value).rpartition(self.sep)
        value, _, stamp = signed.rpartition(self.sep)
        if not value or not self.verify_signature(signed, signature):
            raise BadTimeSignature("The text was not signed with a key of this application", payload=value)
        seconds = _seconds(stamp)
        if max_age is not None:
            age = self.get_timestamp() - seconds
            if not 0 <= age <= max_age:
                message = f"The signature is {age} seconds old, and up to {max_age} are accepted"
                raise SignatureExpired(message, payload=value, date_signed=self.timestamp_to_datetime(seconds))
        return (value, self.timestamp_to_datetime(seconds)) if return_timestamp else value


def _seconds(stamp: bytes) -> int:
    """Return the Unix seconds that the timestamp of a signature means."""
    try:
        seconds = int.from_bytes(base64_decode(stamp), "big")
        if seconds > _LAST_SECOND:
            raise BadData("after the year 9999")
    except BadData:
        raise BadTimeSignature("The timestamp of the signature is not one") from None
    return seconds + _EPOCH_2011 if seconds < _EPOCH_2011 else seconds


class SessionSerializer(URLSafeTimedSerializer):
    """Make and read signed texts as URLSafeTimedSerializer does, with one signer kept."""

    def __init__(
        self, keys: tuple[str | bytes, ...], salt: str | bytes, serializer: Any, **signer_kwargs: Any
    ) -> None:
        super().__init__(
            [want_bytes(key) for key in keys], salt=salt, serializer=serializer,
            signer=SessionSigner, signer_kwargs=signer_kwargs,
        )
        self._kept = super().make_signer()

    def dump_payload(self, obj: Any) -> bytes:
        """Return `obj` as text for a URL, compressed where that is shorter."""
        text = Serializer.dump_payload(self, obj)
        if _shrinks(text):
            return b"." + base64_encode(zlib.compress(text))
        return base64_encode(text)

    def make_signer(self, salt: str | bytes | None = None) -> Any:
        """Return a signer for `salt`; the one of the serializer's own salt is always the same."""
        return self._kept if salt is None or salt == self.salt else super().make_signer(salt)

    def iter_unsigners(self, salt: str | bytes | None = None) -> Iterator[Any]:
        """Yield the one signer, which tries every key."""
        yield self.make_signer(salt)


def _shrinks(text: bytes) -> bool:
    """Return whether compressed text is shorter by more than the dot that marks it.

    zlib clears 256 KiB for each call, 42 us for a session of usual size. A short text compresses to the same length
    in a window of 512 bytes, in 3 us; only a text that does shrink is compressed with zlib's own settings.
    """
    if len(text) > _SHORT:
        return len(zlib.compress(text)) < len(text) - 1
    trial = zlib.compressobj(wbits=-9, memLevel=4)
    return len(trial.compress(text) + trial.flush()) + _ZLIB_FRAME < len(text) - 1


def _make(
    keys: tuple[str | bytes, ...], salt: str | bytes, serializer: Any, key_derivation: str, digest_method: Any
) -> SessionSerializer:
    return SessionSerializer(keys, salt, serializer, key_derivation=key_derivation, digest_method=digest_method)


_make_kept = lru_cache(maxsize=32)(_make)


def session_serializer(
    keys: tuple[str | bytes, ...], salt: str | bytes, serializer: Any, key_derivation: str, digest_method: Any
) -> SessionSerializer:
    """Return the serializer for these settings, the same one each time; the last of `keys` signs."""
    make = _make if serializer.__hash__ is None else _make_kept
    return make(keys, salt, serializer, key_derivation, digest_method)


def read(serializer: Any, token: str, max_age: int) -> Any | None:
    """Return what `token` holds, or None if it is forged, cut, expired or not readable."""
    try:
        return serializer.loads(token, max_age=max_age)
    except (BadData, ValueError):
        return None
