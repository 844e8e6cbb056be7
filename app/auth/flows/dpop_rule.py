"""Which access tokens are bound to a key (RFC 9449), as the configuration and the allowed list
say."""

from __future__ import annotations

from collections.abc import Iterable

from ..config import AuthConfig
from ..dpop import ALGORITHM, DPoPKey
from ..errors import ConfigError, ProviderError
from ..oidc.discovery import ProviderMetadata

_ALL_OR_NONE = (
    "A public client's refresh tokens are bound to the key (RFC 9449 section 5), so that DPoP is "
    "for all of its access tokens or for none: set AUTH0_DPOP, and no `dpop` in TokenOptions."
)


class DPoPRule:
    """Decides by the audience of a token. `entries` are the `audience` and `dpop` of each entry of
    the allowed list.

    Raises:
        ConfigError: two entries contradict each other about an audience, or one contradicts
            `AuthConfig.dpop` and the client is a public one.
    """

    def __init__(
        self, config: AuthConfig, entries: Iterable[tuple[str | None, bool | None]]
    ) -> None:
        self._default = config.dpop
        method = config.client_authentication.token_endpoint_auth_method
        self._is_public = method == "none"
        self._by_audience: dict[str, bool] = {}
        for named, dpop in entries:
            audience = named or config.authorization_params.audience or ""
            if dpop is not None and self._by_audience.setdefault(audience, dpop) != dpop:
                raise ConfigError(
                    f"allowed_list has entries for the audience {audience!r} with dpop=True and "
                    "with dpop=False; a session has one access token for each audience."
                )
        for dpop in self._by_audience.values():
            self._check(dpop)

    def at_login(self, audience: str | None) -> bool:
        """Whether a login asks for a bound token for this audience."""
        return self._by_audience.get(audience or "", self._default)

    def wanted(self, audience: str, asked: bool | None) -> bool | None:
        """Whether a token has to be bound. `asked` is what the caller's `TokenOptions` say. None:
        either will do, so that a session which began with a key keeps it.

        Raises:
            ConfigError: `asked` contradicts `AuthConfig.dpop` and the client is a public one.
        """
        dpop = self._by_audience.get(audience) if asked is None else asked
        if dpop is None:
            return True if self._default else None
        self._check(dpop)
        return None if self._is_public and not dpop else dpop

    def _check(self, dpop: bool) -> None:
        if self._is_public and dpop != self._default:
            raise ConfigError(_ALL_OR_NONE)


def new_key(metadata: ProviderMetadata) -> DPoPKey:
    """Return a key for a new session.

    Raises:
        ProviderError: the provider announces that it does not accept proofs with such a key.
    """
    announced = metadata.dpop_signing_alg_values_supported
    if announced and ALGORITHM not in announced:
        raise ProviderError(
            f"The provider accepts no DPoP proofs that are signed with {ALGORITHM}.",
            code="dpop_not_supported",
        )
    return DPoPKey.generate()
